// For those who come from confluent-kafka-go or librdkafka: produce, the stream of delivery reports, flush.
//
//   example-confluent_producer 127.0.0.1:9093,127.0.0.1:9094 test [USER PASSWORD]
#include <kafkawire/app/poll.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc != 3 && argc != 5) return std::cerr << "usage: example-confluent_producer BROKERS TOPIC [USER PASSWORD]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        kw::app::properties config{{"bootstrap.servers", argv[1]}, {"message.send.max.retries", "2"}};
        if (argc == 5) config.insert({{"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanisms", "PLAIN"}, {"sasl.username", argv[3]}, {"sasl.password", argv[4]}});
        kw::app::poll_producer p{config};

        // Delivery report handler for produced messages.
        std::thread reports{[&] {
            for (int i = 0; i < 7;) {
                const auto ev = p.poll(kw::app::for_ever);
                if (ev->message.topic.empty()) {  // of the producer as a whole: a wrong password
                    std::cout << ev->why.message() << std::endl;
                    continue;
                }
                ++i;
                if (ev->why) std::cout << "Delivery failed: " << ev->why.message() << '\n';
                else std::cout << "Delivered message to " << ev->message.topic << '[' << ev->partition << "]@" << ev->offset << '\n';
            }
        }};
        // Produce messages to topic (asynchronously). The same key: the same partition, in this order.
        for (const auto* word : {"Welcome", "to", "the", "Confluent", "Kafka", "Golang", "client"})
            if (const auto ec = p.produce({.topic = argv[2], .key = "asd", .value = word})) std::cerr << ec.message() << '\n';

        // One whose report goes to its own receiver.
        const auto mine = std::make_shared<kw::app::report_queue>();
        if (const auto ec = p.produce({.topic = argv[2], .value = "for me alone"}, mine)) std::cerr << ec.message() << '\n';

        // Wait for message deliveries before shutting down.
        const auto left = p.flush(15s);
        reports.join();
        std::cout << left << " left, " << mine->size() << " report for me alone\n";
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
