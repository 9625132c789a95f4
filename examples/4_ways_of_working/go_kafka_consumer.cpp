// For those who come from go-kafka: a consumer with a stream of messages and a stream of errors, which commits each message.
//
//   example-go_kafka_consumer 192.168.0.1:9092,192.168.0.2:9092 k8s-log-test-output-stdout consumer_example [oldest]
#include <kafkawire/app/simple.hpp>
#include <kafkawire/broker.hpp>

#include <iomanip>
#include <iostream>

#include "go_kafka.hpp"

using namespace std::chrono_literals;

void consume(kw::app::simple_consumer& consumer) {
    while (!stopped) {
        if (const auto msg = consumer.message(200ms)) {
            std::cout << R"({"topic":)" << std::quoted(msg->topic) << R"(,"partition":)" << msg->partition << R"(,"offset":)" << msg->offset << R"(,"key":)"
                      << std::quoted(msg->key.value_or("")) << R"(,"value":)" << std::quoted(msg->value.value_or("")) << '}' << std::endl;
            consumer.commit(*msg);
        }
        while (const auto err = consumer.error()) std::cout << "receive error: " << err->message() << std::endl;
    }
    std::cout << "closing consume ...\n";
}

int main(int argc, char** argv) {
    if (argc < 4) return std::cerr << "usage: example-go_kafka_consumer BROKERS TOPIC GROUP [oldest]\n", 2;
    std::cout << "Consumer start ...\n";
    kw::broker::register_embedded_scheme();
    wait_for_signals();
    try {
        const auto default_offset = argc > 4 && std::string{argv[4]} == "oldest" ? kw::app::start_from::oldest : kw::app::start_from::newest;
        kw::app::simple_consumer consumer{argv[1], argv[2], argv[3], default_offset};
        consume(consumer);
        consumer.close();
        std::cout << "Consumer stop successfuly ~\n";
    } catch (const kw::system_error& e) {
        std::cerr << "simple_consumer error: " << e.what() << '\n';
        return 1;
    }
}
