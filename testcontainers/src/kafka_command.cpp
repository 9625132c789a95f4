// The command `kafka`: clusters that outlive the command that started them. `up` starts this program again as a holder in a session
// of its own; the holder owns a kafka_cluster as a test does, and the other commands ask it over a Unix socket.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <iostream>
#include <optional>

#include "control.hpp"
#include "distribution.hpp"
#include "process.hpp"
#include "testcontainers/kafka_cluster.hpp"
#include "testcontainers/proxy.hpp"

namespace {

namespace kt = kafkawire::testing;
namespace ktd = kafkawire::testing::detail;
using words = std::vector<std::string>;

constexpr auto usage = R"(usage: kafka COMMAND [OPTIONS]
  up                 start Apache Kafka; prints its bootstrap servers when it is ready
      --version V      4.3.0 (default), 3.9.1, 2.8.2, 0.10.2.2
      --nodes N        1 (default) to 3
      --property K=V   a broker property, for all nodes; may be repeated
      --listener N=P   one more listener for clients: its name in capitals, and its security protocol; may be repeated
      --proxies        a proxy in front of each node, for `proxy`
      --jvm-option O   an option for the brokers' JVMs; may be repeated
      --docker, --jvm  how to run; by default Docker if an engine answers
      --ttl SECONDS    down by itself after that time
  down               stop it and remove all it wrote; --all: every cluster of this user
  status             the nodes and their states; without --name, of every cluster
  bootstrap [N]      its bootstrap servers, or those of the listener that --listener has made
  kill NODE          SIGKILL            stop NODE      clean shutdown
  pause NODE         SIGSTOP            resume NODE    SIGCONT
  restart NODE       stop if it runs, start, wait until it is back
  logs NODE          what the node has logged
  data NODE          the folder of the node's data (for `tool dump-log --files FOLDER/TOPIC-0/00000000000000000000.log`)
  proxy NODE RULE    what the proxy in front of the node does, to all of its connections: delay MS, throttle BYTES-A-SECOND (0 ends these),
                     cut, black-hole, drop-answers, refuse, heal (ends all of it), or counts (prints what has passed)
  tool TOOL ARGS...  one of Kafka's own Java programs against the cluster: console-producer, console-consumer, topics,
                     get-offsets, dump-log, consumer-groups, configs, leader-election, producer-perf, consumer-perf, or a class
  classpath V        that version's classes as a Java class path, for programs of one's own; fetched first if they are not there
Every command takes --name NAME (before the arguments of `tool`); without it the cluster is called "default".
Data goes to standard output, the rest to standard error. Exit status: 0 done, 1 it failed, 2 wrong usage.
)";

struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct command_line {
    std::string command, name = "default";
    bool named = false, all = false;
    std::optional<int> ttl;
    kt::kafka_image image;
    words rest;  // what is not an option
};

int number(const std::string& text, const std::string& what) {
    int n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc{} || end != text.data() + text.size() || n <= 0)
        throw usage_error(what + " takes a positive number, not '" + text + "'");
    return n;
}

command_line parse(const words& args) {
    if (args.empty()) throw usage_error("no command");
    command_line out;
    out.command = args[0];
    for (std::size_t i = 1; i < args.size(); ++i) {
        const auto& a = args[i];
        const auto value = [&] { return ++i < args.size() ? args[i] : throw usage_error(a + " needs a value"); };
        const bool up = out.command == "up" || out.command == "hold";
        if (a == "--name") {
            out.name = value();
            out.named = true;
        } else if (a == "--all" && out.command == "down") {
            out.all = true;
        } else if (up && a == "--version") {
            out.image.version(value());
        } else if (up && a == "--nodes") {
            out.image.nodes(number(value(), a));
        } else if (up && a == "--property") {
            const auto v = value();
            const auto at = v.find('=');
            if (at == std::string::npos) throw usage_error("--property takes KEY=VALUE, not '" + v + "'");
            out.image.with_property(v.substr(0, at), v.substr(at + 1));
        } else if (up && a == "--listener") {
            const auto v = value();
            const auto at = v.find('=');
            if (at == std::string::npos) throw usage_error("--listener takes NAME=PROTOCOL, not '" + v + "'");
            out.image.with_listener(v.substr(0, at), v.substr(at + 1));
        } else if (up && a == "--jvm-option") {
            out.image.with_jvm_option(value());
        } else if (up && a == "--proxies") {
            out.image.with_proxies();
        } else if (up && a == "--docker") {
            out.image.with_runtime(kt::runtime::docker);
        } else if (up && a == "--jvm") {
            out.image.with_runtime(kt::runtime::jvm);
        } else if (up && a == "--ttl") {
            out.ttl = number(value(), a);
        } else if (a.starts_with("-") && a.size() > 1) {
            throw usage_error("'" + out.command + "' has no option " + a);
        } else {
            out.rest.push_back(a);
            // What follows a tool's name is the tool's, options and all.
            if (out.command == "tool") {
                out.rest.insert(out.rest.end(), args.begin() + static_cast<std::ptrdiff_t>(i) + 1, args.end());
                break;
            }
        }
    }
    return out;
}

