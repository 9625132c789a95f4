// For those who come from kafka-go: a Reader in a group that commits each message by itself, and asks brokers for 10 KB to 10 MB at a time.
//
//   example-kafka_go_reader localhost:9092 example-topic [COUNT]     COUNT messages; 0 or none: for ever
#include <kafkawire/app/reader_writer.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>

int main(int argc, char** argv) {
    if (argc < 3 || argc > 4) return std::cerr << "usage: example-kafka_go_reader BROKERS TOPIC [COUNT]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        kw::app::reader reader{{.brokers = argv[1], .topic = argv[2], .group_id = "example-group", .min_bytes = 10'000, .max_bytes = 10'000'000}};
        const int count = argc > 3 ? std::stoi(argv[3]) : 0;
        for (int i = 0; count == 0 || i < count; ++i) {
            const auto msg = reader.read_message();
            std::cout << "Message at offset " << msg.offset << ": key = " << msg.key.value_or("") << ", value = " << msg.value.value_or("") << '\n';
        }
        reader.close();
    } catch (const kw::system_error& e) {
        std::cerr << "Failed to read message: " << e.what() << '\n';
        return 1;
    }
}
