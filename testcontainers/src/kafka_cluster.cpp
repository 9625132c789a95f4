#include "testcontainers/kafka_cluster.hpp"

#include "testcontainers/proxy.hpp"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>

#include "distribution.hpp"
#include "node_config.hpp"
#include "ports.hpp"
#include "probe.hpp"
#include "process.hpp"

namespace kafkawire::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

fs::path make_folder() {
    auto pattern = (fs::temp_directory_path() / "kafkawire-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a folder in " + fs::temp_directory_path().string());
    return pattern;
}

void write_file(const fs::path& file, const std::string& text) {
    if (!(std::ofstream(file, std::ios::binary) << text)) throw std::runtime_error("cannot write " + file.string());
}

std::string read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::string last_lines(const std::string& text, int count) {
    auto at = text.size();
    while (at > 0 && (text[at - 1] != '\n' || at == text.size() || count-- > 0)) --at;
    return text.substr(at);
}

// What a log has to say about a failure: a node that gives up logs a hundred lines about closing down after the one that matters.
std::string telling_lines(const std::string& log) {
    std::istringstream in(log);
    std::string errors;
    int wanted = 0, count = 0;
    for (std::string line; std::getline(in, line) && count < 25;) {
        if (line.find(" ERROR ") != std::string::npos || line.find(" FATAL ") != std::string::npos) wanted = 5;
        if (wanted-- > 0) errors += line + "\n", ++count;
    }
    return errors + "...\n" + last_lines(log, 15);
}

// A random UUID as Kafka writes it: 22 characters of base64url. The first is a letter, because Kafka reserves some that begin with A.
std::string random_uuid() {
    static constexpr std::string_view alphabet = "BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::random_device random;
    std::uniform_int_distribution<std::size_t> any(0, alphabet.size() - 1);
    std::string out;
    for (int i = 0; i < 21; ++i) out += alphabet[any(random)];
    return out + "g";  // the last holds 2 bits of value and 4 of padding
}

}  // namespace

struct kafka_cluster::impl {
    struct node {
        detail::node_plan plan;
        detail::reserved_port client, internal, controller;
        std::deque<detail::reserved_port> more;  // of the listeners beside these
        pid_t pid = -1;
        node_state state = node_state::down;
        std::string container;      // of the present run
        std::size_t log_start = 0;  // of the present run
        std::unique_ptr<testing::proxy> proxy;
    };

    kafka_image image;
    detail::distribution kafka;
    detail::cluster_plan plan;
    std::string label;
    std::map<int, node> nodes;
    std::unique_ptr<detail::reserved_port> zookeeper_port;
    pid_t zookeeper = -1;
    std::unique_ptr<detail::guard> guard;
    mutable std::recursive_mutex mutex;
    mutable int runs = 0;

    explicit impl(const kafka_image& wanted)
        : image(wanted), kafka(detail::distribution::find(wanted.version_, static_cast<detail::distribution::kind>(wanted.runtime_))) {
        if (image.nodes_ < 1 || image.nodes_ > 3)
            throw std::invalid_argument("a test cluster has one to three nodes, not " + std::to_string(image.nodes_));
        plan.folder = make_folder();
        label = "kafkawire.cluster=" + plan.folder.filename().string();
        guard = std::make_unique<detail::guard>(plan.folder, kafka.in_docker() ? label : std::string{});
        plan.version = image.version_;
        plan.cluster_id = image.cluster_id_;
        for (int id = 1; id <= image.nodes_; ++id) lay_out(id);
        for (auto& [id, n] : nodes) plan.nodes.push_back(n.plan);
        if (detail::uses_zookeeper(plan.version)) {
            zookeeper_port = std::make_unique<detail::reserved_port>();
            plan.zookeeper_port = zookeeper_port->number();
        }
    }

    ~impl() {
        for (auto& [id, n] : nodes)
            if (n.pid > 0) end(n.pid);
        if (zookeeper > 0) end(zookeeper);
        std::error_code ignored;  // the guard tries again
        fs::remove_all(plan.folder, ignored);
    }

    static void end(pid_t& pid) {
        ::kill(pid, SIGKILL);
        (void)detail::wait_exit(pid, 10s);
        pid = -1;
    }