// The holder.

volatile std::sig_atomic_t interrupted = 0;

std::string status_text(const std::string& name, const kt::kafka_cluster& cluster) {
    static constexpr std::array<const char*, 3> state_names = {"running", "paused", "down"};
    std::string out;
    for (int n = 1; n <= cluster.size(); ++n)
        out += name + "\t" + cluster.version() + "\tnode " + std::to_string(n) + "\t" + cluster.address(n) + "\t" +
               state_names[static_cast<std::size_t>(cluster.state(n))] + "\tpid " + std::to_string(cluster.pid(n)) + "\n";
    return out;
}

// The tool's command line, with the cluster's address where the tool wants one and the user gave none.
words tool_command(const kt::kafka_cluster& cluster, const words& w) {
    if (w.size() < 2) throw usage_error("tool needs a name");
    words arguments(w.begin() + 2, w.end());
    const auto option = kt::java_tool_bootstrap_option(cluster.version(), w[1]);
    if (!option.empty() && option != "--zookeeper" && std::ranges::find(arguments, option) == arguments.end())
        arguments.insert(arguments.end(), {option, cluster.bootstrap_servers()});
    return cluster.java_command(w[1], arguments);
}

std::string counts_text(const kt::proxy_counts& c) {
    return "accepted\t" + std::to_string(c.accepted) + "\nopen\t" + std::to_string(c.open) + "\ncut\t" + std::to_string(c.cut) +
           "\nbytes-to-server\t" + std::to_string(c.to_server.forwarded) + "\nbytes-to-client\t" + std::to_string(c.to_client.forwarded) +
           "\n";
}

// proxy NODE RULE [NUMBER]
std::string proxy_command(kt::kafka_cluster& cluster, const words& w) {
    if (w.size() < 3) throw usage_error("proxy takes the number of a node and a rule");
    auto& p = cluster.proxy(number(w[1], "proxy"));
    const auto amount = [&] { return w.size() == 4 && w[3] == "0" ? 0 : number(w.size() == 4 ? w[3] : "nothing", w[2]); };
    for (auto f : {kt::flow::to_server, kt::flow::to_client}) {
        if (w[2] == "delay") p.delay(f, std::chrono::milliseconds(amount()));
        if (w[2] == "throttle") p.throttle(f, amount());
    }
    if (w[2] == "delay" || w[2] == "throttle") return {};
    if (w[2] == "cut") return p.cut(kt::ending::reset), std::string{};
    if (w[2] == "black-hole") return p.black_hole(), std::string{};
    if (w[2] == "drop-answers") return p.drop(kt::flow::to_client), std::string{};
    if (w[2] == "refuse") return p.refuse(), std::string{};
    if (w[2] == "heal") return p.heal(), std::string{};
    if (w[2] == "counts") return counts_text(p.counts());
    throw usage_error("the proxy knows no rule '" + w[2] + "'");
}

ktd::control_answer answer(const std::string& name, kt::kafka_cluster& cluster, const words& w, bool& down) {
    try {
        if (w.empty()) return {false, "an empty request"};
        if (w[0] == "status") return {true, status_text(name, cluster)};
        if (w[0] == "bootstrap") return {true, (w.size() > 1 ? cluster.listener_servers(w[1]) : cluster.bootstrap_servers()) + "\n"};
        if (w[0] == "down") {
            down = true;
            return {true, {}};
        }
        if (w[0] == "tool") {
            std::string out;
            for (auto& a : tool_command(cluster, w)) out += a + '\n';
            return {true, out};
        }
        if (w[0] == "proxy") return {true, proxy_command(cluster, w)};
        const int node = w.size() == 2 ? number(w[1], w[0]) : throw usage_error(w[0] + " takes the number of a node");
        if (w[0] == "kill") cluster.kill(node);
        if (w[0] == "stop") cluster.stop(node);
        if (w[0] == "pause") cluster.pause(node);
        if (w[0] == "resume") cluster.resume(node);
        if (w[0] == "restart") cluster.restart(node);
        if (w[0] == "data") return {true, cluster.data_directory(node).string() + "\n"};
        return {true, w[0] == "logs" ? cluster.logs(node) : std::string{}};
    } catch (const std::exception& e) {
        return {false, e.what()};
    }
}

