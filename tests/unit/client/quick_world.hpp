// One broker and one consumer in virtual time.
#pragma once
#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/simulation.hpp>

#include "catch.hpp"

using namespace std::chrono_literals;

struct quick_world {
    kw::sim::world world{1};
    kw::sim::host& node = world.add_host("broker");
    kw::sim::host& app = world.add_host("app");
    std::optional<kw::broker::cluster> cluster;
    std::optional<kw::client> client;
    std::optional<kw::consumer> consumer;
    std::vector<std::pair<kw::net::time_point, kw::error>> told;

    explicit quick_world(std::vector<std::string> topics, std::string as_version = "4.3") {
        kw::broker::options o;
        o.nodes = 1;
        o.as_version = std::move(as_version);
        o.hosts = {node.address().to_string()};
        o.ports = {9092};
        for (auto& t : topics) o.topics.push_back({.name = t, .partitions = 1});
        std::vector<std::shared_ptr<kw::net::environment>> environments{node.environment()};
        cluster.emplace(std::move(environments), o);
        REQUIRE_FALSE(cluster->start());
        client.emplace(app.executor(), kw::client_options{.bootstrap = "broker:9092", .metadata_max_age = 1s}, app.environment());
    }
    ~quick_world() {
        consumer.reset();
        client.reset();
        cluster.reset();
    }
    void poll() {
        consumer->async_poll(kw::detailed([this](kw::error why, kw::records) {
            if (why.code == kw::errc::client_closed) return;
            if (why) told.emplace_back(app.environment()->now(), std::move(why));
            poll();
        }));
    }
};
