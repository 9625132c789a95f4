// A cluster on loopback, and members of its groups.
#pragma once
#include <kafkawire/consumer.hpp>
#include <kafkawire/testing.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <map>
#include <string>

#include "catch.hpp"
#include "run_to_end.hpp"

using namespace std::chrono_literals;

struct group_rig {
    asio::io_context io;
    kw::testing::brokers kafka;
    kw::client client;

    // Members under KIP-848 hear of the others with their next heartbeat.
    static std::map<std::string, std::string> quick() {
        return {{"group.consumer.min.heartbeat.interval.ms", "50"}, {"group.consumer.heartbeat.interval.ms", "50"}};
    }
    explicit group_rig(int nodes = 1) : kafka{io, {.embedded = {.nodes = nodes, .configs = quick()}, .ignore_environment = true}}, client{io, {.bootstrap = kafka.bootstrap()}} {}
    template <class F>
    void run(F f) {
        run_to_end(io, kafka, std::move(f));
    }
    asio::awaitable<void> sleep(std::chrono::milliseconds d) {
        asio::steady_timer t{io, d};
        co_await t.async_wait(asio::use_awaitable);
    }
    template <class F>
    asio::awaitable<bool> until(F f, std::chrono::milliseconds within = 20s) {
        const auto end = std::chrono::steady_clock::now() + within;
        while (!f() && std::chrono::steady_clock::now() < end) co_await sleep(5ms);
        co_return f();
    }
    void fill(const std::string& topic, std::int32_t partition, int from, int to) {
        std::vector<kw::testing::record> rs;
        for (int i = from; i < to; ++i) rs.push_back({.value = std::to_string(i), .partition = partition});
        kafka.produce(topic, std::move(rs));
    }
};

inline kw::consumer_options member_of(std::string group, std::vector<std::string> topics, kw::group_protocol protocol) {
    kw::consumer_options o;
    o.group = std::move(group);
    o.topics = std::move(topics);
    o.group_protocol = protocol;
    o.auto_offset_reset = kw::offset_reset::earliest;
    o.heartbeat_interval = 50ms;
    return o;
}

inline constexpr auto both_protocols = {kw::group_protocol::classic, kw::group_protocol::consumer};
