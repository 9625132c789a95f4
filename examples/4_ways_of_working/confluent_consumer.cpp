// For those who come from confluent-kafka-go or librdkafka: a rebalance callback that begins at an offset of its own, and read_message().
//
//   example-confluent_consumer 127.0.0.1:9094 test [COUNT [USER PASSWORD]]     COUNT messages; 0 or none: for ever
#include <kafkawire/app/poll.hpp>
#include <kafkawire/broker.hpp>

#include <iostream>

void my_rebalance_cb(kw::app::poll_consumer& c, kw::app::rebalance_event event) {
    std::cout << (event.what == event.assigned ? "AssignedPartitions" : "RevokedPartitions") << ": " << event.partitions.size() << std::endl;
    if (event.what != event.assigned) return c.unassign();
    for (auto& tp : event.partitions) tp.from = kw::start_position::at(0);
    c.assign(event.partitions);
}

int main(int argc, char** argv) {
    if (argc < 3) return std::cerr << "usage: example-confluent_consumer BROKERS TOPIC [COUNT [USER PASSWORD]]\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        kw::app::properties config{{"bootstrap.servers", argv[1]}, {"group.id", "bob-group"}, {"auto.offset.reset", "earliest"}};
        if (argc == 6) config.insert({{"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanisms", "PLAIN"}, {"sasl.username", argv[4]}, {"sasl.password", argv[5]}});
        kw::app::poll_consumer c{config};
        c.subscribe({argv[2]}, my_rebalance_cb);

        const int count = argc > 3 ? std::stoi(argv[3]) : 0;
        for (int i = 0; count == 0 || i < count;) {
            try {
                const auto msg = c.read_message(kw::app::for_ever);
                std::cout << "Message on " << msg.topic << '[' << msg.partition << "]@" << msg.offset << ": " << msg.value.value_or("") << std::endl;
                ++i;
            } catch (const kw::system_error& e) {
                // The client will automatically try to recover from all errors.
                std::cout << "Consumer error: " << e.what() << std::endl;
            }
        }
        c.close();
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
