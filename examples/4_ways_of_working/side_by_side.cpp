// Write and read in the words of each of the five clients that people come from: the README's table "Coming from ..." has its lines from here.
//
//   example-side_by_side side_by_side.toml     brokers, and for ekafka a producer and a consumer; all use the topic side-by-side
#include <kafkawire/app/component.hpp>
#include <kafkawire/app/poll.hpp>
#include <kafkawire/broker.hpp>

#include <atomic>
#include <iostream>

using namespace std::chrono_literals;

namespace {

const std::string topic = "side-by-side", key = "42", value = "paid";
const kw::record a{.key = "Key-A", .value = "Hello"}, b{.key = "Key-B", .value = "World"};

void ekafka(const std::string& file) {
    kw::app::component cmp{kw::config::read_file(file)};
    cmp.producer("p1").write_messages({a, b});
    auto m = cmp.consumer("c1").read_message();
    std::cout << "ekafka: " << m.value.value_or("") << std::endl;
    cmp.close();
}

void go_kafka(const std::string& brokers) {
    kw::app::simple_producer p{brokers};
    auto [partition, offset] = p.send(topic, key, value);
    std::cout << "go-kafka: sent to " << partition << " at " << offset << std::endl;
    kw::app::simple_consumer consumer{brokers, topic, "go-kafka", kw::app::start_from::oldest};
    for (bool read = false; !read;) {
        auto msg = consumer.message(1s);
        if (!msg) continue;
        consumer.commit(*msg);
        read = true;
        std::cout << "go-kafka: " << msg->value.value_or("") << std::endl;
    }
    consumer.close();
}

void rebalance_cb(kw::app::poll_consumer& c, kw::app::rebalance_event e) {
    if (e.what == e.assigned) c.assign(e.partitions);
    else c.unassign();
}

void confluent(const std::string& brokers) {
    kw::app::poll_producer p{{"bootstrap.servers", brokers}};
    if (auto ec = p.produce({.topic = topic, .value = value})) throw std::system_error{ec};
    p.flush(15s);
    kw::app::poll_consumer c{{"bootstrap.servers", brokers}, {"group.id", "confluent"}, {"auto.offset.reset", "earliest"}};
    c.subscribe({topic}, rebalance_cb);
    auto msg = c.read_message(kw::app::for_ever);
    std::cout << "confluent: " << msg.value.value_or("") << std::endl;
    c.close();
}

void trpc(const std::string& brokers) {
    const std::string name = "trpc.app.server.producer";
    const auto services = "- name: " + name + "\n  target: kafka://" + brokers + "?topic=" + topic + "\n- name: reader\n  address: " + brokers + "?topics=" + topic + "&group=trpc&initial=oldest\n";
    kw::app::component component{kw::config::read_addresses(services, "trpc_go.yaml")};
    auto& proxy = component.producer(name);
    proxy.write_messages({{.key = key, .value = value}});
    std::atomic<int> handled{0};
    const auto handle = [&](const kw::record_view& m) {
        if (handled++ == 0) std::cout << "tRPC-Go: " << m.value.text() << std::endl;
        component.stop();
    };
    component.serve_all(kw::app::on_message(handle));
    component.run();
}

void kafka_go(const std::string& brokers) {
    kw::app::writer w{{.brokers = brokers, .topic = topic}};
    w.write_messages({a, b});
    kw::app::reader r{{.brokers = brokers, .topic = topic, .group_id = "kafka-go", .min_bytes = 1}};
    auto m = r.fetch_message();
    r.commit_messages(m);
    std::cout << "kafka-go: " << m.value.value_or("") << std::endl;
    r.close();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: example-side_by_side FILE\n", 2;
    kw::broker::register_embedded_scheme();
    try {
        const auto brokers = kw::config::read_file(argv[1]).client.bootstrap;
        ekafka(argv[1]);
        go_kafka(brokers);
        confluent(brokers);
        trpc(brokers);
        kafka_go(brokers);
    } catch (const std::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
