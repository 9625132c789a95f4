// For those who come from kafka-go: a Writer that writes two messages, a Reader in a group that fetches them and commits each when it is done.
//
//   example-kafka_go_writer_reader localhost:9092 example-topic     or "embedded:1?topics=example-topic:2" example-topic
#include <kafkawire/app/reader_writer.hpp>
#include <kafkawire/broker.hpp>

#include <chrono>
#include <iostream>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: example-kafka_go_writer_reader BROKERS TOPIC\n";
        return 2;
    }
    kw::broker::register_embedded_scheme();
    try {
        kw::app::writer writer{{.brokers = argv[1], .topic = argv[2], .balancer = "least_bytes", .batch_timeout = 10ms}};
        writer.write_messages({{.key = "Key-A", .value = "Hello Kafka!"}, {.key = "Key-B", .value = "Another Message"}});
        std::cout << writer.stats().messages << " written\n";

        kw::app::reader reader{{.brokers = argv[1], .topic = argv[2], .group_id = "example-group", .min_bytes = 1, .max_wait = 500ms}};
        for (int i = 0; i < 2; ++i) {
            const auto m = reader.fetch_message(30s);
            std::cout << "Message at offset " << m.offset << ": key = " << m.key.value_or("") << ", value = " << m.value.value_or("") << '\n';
            reader.commit_messages(m);
        }
        reader.close();
        writer.close();
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
