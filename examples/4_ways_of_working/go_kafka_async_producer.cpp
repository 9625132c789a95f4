// For those who come from go-kafka: a producer whose send returns at once. What becomes of each message is told to one of two functions.
//
//   example-go_kafka_async_producer 192.168.0.1:9092,192.168.0.2:9092 k8s-log-test-output-stdout
#include <kafkawire/app/simple.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>

#include "go_kafka.hpp"

using namespace std::chrono_literals;

void async_produce(kw::app::simple_async_producer& producer, const std::string& topic) {
    while (!stopped) {
        if (!producer.send({.topic = topic, .key = random_letters(16), .value = random_letters(64)})) std::cout << "too many are under way" << std::endl;
        for (int i = 0; i < 10 && !stopped; ++i) std::this_thread::sleep_for(100ms);
    }
}

int main(int argc, char** argv) {
    if (argc != 3) return std::cerr << "usage: example-go_kafka_async_producer BROKERS TOPIC\n", 2;
    std::cout << "Producer start ...\n";
    kw::broker::register_embedded_scheme();
    wait_for_signals();
    try {
        kw::app::simple_async_producer producer{argv[1]};
        producer.on_success([](const kw::app::message& m, kw::app::position at) { std::cout << "sent " << m.key.value_or("") << " partition=" << at.partition << " offset=" << at.offset << std::endl; });
        producer.on_error([](const kw::app::message& m, const kw::error& e) { std::cout << "not sent " << m.key.value_or("") << ": " << e.message() << std::endl; });
        async_produce(producer, argv[2]);
        std::cout << producer.close() << " left\nProducer stop successfuly ~\n";
    } catch (const kw::system_error& e) {
        std::cerr << "simple_async_producer error: " << e.what() << '\n';
        return 1;
    }
}
