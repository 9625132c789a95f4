// For those who come from go-kafka: a producer that waits, and says partition and offset.
//
//   example-go_kafka_sync_producer 192.168.0.1:9092,192.168.0.2:9092 k8s-log-test-output-stdout
#include <kafkawire/app/simple.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>

#include "go_kafka.hpp"

using namespace std::chrono_literals;

void sync_produce(kw::app::simple_producer& producer, std::string_view topic) {
    while (!stopped) {
        try {
            const auto rand_key = random_letters(16), rand_value = random_letters(64);
            const auto [partition, offset] = producer.send(topic, rand_key, rand_value);
            std::cout << "producer.send success partition=" << partition << " offset=" << offset << std::endl;
        } catch (const kw::system_error& e) {
            std::cout << "producer.send error: " << e.what() << std::endl;
        }
        for (int i = 0; i < 10 && !stopped; ++i) std::this_thread::sleep_for(100ms);
    }
}

int main(int argc, char** argv) {
    if (argc != 3) return std::cerr << "usage: example-go_kafka_sync_producer BROKERS TOPIC\n", 2;
    std::cout << "Producer start ...\n";
    kw::broker::register_embedded_scheme();
    wait_for_signals();
    try {
        kw::app::simple_producer producer{argv[1]};
        sync_produce(producer, argv[2]);
        producer.close();
        std::cout << "Producer stop successfuly ~\n";
    } catch (const kw::system_error& e) {
        std::cerr << "simple_producer error: " << e.what() << '\n';
        return 1;
    }
}
