// A test of somebody's application: an embedded cluster on the loopback, and one in the simulated world.
#include <kafkawire/simulation.hpp>
#include <kafkawire/testing.hpp>
#include <kafkawire/testing/check.hpp>

#include <cstdio>

int main() {
    asio::io_context io;
    kw::testing::brokers kafka{io, {.ignore_environment = true}};
    bool answered = false;
    kw::client client{io, {.bootstrap = kafka.bootstrap()}};
    client.async_metadata([&](std::error_code ec, const auto& cluster) { answered = !ec && cluster.brokers.size() == 1; });
    if (!kafka.run_until([&] { return answered; })) return std::puts("no answer from the embedded cluster"), 1;

    kw::sim::world world{1};
    auto& app = world.add_host("app");
    auto& node = world.add_host("node");
    kw::broker::options o;
    o.hosts = {node.address().to_string()};
    o.ports = {9092};
    kw::broker::cluster simulated{{node.environment()}, o};
    if (simulated.start()) return std::puts("the simulated cluster does not start"), 1;
    kw::client inside{app.executor(), {.bootstrap = "node:9092"}, app.environment()};
    bool told = false;
    inside.async_metadata([&](std::error_code ec, const auto&) { told = !ec; });
    world.run_for(std::chrono::hours{1});
    std::printf("simulated: %d, %s\n", told, kw::testing::check({}).text().c_str());
    return told ? 0 : 1;
}