    void lay_out(int id) {
        auto& n = nodes[id];
        n.plan.id = id;
        n.plan.client_port = n.client.number();
        if (image.proxies_)
            n.proxy = std::make_unique<testing::proxy>(std::string(detail::host) + ":" + std::to_string(n.plan.client_port));
        n.plan.advertised_port = n.proxy ? n.proxy->port() : n.plan.client_port;
        n.plan.internal_port = n.internal.number();
        n.plan.controller_port = n.controller.number();
        for (auto& [name, protocol] : image.listeners_) n.plan.more.push_back({name, protocol, n.more.emplace_back().number()});
        n.plan.folder = plan.folder / ("node-" + std::to_string(id));
        fs::create_directories(n.plan.folder / "data");
        for (auto& p : image.properties_)
            if (p.node == 0 || p.node == id) n.plan.overrides.emplace_back(p.key, p.value);
    }

    node& at(int id) {
        auto it = nodes.find(id);
        if (it == nodes.end())
            throw std::out_of_range("the cluster has nodes 1 to " + std::to_string(nodes.size()) + ", not " + std::to_string(id));
        return it->second;
    }

    fs::path log_file(const std::string& name) const { return plan.folder / (name + ".log"); }
    fs::path log_file(int id) const { return log_file("node-" + std::to_string(id)); }

    [[noreturn]] void fail(const std::string& what, const std::string& log_name) const {
        throw cluster_error("Apache Kafka " + plan.version + ": " + what + "; from its log:\n" +
                            telling_lines(read_file(log_file(log_name))));
    }

