// For those who come from ekafka: producers and consumers by their names in a TOML section, one with a balancer of the program's own.
//
//   example-ekafka_producer_consumer ekafka_producer_consumer.toml [BROKERS]     the file's brokers, or these instead
#include <kafkawire/app/component.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>

using namespace std::chrono_literals;

void produce(kw::app::writer& w) {
    w.write_messages({{.key = "Key-A", .value = "Hello World!"}, {.key = "Key-B", .value = "One!"}, {.key = "Key-C", .value = "Two!"}});
    std::cout << "produce message succ--------------->\n";
}

void consume(kw::app::reader& r, int count) {
    for (int i = 0; i < count; ++i) {
        const auto msg = r.read_message(30s);
        std::cout << "received: " << msg.value.value_or("") << '\n';
        r.commit_messages(msg);
    }
}

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) return std::cerr << "usage: example-ekafka_producer_consumer FILE [BROKERS]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        auto conf = kw::config::read_file(argv[1]);
        if (argc == 3) kw::config::apply_properties(conf, std::array{kw::config::property{"bootstrap.servers", argv[2]}});

        kw::app::component cmp{conf, {{"my-balancer", [](const kw::partitioner_settings& s) { return kw::make_partitioner("fnv1a", s); }}}};
        produce(cmp.producer("p1"));
        consume(cmp.consumer("c1"), 3);
        cmp.close();
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
