// For those who come from tRPC-Go's kafka plugin: one handler for all services of the file, which says by its code whether it has taken a message.
//
//   example-trpc_handler trpc_handler.yaml [BROKERS]     until SIGINT or SIGTERM
#include <kafkawire/app/component.hpp>
#include <kafkawire/broker.hpp>

#include <csignal>
#include <iostream>

// Only no error confirms. After any other the message comes again when retryInterval (3 s) has passed: what is done here must be idempotent.
std::error_code handle(const kw::record_view& msg) {
    std::cout << "got " << msg.value.text() << " from " << msg.topic << '-' << msg.partition << " @ " << msg.offset << std::endl;
    return {};
}

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) return std::cerr << "usage: example-trpc_handler FILE [BROKERS]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        auto conf = kw::config::read_file(argv[1]);
        if (argc == 3) kw::config::apply_properties(conf, std::array{kw::config::property{"bootstrap.servers", argv[2]}});
        kw::app::component s{conf};
        s.serve_all(kw::app::on_message(handle));
        s.on_error([](const kw::app::service_error& e) { std::cerr << e.service << ": " << e.why.message() << '\n'; });
        s.stop_on_signals({SIGINT, SIGTERM});
        s.run();
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
