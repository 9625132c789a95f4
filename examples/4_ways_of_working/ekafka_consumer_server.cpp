// For those who come from ekafka: a consumer server, which calls a function for each message of a consumer that the configuration names, and sends the
// errors of both to one place. SIGINT or SIGTERM stops it with the work in hand finished and committed.
//
//   example-ekafka_consumer_server ekafka_consumer_server.toml [BROKERS]
#include <kafkawire/app/component.hpp>
#include <kafkawire/broker.hpp>

#include <csignal>
#include <iostream>

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) return std::cerr << "usage: example-ekafka_consumer_server FILE [BROKERS]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        auto conf = kw::config::read_file(argv[1]);
        if (argc == 3) kw::config::apply_properties(conf, std::array{kw::config::property{"bootstrap.servers", argv[2]}});

        kw::app::component ec{conf};
        // What this throws goes to on_error(), too.
        ec.serve("s1", kw::app::on_message([](const kw::record_view& message) { std::cout << "got a message: " << message.value.text() << std::endl; }));
        // There may be more servers.
        ec.on_error([](const kw::app::service_error& e) { std::cerr << e.service << ": " << e.why.message() << '\n'; });
        ec.stop_on_signals({SIGINT, SIGTERM});
        ec.run();
        std::cout << "stopped, " << ec.statistics("s1")->handled << " handled\n";
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
