// For those who come from kafka-go: a Writer with Hash, batches and gzip that tries again by itself; Readers side by side over the partitions, with a
// dialer that logs in where there is a user.
//
//   example-kafka_go_tuned localhost:9092 example-topic [USER PASSWORD]     a topic with two partitions
#include <kafkawire/app/reader_writer.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc != 3 && argc != 5) return std::cerr << "usage: example-kafka_go_tuned BROKERS TOPIC [USER PASSWORD]\n", 2;
    kw::broker::register_embedded_scheme();
    kw::client_options dialer;
    if (argc == 5) {
        dialer.security_protocol = kw::security_protocol::sasl_plaintext;
        dialer.sasl_mechanism = kw::sasl_mechanism::plain;
        dialer.sasl_username = argv[3];
        dialer.sasl_password = kw::secret{argv[4]};
    }
    try {
        kw::app::writer writer{{.brokers = argv[1],
                                .topic = argv[2],
                                .balancer = "hash",  // the same key: the same partition
                                .batch_size = 100,
                                .batch_timeout = 10ms,
                                .compression = kw::protocol::compression::gzip,
                                .dialer = dialer}};
        for (bool written = false; !written;) {
            try {
                writer.write_messages({{.key = "Key-A", .value = "Hello Kafka!"}, {.key = "Key-B", .value = "Another Message"}, {.key = "Key-A", .value = "Hello again"}});
                written = true;
            } catch (const kw::system_error& e) {
                std::cout << "Error writing message: " << e.what() << '\n';
                if (e.code() != kw::condition::retriable) return 1;
                std::this_thread::sleep_for(1s);
            }
        }

        std::atomic<int> total{0};
        std::vector<std::thread> readers;
        for (int partition = 0; partition < 2; ++partition)
            readers.emplace_back([&, partition] {
                kw::app::reader reader{{.brokers = argv[1], .topic = argv[2], .partition = partition, .min_bytes = 1, .max_bytes = 10'000'000, .max_wait = 200ms, .dialer = dialer}};
                try {
                    while (total < 3) {
                        reader.read_message(500ms);
                        ++total;
                    }
                } catch (const kw::system_error& e) {
                    if (e.code() != kw::errc::request_timed_out) std::cout << e.what() << '\n';
                }
            });
        for (auto& r : readers) r.join();
        std::cout << total << " read by two\n";
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
