#include "cluster_world.hpp"

#include "broker/broken_rules.hpp"

namespace schedules {

kw::client_options cluster_world::options_of(const char* id) {
    kw::client_options o;
    o.bootstrap = "broker-1:9092,broker-2:9092,broker-3:9092";
    o.client_id = id;
    o.connect_timeout = 2s;
    o.request_timeout = 5s;
    return o;
}

cluster_world::cluster_world(settings& s, const world_shape& of) : world{s.seed}, app{world.add_host("app")}, auditor{world.add_host("auditor")} {
    kw::broker::broken = {};
    if (s.mutant == "forget")
        kw::broker::broken.forget_acknowledged = true;
    else if (s.mutant == "duplicate")
        kw::broker::broken.keep_duplicates = true;
    else if (s.mutant == "aborted")
        kw::broker::broken.show_aborted = true;
    else if (!s.mutant.empty())
        throw std::invalid_argument{"no mutant " + s.mutant};
    if (s.trace) world.observe(kw::sim::trace_lines([&s](std::string_view line) { s.trace(line); }));
    // In every fourth world a write soon waits for its reader, so that requests lie half written while their records expire.
    if (s.seed % 4 == 1) usual.window = 200 + s.seed * 2'654'435'761 % 3'000;
    world.set_link(usual);
    kw::broker::options o;
    std::vector<std::shared_ptr<kw::net::environment>> environments;
    for (int i = 1; i <= 3; ++i) {
        auto& h = world.add_host("broker-" + std::to_string(i));
        nodes.push_back(&h);
        environments.push_back(h.environment());
        o.hosts.push_back(h.address().to_string());
        o.ports.push_back(9092);
    }
    o.nodes = 3;
    o.as_version = of.as_version;
    o.configs = of.configs;
    o.seed = s.seed + 1;
    o.topics = {{.name = topic, .partitions = of.count}};
    if (of.shipped) o.topics.push_back({.name = shipped, .partitions = partitions});
    cluster.emplace(std::move(environments), o);
    if (auto ec = cluster->start()) throw std::system_error{ec, "the cluster does not start"};
    for (int i = 0; i < 3; ++i) (void)cluster->control().move_transaction_coordinator("tx-" + std::to_string(50 + i), 1 + i);
    client.emplace(app.executor(), options_of("app"), app.environment());
    audit_client.emplace(auditor.executor(), options_of("auditor"), auditor.environment());
}

void cluster_world::trust(const std::string& host) {
    auto o = options_of("app");
    o.bootstrap += "," + host + ":9092";
    client.reset();
    client.emplace(app.executor(), o, app.environment());
}

cluster_world::~cluster_world() {
    client.reset();
    audit_client.reset();
    cluster.reset();
    kw::broker::broken = {};
}

}  // namespace schedules
