// For those who come from tRPC-Go's kafka plugin: producers from their addresses: by key and value, a whole message that says where it is, one that does
// not wait and tells two callbacks; the caller's metadata goes along.
//
//   example-trpc_producer trpc_producer.yaml [BROKERS]     the file's brokers, or these instead
#include <kafkawire/app/component.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) return std::cerr << "usage: example-trpc_producer FILE [BROKERS]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        auto conf = kw::config::read_file(argv[1]);
        if (argc == 3) kw::config::apply_properties(conf, std::array{kw::config::property{"bootstrap.servers", argv[2]}});
        kw::app::component server{conf};
        auto& proxy = server.producer("trpc.app.server.producer");

        // What came with the call that is being served.
        const kw::app::metadata_scope call{{{"trace", "7f"}}};
        proxy.write_messages({{.key = "key", .value = "value"}});
        const auto [partition, offset] = proxy.send({.value = "a message of its own"});
        std::cout << "sent, partition=" << partition << " offset=" << offset << '\n';

        auto& later = server.producer("trpc.app.server.producer1");
        later.on_error([](const kw::app::message& m, const kw::error& err) { std::cout << "error: " << m.topic << ' ' << m.key.value_or("") << ": " << err.message() << '\n'; });
        later.on_success([](const kw::app::message& m, kw::app::position) { std::cout << "succ: " << m.topic << ' ' << m.key.value_or("") << '\n'; });
        later.write_messages({{.key = "async", .value = "value"}});
        std::cout << server.close() << " left\n";
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
