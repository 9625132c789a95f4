// A client with transactions and an embedded cluster of one of the versions, for tests.
#pragma once
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>
#include <kafkawire/testing.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <set>

#include "catch.hpp"
#include "run_to_end.hpp"

namespace transactions {

using namespace std::chrono_literals;
namespace messages = kw::protocol::messages;

struct rig {
    asio::io_context io;
    kw::testing::brokers kafka;
    kw::client client;
    kw::broker::control control;
    std::string topic;

    explicit rig(std::string as_version = "4.3", int nodes = 1, std::chrono::milliseconds request_timeout = 30s)
        : kafka{io, {.embedded = {.nodes = nodes, .as_version = std::move(as_version)}, .ignore_environment = true, .timeout = 60s}},
          client{io, {.bootstrap = kafka.bootstrap(), .request_timeout = request_timeout}},
          control{kafka.embedded()->control()},
          topic{kafka.create_topic(3)} {}

    template <class F>
    void run(F f) {
        run_to_end(io, kafka, std::move(f));
    }
    asio::awaitable<void> sleep(std::chrono::milliseconds d) {
        asio::steady_timer t{io, d};
        co_await t.async_wait(asio::use_awaitable);
    }
    /// The values at read_committed, or all.
    std::multiset<std::string> values(bool committed_only = true) {
        std::multiset<std::string> all;
        for (const auto& r : kafka.read_all(topic, committed_only)) all.insert(*r.value);
        return all;
    }
    /// What the group has committed for partition 0; -1: nothing.
    std::int64_t committed(const std::string& group) {
        std::int64_t offset = -2;
        run([&]() -> asio::awaitable<void> {
            for (const auto& node : control.view().nodes) {  // one of them coordinates the group
                messages::offset_fetch_request m;
                m.group_id = group;
                m.topics.emplace().push_back({topic, {0}, {}});
                kw::request_options o;
                o.version = 5;
                o.broker = node.id;
                const auto a = co_await client.async_request(std::move(m), o, asio::use_awaitable);
                if (a.error_code == 0) offset = a.topics.at(0).partitions.at(0).committed_offset;
            }
        });
        return offset;
    }
    /// Nothing of a transaction stands open: readers at read_committed see to the end.
    bool stable() {
        const auto view = control.view();
        for (const auto& p : view.find_topic(topic)->partitions)
            if (p.last_stable_offset != p.high_watermark) return false;
        return true;
    }
};

constexpr auto as_values = kw::as_tuple(asio::use_awaitable);
inline auto detailed = kw::detailed(kw::as_tuple(asio::use_awaitable));

inline const char* const versions[] = {"3.9", "4.3"};  // transactions of version 1, and of version 2

}  // namespace transactions