    // Starts a long-running JVM whose output goes to the end of a log file.
    pid_t launch(const std::vector<std::string>& arguments, const std::string& name, std::string& container) {
        container = plan.folder.filename().string() + "-" + name + "-" + std::to_string(++runs);
        const detail::unique_fd log{::open(log_file(name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
        return detail::spawn({.argv = kafka.command(arguments, container, label, plan.folder),
                              .directory = plan.folder,
                              .out = log.get(),
                              .err = log.get(),
                              .group = guard->group()});
    }

    std::vector<std::string> server_command(const char* heap, const std::string& main_class, const fs::path& config) const {
        const auto log = detail::logging(plan.version, detail::logs_of::server);
        // A node of a test lives for seconds: the second compiler and a parallel collector would only take its time.
        std::vector<std::string> out = {heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
                                        log.option + (plan.folder / log.file).string()};
        out.insert(out.end(), image.jvm_options_.begin(), image.jvm_options_.end());
        out.push_back(main_class);
        out.push_back(config.string());
        return out;
    }

    void start_all() {
        for (auto whom : {detail::logs_of::server, detail::logs_of::tool}) {
            const auto log = detail::logging(plan.version, whom);
            write_file(plan.folder / log.file, log.content);
        }
        for (auto& [id, n] : nodes) write_file(n.plan.folder / "server.properties", detail::node_properties(plan, n.plan));
        if (plan.zookeeper_port) {
            start_zookeeper();
        } else {
            format();
        }
        for (auto& [id, n] : nodes) spawn_node(n);
        wait_until_ready();
    }

    void start_zookeeper() {
        write_file(plan.folder / "zookeeper.properties", detail::zookeeper_properties(plan));
        std::string container;
        zookeeper =
            launch(server_command("-Xmx128m", "org.apache.zookeeper.server.quorum.QuorumPeerMain", plan.folder / "zookeeper.properties"),
                   "zookeeper", container);
        const auto deadline = clock::now() + image.timeout_;
        while (!detail::accepts(detail::host, plan.zookeeper_port, 200ms)) {
            if (detail::poll_exit(zookeeper)) {
                zookeeper = -1;
                fail("ZooKeeper ended", "zookeeper");
            }
            if (clock::now() > deadline) fail("ZooKeeper did not start in time", "zookeeper");
            std::this_thread::sleep_for(20ms);
        }
    }

    // `kafka-storage format` costs a JVM per node, and what it writes differs only in meta.properties: the rest is kept from the
    // first time on. Formatting with arguments of the test's own is always done by the tool.
    void format() {
        const auto kept = kafka.cache() / "bootstrap.checkpoint";
        for (auto& [id, n] : nodes) {
            const auto checkpoint = n.plan.folder / "data" / "bootstrap.checkpoint";
            if (image.format_arguments_.empty() && fs::exists(kept)) {
                fs::copy_file(kept, checkpoint);
                write_file(n.plan.folder / "data" / "meta.properties", detail::meta_properties(plan, n.plan, random_uuid()));
                continue;
            }
            std::vector<std::string> arguments = {"-XX:TieredStopAtLevel=1",
                                                  "kafka.tools.StorageTool",
                                                  "format",
                                                  "-t",
                                                  plan.cluster_id,
                                                  "-c",
                                                  (n.plan.folder / "server.properties").string()};
            arguments.insert(arguments.end(), image.format_arguments_.begin(), image.format_arguments_.end());
            const auto result = detail::run(
                kafka.command(arguments, label.substr(label.find('=') + 1) + "-format-" + std::to_string(id), label, plan.folder), {},
                image.timeout_, guard->group());
            if (result.status != 0)
                throw cluster_error("formatting node " + std::to_string(id) + " failed:\n" + last_lines(result.out + result.err, 15));
            if (image.format_arguments_.empty()) {
                const auto part = kept.string() + "." + random_uuid();
                fs::copy_file(checkpoint, part);
                fs::rename(part, kept);
            }
        }
    }

    // A proxy in front of a dead node would accept and then reset; a dead node's port refuses.
    static void mark_down(node& n) {
        n.pid = -1;
        n.state = node_state::down;
        if (n.proxy) n.proxy->refuse();
    }

    void spawn_node(node& n) {
        n.log_start = fs::exists(log_file(n.plan.id)) ? fs::file_size(log_file(n.plan.id)) : 0;
        n.pid = launch(server_command("-Xmx384m", "kafka.Kafka", n.plan.folder / "server.properties"), "node-" + std::to_string(n.plan.id),
                       n.container);
        n.state = node_state::running;
        if (n.proxy) n.proxy->refuse(false);
    }

    // Why the running nodes are not ready, or nothing.
    std::string missing() {
        for (auto& [id, n] : nodes) {
            if (n.state != node_state::running) continue;
            const auto seen = detail::probe(detail::host, n.plan.client_port, 2s);
            const auto name = "node " + std::to_string(id);
            if (!seen.error.empty()) return name + ": " + seen.error;
            if (seen.controller < 0) return name + " knows no controller";
            for (auto& [other, o] : nodes) {
                const detail::seen_broker expected{other, detail::host, o.plan.advertised_port};
                if (o.state == node_state::running && std::ranges::find(seen.brokers, expected) == seen.brokers.end())
                    return name + " does not see node " + std::to_string(other);
            }
        }
        return {};
    }

    // Whether a node ended because ZooKeeper remembers its former life; 2.8 and 0.10 word it differently.
    bool still_registered(int id) const {
        const auto log = read_file(log_file(id)).substr(nodes.at(id).log_start);
        return plan.zookeeper_port &&
               (log.find("NodeExistsException") != std::string::npos || log.find("already registered") != std::string::npos);
    }

    void wait_until_ready() {
        const auto deadline = clock::now() + image.timeout_;
        for (;;) {
            for (auto& [id, n] : nodes) {
                if (n.state != node_state::running) continue;
                const auto status = detail::poll_exit(n.pid);
                if (!status) continue;
                mark_down(n);
                // ZooKeeper remembers a killed node until its session ends, and refuses its successor until then: again.
                if (clock::now() > deadline || !still_registered(id))
                    fail("node " + std::to_string(id) + " ended with status " + std::to_string(*status), "node-" + std::to_string(id));
                std::this_thread::sleep_for(500ms);
                spawn_node(n);
            }
            const auto why = missing();
            if (why.empty()) return;
            if (clock::now() > deadline) {
                const auto culprit = why.substr(5, 1);
                fail("not ready after " + std::to_string(image.timeout_.count() / 1000) + " s: " + why, "node-" + culprit);
            }
            std::this_thread::sleep_for(20ms);
        }
    }

    void kill(node& n) {
        if (n.state == node_state::down) return;
        if (kafka.in_docker()) kafka.control("kill", n.container);
        end(n.pid);
        mark_down(n);
    }

    void stop(node& n) {
        if (n.state == node_state::down) return;
        resume(n);
        ::kill(n.pid, SIGTERM);  // the docker client hands it on
        if (!detail::wait_exit(n.pid, 30s)) return kill(n);
        mark_down(n);
    }

    // The signal stops a process of many threads when each of them has seen it: until then it may still answer.
    static void wait_stopped(pid_t pid) {
        const auto stopped = [](const std::filesystem::path& task) {
            std::string text;
            std::getline(std::ifstream{task / "stat"}, text);
            const auto name_end = text.rfind(')');  // "pid (name) T ..."
            return name_end == std::string::npos || name_end + 2 >= text.size() || text[name_end + 2] == 'T';
        };
        const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
        for (const auto until = std::chrono::steady_clock::now() + 5s; std::chrono::steady_clock::now() < until; std::this_thread::sleep_for(2ms)) {
            std::error_code gone;
            bool all = true;
            for (std::filesystem::directory_iterator at{tasks, gone}, end; !gone && at != end; at.increment(gone)) all = all && stopped(at->path());
            if (all) return;
        }
    }

    void pause(node& n) {
        if (n.state == node_state::down) throw cluster_error("node " + std::to_string(n.plan.id) + " is down and cannot be paused");
        if (n.state == node_state::paused) return;
        if (kafka.in_docker()) {
            kafka.control("pause", n.container);
        } else {
            ::kill(n.pid, SIGSTOP);
            wait_stopped(n.pid);
        }
        n.state = node_state::paused;
    }

    void resume(node& n) {
        if (n.state != node_state::paused) return;
        if (kafka.in_docker()) {
            kafka.control("unpause", n.container);
        } else {
            ::kill(n.pid, SIGCONT);
        }
        n.state = node_state::running;
    }

    void start(node& n) {
        if (n.state != node_state::down) throw cluster_error("node " + std::to_string(n.plan.id) + " is not down");
        spawn_node(n);
        wait_until_ready();
    }
};

kafka_image& kafka_image::version(std::string number) { return version_ = std::move(number), *this; }
kafka_image& kafka_image::nodes(int count) { return nodes_ = count, *this; }
kafka_image& kafka_image::with_proxies(bool on) { return proxies_ = on, *this; }
kafka_image& kafka_image::with_property(std::string key, std::string value) { return with_property(0, std::move(key), std::move(value)); }
kafka_image& kafka_image::with_property(int node, std::string key, std::string value) {
    properties_.push_back({node, std::move(key), std::move(value)});
    return *this;
}
kafka_image& kafka_image::with_jvm_option(std::string option) { return jvm_options_.push_back(std::move(option)), *this; }
kafka_image& kafka_image::with_listener(std::string name, std::string protocol) {
    return listeners_.emplace_back(std::move(name), std::move(protocol)), *this;
}
kafka_image& kafka_image::with_format_argument(std::string argument) { return format_arguments_.push_back(std::move(argument)), *this; }
kafka_image& kafka_image::with_cluster_id(std::string id) { return cluster_id_ = std::move(id), *this; }
kafka_image& kafka_image::with_startup_timeout(milliseconds limit) { return timeout_ = limit, *this; }
kafka_image& kafka_image::with_runtime(runtime wanted) { return runtime_ = wanted, *this; }

kafka_cluster kafka_image::start() const {
    auto p = std::make_unique<kafka_cluster::impl>(*this);
    p->start_all();
    return kafka_cluster(std::move(p));
}

kafka_cluster::kafka_cluster(std::unique_ptr<impl> p) : impl_(std::move(p)) {}
kafka_cluster::kafka_cluster(kafka_cluster&&) noexcept = default;
kafka_cluster& kafka_cluster::operator=(kafka_cluster&&) noexcept = default;
kafka_cluster::~kafka_cluster() = default;

std::string kafka_cluster::address(int node) const {
    return std::string(detail::host) + ":" + std::to_string(impl_->at(node).plan.advertised_port);
}
std::string kafka_cluster::bootstrap_servers() const {
    std::string out;
    for (auto& [id, n] : impl_->nodes) out += (out.empty() ? "" : ",") + address(id);
    return out;
}
std::string kafka_cluster::internal_bootstrap_servers() const {
    std::string out;
    for (auto& [id, n] : impl_->nodes)
        out += (out.empty() ? "" : ",") + std::string(detail::host) + ":" + std::to_string(n.plan.internal_port);
    return out;
}
std::string kafka_cluster::listener_servers(std::string_view name) const {
    std::string out;
    for (auto& [id, n] : impl_->nodes)
        for (auto& l : n.plan.more)
            if (l.name == name) out += (out.empty() ? "" : ",") + std::string(detail::host) + ":" + std::to_string(l.port);
    if (out.empty()) throw cluster_error("the cluster has no listener " + std::string(name));
    return out;
}
int kafka_cluster::size() const { return static_cast<int>(impl_->nodes.size()); }
std::string kafka_cluster::version() const { return impl_->plan.version; }
bool kafka_cluster::in_docker() const { return impl_->kafka.in_docker(); }
fs::path kafka_cluster::directory() const { return impl_->plan.folder; }
fs::path kafka_cluster::data_directory(int node) const { return impl_->at(node).plan.folder / "data"; }

node_state kafka_cluster::state(int node) const {
    const std::lock_guard lock(impl_->mutex);
    auto& n = impl_->at(node);
    if (n.state != node_state::down && detail::poll_exit(n.pid)) impl::mark_down(n);  // it ended by itself
    return n.state;
}
pid_t kafka_cluster::pid(int node) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->at(node).pid;
}

void kafka_cluster::kill(int node) {
    const std::lock_guard lock(impl_->mutex);
    impl_->kill(impl_->at(node));
}
void kafka_cluster::stop(int node) {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop(impl_->at(node));
}
void kafka_cluster::pause(int node) {
    const std::lock_guard lock(impl_->mutex);
    impl_->pause(impl_->at(node));
}
void kafka_cluster::resume(int node) {
    const std::lock_guard lock(impl_->mutex);
    impl_->resume(impl_->at(node));
}
void kafka_cluster::start(int node) {
    const std::lock_guard lock(impl_->mutex);
    impl_->start(impl_->at(node));
}
void kafka_cluster::restart(int node) {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop(impl_->at(node));
    impl_->start(impl_->at(node));
}
void kafka_cluster::wait_until_ready() {
    const std::lock_guard lock(impl_->mutex);
    impl_->wait_until_ready();
}

testing::proxy& kafka_cluster::proxy(int node) const {
    auto& n = impl_->at(node);
    if (!n.proxy) throw std::logic_error("the cluster was started without proxies");
    return *n.proxy;
}

std::string kafka_cluster::logs(int node) const { return read_file(impl_->log_file(impl_->at(node).plan.id)); }

std::vector<std::string> kafka_cluster::java_command(std::string_view tool, const std::vector<std::string>& arguments) const {
    const std::lock_guard lock(impl_->mutex);
    const auto& plan = impl_->plan;
    const auto log = detail::logging(plan.version, detail::logs_of::tool);
    // The old console tools read and write in the locale's encoding.
    std::vector<std::string> all = {"-Xmx256m",
                                    "-XX:+UseSerialGC",
                                    "-XX:TieredStopAtLevel=1",
                                    "-Dfile.encoding=UTF-8",
                                    log.option + (plan.folder / log.file).string(),
                                    detail::tool_class(plan.version, tool)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return impl_->kafka.command(all, plan.folder.filename().string() + "-tool-" + std::to_string(++impl_->runs), impl_->label, plan.folder);
}

tool_result kafka_cluster::run_java_tool(std::string_view tool, const std::vector<std::string>& arguments, std::string_view input,
                                         milliseconds limit) const {
    auto r = detail::run(java_command(tool, arguments), input, limit, impl_->guard->group());
    return {r.status, r.timed_out, std::move(r.out), std::move(r.err)};
}

std::string java_tool_class(std::string_view version, std::string_view tool) { return detail::tool_class(version, tool); }
std::string java_tool_bootstrap_option(std::string_view version, std::string_view tool) { return detail::bootstrap_option(version, tool); }

}  // namespace kafkawire::testing
