#include "parameter_lab.hpp"

#include <kafkawire/blocking.hpp>
#include <kafkawire/config/discovery.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>

#include <unistd.h>

namespace parameters {

namespace {

std::set<std::string, std::less<>> parameters_of(std::string_view document) {
    std::ifstream in{std::filesystem::path{KAFKAWIRE_SOURCE_DIR} / "tests/data/config/parameters.txt"};
    std::set<std::string, std::less<>> all;
    for (std::string line; std::getline(in, line);) {
        const auto blank = line.find(' ');
        if (line.empty() || line[0] == '#' || line.substr(0, blank) != document) continue;
        all.insert(line.substr(blank + 1));
    }
    return all;
}

}  // namespace

void look_at_all(std::string_view document, const std::vector<effect>& all) {
    auto missing = parameters_of(document);
    REQUIRE_FALSE(missing.empty());
    std::size_t wide = 0;
    for (const auto& e : all) wide = std::max(wide, e.parameter.size());
    std::cout << document << ":\n";
    for (const auto& e : all) {
        INFO(document << ": " << e.parameter);
        const auto seen = e.look();
        CHECK_FALSE(seen.empty());
        std::cout << "  " << std::left << std::setw(static_cast<int>(wide) + 2) << e.parameter << seen << "  (" << std::filesystem::path{e.where.file_name()}.filename().string() << ")\n";
        CHECK(missing.erase(std::string{e.parameter}) == 1);
    }
    for (const auto& m : missing) FAIL_CHECK(document << ": nobody shows what " << m << " does");
}

lab::lab(kw::broker::options o) {
    began_ = app.environment()->now();
    o.hosts = {node.address().to_string()};
    o.ports = {9092};
    if (o.topics.empty()) o.topics = {{.name = "orders", .partitions = 3}};
    o.seed = 1;
    std::vector<std::shared_ptr<kw::net::environment>> environments{node.environment()};
    cluster.emplace(std::move(environments), o);
    REQUIRE_FALSE(cluster->start());
    control().keep_history(1'000'000);
}

lab::~lab() {
    while (!made.empty()) made.pop_back();
    cluster.reset();
}

std::shared_ptr<std::optional<kw::error>> lab::send(kw::producer& p, std::string topic, std::string key, std::string value, std::int32_t partition) {
    struct parcel {
        std::string topic, key, value;
    };
    auto kept = make<parcel>(parcel{std::move(topic), std::move(key), std::move(value)});
    auto told = std::make_shared<std::optional<kw::error>>();
    const kw::record r{.topic = kept->topic, .key = kept->key, .value = kept->value, .partition = partition};
    p.async_send(r, kw::detailed([told](kw::error why, const kw::delivery&) { *told = std::move(why); }));
    return told;
}

void lab::fill(const std::string& topic, int n, std::int32_t partition) {
    kw::client_options o;
    o.bootstrap = "broker:9092";
    o.client_id = "lab";
    const auto c = std::make_unique<kw::client>(app.executor(), o, app.environment());
    kw::producer p{*c, {}};
    std::vector<std::string> values;
    for (int i = 0; i < n; ++i) values.push_back(std::to_string(i));
    std::vector<kw::record> all;
    for (const auto& v : values) all.push_back({.topic = topic, .value = v, .partition = partition});
    bool done = false;
    p.async_send_batch(all, [&](std::error_code ec, kw::batch_result) {
        CHECK_FALSE(ec);
        done = true;
    });
    REQUIRE(run_until([&] { return done; }));
}

namespace {
void read_on(const std::shared_ptr<lab::reading>& to, const std::weak_ptr<kw::consumer>& from) {
    const auto c = from.lock();
    if (!c) return;
    c->async_poll(kw::detailed([to, from](kw::error why, kw::records got) {
        if (why.code == kw::errc::client_closed) return;
        if (why) to->errors.push_back(std::move(why));
        for (const auto& r : got) {
            to->offsets.emplace_back(r.partition, r.offset);
            to->values.emplace_back(r.value.text());
        }
        if (!got.empty()) to->last = std::move(got);
        read_on(to, from);
    }));
}
}  // namespace

std::shared_ptr<lab::reading> lab::read(const std::shared_ptr<kw::consumer>& c) {
    auto r = std::make_shared<reading>();
    read_on(r, c);
    return r;
}

street::street(kw::broker::options o) {
    if (o.topics.empty()) o.topics = {{.name = "orders", .partitions = 3}};
    o.seed = 1;
    cluster_.emplace(io_.get_executor(), o);
    REQUIRE_FALSE(cluster_->start());
    address_ = cluster_->bootstrap();
    cluster_->control().keep_history(1'000'000);
    thread_ = std::thread{[this] { io_.run(); }};
}

street::~street() {
    on_cluster([this](kw::broker::control&) {
        cluster_->close();
        return true;
    });
    io_.stop();
    thread_.join();
}

std::int64_t street::logged(const std::string& topic) {
    return on_cluster([&](kw::broker::control& c) {
        const auto v = c.view();
        std::int64_t n = 0;
        for (const auto& p : v.find_topic(topic)->partitions) n += p.end_offset;
        return n;
    });
}

void street::fill(const std::string& topic, int n, std::int32_t partition) {
    kw::client_options o;
    o.bootstrap = address_;
    o.client_id = "lab";
    kw::blocking::producer p{o};
    for (int i = 0; i < n; ++i) {
        const auto value = std::to_string(i);
        const kw::record r{.topic = topic, .value = value, .partition = partition};
        (void)p.send(r);
    }
}

std::vector<sent_batch> batches_in(const std::vector<timed<messages::produce_request>>& requests) {
    std::vector<sent_batch> all;
    for (const auto& p : requests)
        for (const auto& t : p.what.topic_data)
            for (const auto& part : t.partition_data) {
                kw::protocol::record_batches in{part.records->data};
                while (const auto* const b = in.next()) all.push_back({p.at, part.index, b->count, b->whole.size(), b->codec(), b->producer_id});
            }
    return all;
}

std::string wrong_with(const kw::config::settings& s) {
    std::string all;
    for (const auto& p : s.problems)
        if (!p.warning) all += p.message() + '\n';
    return all;
}

kw::config::producer_settings ekafka_producer(const std::string& lines) {
    const auto s = kw::config::read_toml("[kafka]\nbrokers = [\"broker:9092\"]\n[kafka.producers.p]\ntopic = \"orders\"\n" + lines + "\n", "test.toml");
    REQUIRE(wrong_with(s) == "");
    return s.producers.at("p");
}

kw::config::consumer_settings ekafka_consumer(const std::string& lines) {
    const auto s = kw::config::read_toml("[kafka]\nbrokers = [\"broker:9092\"]\n[kafka.consumers.c]\ntopic = \"orders\"\n" + lines + "\n", "test.toml");
    REQUIRE(wrong_with(s) == "");
    return s.consumers.at("c");
}

kw::config::settings ekafka_on(const street& s, const std::string& rest) {
    auto all = kw::config::read_toml("[kafka]\nbrokers = [\"" + s.address() + "\"]\n" + rest + "\n", "test.toml");
    REQUIRE(wrong_with(all) == "");
    return all;
}

kw::config::producer_settings trpc_producer(const std::string& parameters, const std::string& brokers) {
    const auto s = kw::config::read_producer_address("kafka://" + brokers + "?topic=orders" + parameters);
    REQUIRE(wrong_with(s) == "");
    return s.producers.at("");
}

kw::config::consumer_settings trpc_consumer(const std::string& parameters, const std::string& brokers) {
    const auto s = kw::config::read_consumer_address(brokers + "?topics=orders&group=g" + parameters);
    REQUIRE(wrong_with(s) == "");
    return s.consumers.at("");
}

bool arrives(kw::client_options o) {
    lab l;
    o.request_timeout = 2s;
    const auto c = l.client(o);
    bool well = false, over = false;
    c->async_metadata([&](std::error_code ec, auto) { over = true, well = !ec; });
    REQUIRE(l.run_until([&] { return over; }));
    return well;
}

void register_discovery() {
    kw::config::register_discovery("lab", [](const kw::config::service_name& s) { return std::string{s.name == "orders" && s.name_space == "Development" ? "broker:9092" : "app:1"}; });
}

overheard::overheard() : to_{std::tmpfile()}, before_{::dup(STDERR_FILENO)} {
    REQUIRE(to_);
    std::fflush(stderr);
    ::dup2(::fileno(to_), STDERR_FILENO);
}

overheard::~overheard() {
    std::fflush(stderr);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    std::fclose(to_);
}

int overheard::lines(const std::vector<std::string>& with) const {
    std::fflush(stderr);
    std::string text(1 << 20, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(::pread(::fileno(to_), text.data(), text.size(), 0), 0)));
    std::istringstream in{text};
    int n = 0;
    for (std::string line; std::getline(in, line);) n += std::all_of(with.begin(), with.end(), [&](const auto& w) { return line.find(w) != std::string::npos; });
    return n;
}

}  // namespace parameters
