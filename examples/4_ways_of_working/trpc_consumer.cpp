// For those who come from tRPC-Go's kafka plugin: two services, each with its handler, one of them with a configuration that the program registers under a
// made-up address; the caller's metadata; a look at session and claim.
//
//   example-trpc_consumer trpc_consumer.yaml [BROKERS]     until SIGINT or SIGTERM
#include <kafkawire/app/component.hpp>
#include <kafkawire/broker.hpp>

#include <csignal>
#include <iostream>
#include <mutex>

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) return std::cerr << "usage: example-trpc_consumer FILE [BROKERS]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        // Before the file is read: its own address for the second service.
        auto cfg = kw::config::read_consumer_address("127.0.0.1:9092?topics=test_topic&group=uzuki_consumer2").consumers.at("");
        cfg.options.auto_offset_reset = kw::offset_reset::earliest;
        cfg.handling.max_retry = 2;
        kw::config::register_address("fake_address", cfg);

        auto conf = kw::config::read_file(argv[1]);
        if (argc == 3) kw::config::apply_properties(conf, std::array{kw::config::property{"bootstrap.servers", argv[2]}});
        kw::app::component s{conf};
        std::mutex printing;
        // Only a handler that returns confirms; what it throws has the message come again after retryInterval: it must be idempotent.
        s.serve("trpc.databaseDemo.kafka.consumer1", kw::app::on_message([&](const kw::record_view& msg) {
                    const auto& meta = kw::app::current_metadata();
                    const auto trace = meta.find("trace");
                    const auto raw = s.session_of("trpc.databaseDemo.kafka.consumer1");
                    const auto* claim = raw->find(msg.topic, msg.partition);  // null: the partition has gone to another member meanwhile
                    const std::lock_guard hold{printing};
                    std::cout << "consumer1: " << msg.value.text() << ", trace " << (trace == meta.end() ? "none" : trace->second) << ", generation " << raw->generation << ", InitialOffset "
                              << (claim ? claim->initial_offset : -1) << std::endl;
                }));
        s.serve("trpc.databaseDemo.kafka.consumer2", kw::app::on_message([&](const kw::record_view& msg) {
                    const std::lock_guard hold{printing};
                    std::cout << "consumer2: " << msg.value.text() << std::endl;
                }));
        s.on_error([](const kw::app::service_error& e) { std::cerr << e.service << ": " << e.why.message() << '\n'; });
        s.stop_on_signals({SIGINT, SIGTERM});
        s.run();
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
