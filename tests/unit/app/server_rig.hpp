// An application with consumer servers, and the embedded cluster on loopback, in one thread.
#pragma once
#include <kafkawire/app/consumer_server.hpp>
#include <kafkawire/testing.hpp>

#include "catch.hpp"

namespace server_rig {

namespace app = kw::app;

struct rig {
    asio::io_context io;
    kw::testing::brokers kafka{io, {.ignore_environment = true}};
    kw::client client{io, {.bootstrap = kafka.bootstrap()}};
    std::string topic = kafka.create_topic(2);
    std::vector<app::service_error> errors;
    bool over = false;
    std::error_code why;

    [[nodiscard]] kw::consumer_options read() const { return {.auto_offset_reset = kw::offset_reset::earliest, .group = "g", .topics = {topic}}; }
    app::consumer_server serve(app::handler what, const app::handler_options& how = {}, kw::producer_options send = {}) {
        app::consumer_server s{client, read(), std::move(what), how, send};
        s.on_error([this](const app::service_error& e) { errors.push_back(e); });
        s.async_run([this](std::error_code ec) {
            over = true;
            why = ec;
        });
        return s;
    }
    void fill(int n) {
        std::vector<kw::testing::record> rs;
        for (int i = 0; i < n; ++i) rs.push_back({.key = std::to_string(i % 3), .value = std::to_string(i), .headers = {{"own", "7"}}, .partition = i % 3 % 2});
        kafka.produce(topic, rs);
    }
    void end(app::consumer_server& s) {
        s.stop();
        REQUIRE(kafka.run_until([&] { return over; }));
    }
    // How far the group has committed, over all partitions.
    std::int64_t committed() {
        kw::consumer c{client, {.group = "g"}};
        std::int64_t sum = -1;
        c.async_committed({{topic, 0}, {topic, 1}}, [&](std::error_code ec, std::vector<kw::committed_offset> found) {
            REQUIRE_FALSE(ec);
            sum = 0;
            for (const auto& f : found) sum += std::max<std::int64_t>(0, f.offset);
        });
        REQUIRE(kafka.run_until([&] { return sum >= 0; }));
        return sum;
    }
};

}  // namespace server_rig