// Reports to descriptor 1 ("+servers" or "-why") and then lets go of it.
int hold(const command_line& c) {
    struct sigaction on_signal {};
    on_signal.sa_handler = [](int) { interrupted = 1; };
    for (int s : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(s, &on_signal, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    try {
        ktd::control_server server(c.name);
        auto cluster = c.image.start();
        std::cout << "+" << cluster.bootstrap_servers() << "\n" << std::flush;
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(null, 1);
        ::dup2(null, 2);
        bool down = false;
        std::optional<std::chrono::steady_clock::time_point> until;
        if (c.ttl) until = std::chrono::steady_clock::now() + std::chrono::seconds(*c.ttl);
        server.serve([&](const words& w) { return answer(c.name, cluster, w, down); }, [&] { return down || interrupted; }, until);
        return 0;
    } catch (const std::exception& e) {
        std::cout << "-" << e.what() << "\n" << std::flush;
        return 1;
    }
}

// The commands.

[[noreturn]] void no_such_cluster(const std::string& name) {
    throw std::runtime_error("no cluster named '" + name + "' is up; `kafka up" + (name == "default" ? "" : " --name " + name) +
                             "` starts one");
}

int up(const command_line& c, const words& args) {
    if (!c.rest.empty()) throw usage_error("up takes no '" + c.rest[0] + "'");
    if (ktd::control_ask(c.name, {"status"}))
        throw std::runtime_error("a cluster named '" + c.name + "' is up already; `kafka down` ends it, --name starts another");
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    ktd::unique_fd in{fds[0]}, out{fds[1]};
    words argv = {std::filesystem::read_symlink("/proc/self/exe").string(), "hold"};
    argv.insert(argv.end(), args.begin() + 1, args.end());
    (void)ktd::spawn({.argv = argv, .directory = "/", .out = out.get(), .err = 2, .new_session = true});
    out.reset();
    std::string text;
    std::array<char, 4096> buffer;
    for (;;) {
        const auto n = ::read(in.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    if (text.empty()) throw std::runtime_error("the process that was to hold the cluster has ended");
    if (text[0] != '+') throw std::runtime_error(text.substr(1, text.find_last_not_of('\n')));
    std::cout << text.substr(1) << std::flush;
    return 0;
}

int down(const std::string& name) {
    if (!ktd::control_ask(name, {"down"})) no_such_cluster(name);
    while (ktd::control_ask(name, {"status"})) ::usleep(20000);  // the socket goes last
    return 0;
}

int down_all() {
    for (auto& name : ktd::control_names())
        if (ktd::control_ask(name, {"status"})) down(name);
    return 0;
}

int status_all() {
    for (auto& name : ktd::control_names())
        if (auto a = ktd::control_ask(name, {"status"})) std::cout << a->text;
    return 0;
}

// The tool becomes this process, so that its input, output and exit status are the command's own.
int tool(const std::string& name, const words& request) {
    const auto a = ktd::control_ask(name, request);
    if (!a) no_such_cluster(name);
    if (!a->ok) throw usage_error(a->text);
    words argv;
    for (std::size_t at = 0; at < a->text.size();) {
        const auto end = a->text.find('\n', at);
        argv.push_back(a->text.substr(at, end - at));
        at = end + 1;
    }
    std::vector<char*> raw;
    for (auto& w : argv) raw.push_back(w.data());
    raw.push_back(nullptr);
    ::execvp(raw[0], raw.data());
    throw std::runtime_error("cannot run " + argv[0]);
}

int run(const words& args) {
    const auto c = parse(args);
    if (c.command == "help" || c.command == "--help" || c.command == "-h") {
        std::cout << usage;
        return 0;
    }
    if (c.command == "hold") return hold(c);
    if (c.command == "up") return up(c, args);
    if (c.command == "down") return c.all ? down_all() : down(c.name);
    if (c.command == "classpath") {
        if (c.rest.size() != 1) throw usage_error("classpath takes a version");
        std::cout << ktd::distribution::find(c.rest[0], ktd::distribution::kind::jvm).class_path() << "\n";
        return 0;
    }
    if (c.command == "status" && !c.named) return status_all();
    static constexpr std::array known = {"status",  "bootstrap", "kill", "stop",  "pause", "resume",
                                         "restart", "logs",      "data", "proxy", "tool"};
    if (std::ranges::find(known, c.command) == known.end()) throw usage_error("there is no command '" + c.command + "'");
    words request = {c.command};
    request.insert(request.end(), c.rest.begin(), c.rest.end());
    if (c.command == "tool") return tool(c.name, request);
    const auto a = ktd::control_ask(c.name, request);
    if (!a) no_such_cluster(c.name);
    if (!a->ok) throw std::runtime_error(a->text);
    std::cout << a->text << std::flush;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(words(argv + 1, argv + argc));
    } catch (const usage_error& e) {
        std::cerr << "kafka: " << e.what() << "\n\n" << usage;
        return 2;
    } catch (const std::exception& e) {
        std::cerr << "kafka: " << e.what() << "\n";
        return 1;
    }
}
