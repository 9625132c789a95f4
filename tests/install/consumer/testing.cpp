// A program that uses what tests are written with: a cluster inside, records in and out.
#include <cstdio>

#include <kafkawire/simulation.hpp>
#include <kafkawire/testing.hpp>

int main() {
    asio::io_context io;
    kw::testing::brokers kafka{io, {.embedded = {.nodes = 2}, .ignore_environment = true}};
    const auto topic = kafka.create_topic(2);
    kafka.produce(topic, {{.key = "42", .value = "paid"}, {.key = "43", .value = "sent"}});
    const auto wrong = kafka.expect_records(topic, {{.key = "42", .value = "paid"}, {.key = "43", .value = "sent"}});
    std::printf("%s%s\n", topic.c_str(), wrong.c_str());
    kw::sim::world world{42};
    auto& app = world.add_host("app");
    bool rang = false;
    world.after(std::chrono::hours{1}, [&] { rang = true; });
    const auto before = app.environment()->now();
    world.run_for(std::chrono::hours{2});
    return wrong.empty() && rang && app.environment()->now() - before == std::chrono::hours{2} ? 0 : 1;
}
