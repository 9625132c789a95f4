// A world in virtual time for the effects of parameters: an embedded cluster "broker", whose history shows what was sent to it and when, and an
// application "app" that is made of a configuration. And the table of effects.
#pragma once
#include <kafkawire/broker.hpp>
#include <kafkawire/config.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <kafkawire/simulation.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <cstdio>
#include <future>
#include <iostream>
#include <set>
#include <source_location>
#include <thread>

#include "catch.hpp"

namespace parameters {

using namespace std::chrono_literals;
namespace messages = kw::protocol::messages;

/// A parameter and what it does: a function that checks it and says what was seen.
struct effect {
    std::string_view parameter;
    std::string (*look)();
    std::source_location where;
    effect(std::string_view p, std::string (*f)(), std::source_location at = std::source_location::current()) : parameter{p}, look{f}, where{at} {}
};

/// Looks at all of them, prints the table, and demands that there is one for each parameter of the document, and for nothing else: the list is
/// tests/data/config/parameters.txt.
void look_at_all(std::string_view document, const std::vector<effect>& all);

template <class Message>
struct timed {
    std::chrono::milliseconds at;      ///< since the world began
    std::int16_t version;
    std::string client_id;
    kw::broker::connection_id connection;
    Message what;
    std::shared_ptr<const kw::broker::passed> keep;
};

struct sent_batch {
    std::chrono::milliseconds at;
    std::int32_t partition, records;
    std::size_t bytes;
    kw::protocol::compression codec;
    std::int64_t producer_id;
};

/// Requests of that kind in a cluster's history, but those of "lab", which is us.
template <class Request>
std::vector<timed<Request>> requests_in(const kw::broker::control& control, kw::net::time_point began) {
    std::vector<timed<Request>> all;
    for (auto& p : control.history()) {
        if (p.way != kw::broker::passing::direction::request || p.api_key != Request::key || p.client_id == "lab") continue;
        auto keep = std::make_shared<const kw::broker::passed>(std::move(p));
        auto m = keep->as<Request>();
        if (m) all.push_back({std::chrono::duration_cast<std::chrono::milliseconds>(keep->at.steady - began), keep->version, keep->client_id, keep->connection, std::move(*m), keep});
    }
    return all;
}
std::vector<sent_batch> batches_in(const std::vector<timed<messages::produce_request>>& all);

/// A cluster on the loopback interface, in a thread of its own, for what owns a thread itself.
class street {
public:
    explicit street(kw::broker::options o = {});
    ~street();
    [[nodiscard]] const std::string& address() const { return address_; }
    /// On the cluster's thread.
    template <class F>
    auto on_cluster(F f) {
        std::packaged_task<decltype(f(std::declval<kw::broker::control&>()))()> task{[&] {
            auto c = cluster_->control();
            return f(c);
        }};
        auto got = task.get_future();
        asio::post(io_, [&] { task(); });
        return got.get();
    }
    template <class Request>
    std::vector<timed<Request>> asked() {
        return on_cluster([this](kw::broker::control& c) { return requests_in<Request>(c, began_); });
    }
    std::vector<sent_batch> batches() { return batches_in(asked<messages::produce_request>()); }
    /// How many messages the topic has.
    std::int64_t logged(const std::string& topic);
    /// Messages "0", "1", ... in partition 0.
    void fill(const std::string& topic, int n, std::int32_t partition = 0);

private:
    asio::io_context io_;
    std::optional<kw::broker::cluster> cluster_;
    std::string address_;
    kw::net::time_point began_ = std::chrono::steady_clock::now();
    std::thread thread_;
};

class lab {
public:
    explicit lab(kw::broker::options o = {});
    ~lab();

    kw::sim::world world{1};
    kw::sim::host& node = world.add_host("broker");
    kw::sim::host& app = world.add_host("app");
    std::optional<kw::broker::cluster> cluster;
    std::vector<std::shared_ptr<void>> made;     // clients, producers, consumers: gone before the cluster, the last one first

    kw::broker::control control() { return cluster->control(); }
    [[nodiscard]] std::chrono::milliseconds now() const { return std::chrono::duration_cast<std::chrono::milliseconds>(world.elapsed()); }
    void run_for(std::chrono::milliseconds t) { world.run_for(t); }
    template <class F>
    [[nodiscard]] bool run_until(F done, std::chrono::milliseconds most = 5min) {
        return world.run_until([done] { return static_cast<bool>(done()); }, most);
    }

    template <class T, class... A>
    std::shared_ptr<T> make(A&&... a) {
        auto one = std::make_shared<T>(std::forward<A>(a)...);
        made.push_back(one);
        return one;
    }
    std::shared_ptr<kw::client> client(const kw::client_options& o) { return make<kw::client>(app.executor(), o, app.environment()); }
    /// Of a client of its own.
    std::shared_ptr<kw::producer> producer(const kw::config::producer_settings& s) { return make<kw::producer>(*client(s.client), s.options); }
    std::shared_ptr<kw::consumer> consumer(const kw::config::consumer_settings& s) { return make<kw::consumer>(*client(s.client), s.options); }
    /// Sends it; its outcome comes later.
    std::shared_ptr<std::optional<kw::error>> send(kw::producer& p, std::string topic, std::string key, std::string value, std::int32_t partition = -1);
    /// Sends that many to the topic, not using our own producers' settings, and waits.
    void fill(const std::string& topic, int n, std::int32_t partition = 0);
    /// Reads on and on. What was read, and the errors.
    struct reading {
        std::vector<std::pair<std::int32_t, std::int64_t>> offsets;
        std::vector<std::string> values;
        std::vector<kw::error> errors;
        kw::records last;
    };
    std::shared_ptr<reading> read(const std::shared_ptr<kw::consumer>& c);

    /// All requests of that kind so far.
    template <class Request>
    std::vector<timed<Request>> asked() {
        return requests_in<Request>(control(), began_);
    }
    std::vector<sent_batch> batches() { return batches_in(asked<messages::produce_request>()); }
    /// Between one and the next.
    template <class Request>
    std::vector<std::chrono::milliseconds> gaps() {
        std::vector<std::chrono::milliseconds> all;
        const auto them = asked<Request>();
        for (std::size_t i = 1; i < them.size(); ++i) all.push_back(them[i].at - them[i - 1].at);
        return all;
    }

private:
    kw::net::time_point began_{};
};

/// What is wrong with a configuration, all in one; empty: nothing.
std::string wrong_with(const kw::config::settings& s);
/// Of [kafka.producers.p], [kafka.consumers.c]: these lines in the section.
kw::config::producer_settings ekafka_producer(const std::string& lines);
kw::config::consumer_settings ekafka_consumer(const std::string& lines);
/// [kafka] with the brokers of a street, and what stands behind them.
kw::config::settings ekafka_on(const street& s, const std::string& rest);
/// Of a tRPC address, with these parameters.
kw::config::producer_settings trpc_producer(const std::string& parameters, const std::string& brokers = "broker:9092");
kw::config::consumer_settings trpc_consumer(const std::string& parameters, const std::string& brokers = "broker:9092");

/// Whether a client finds its cluster within two seconds.
bool arrives(kw::client_options o);
/// From now on discover=lab finds the service "orders" of the namespace Development at broker:9092, and of any other where nobody is.
void register_discovery();

/// What is written to standard error as long as it lives, by the whole process.
class overheard {
public:
    overheard();
    ~overheard();
    overheard(const overheard&) = delete;
    /// The lines with all of these in them.
    [[nodiscard]] int lines(const std::vector<std::string>& with) const;

private:
    std::FILE* to_;
    int before_;
};

inline std::string ms(std::chrono::milliseconds t) { return std::to_string(t.count()) + " ms"; }
inline bool about(std::chrono::milliseconds t, std::chrono::milliseconds wanted, double by = 0.25) {
    return std::abs(static_cast<double>((t - wanted).count())) <= std::max(5.0, by * static_cast<double>(wanted.count()));
}

}  // namespace parameters
