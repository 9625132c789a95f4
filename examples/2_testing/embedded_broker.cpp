// A test of an application, with a Kafka cluster inside the test: no Docker, no Java, no port that two tests fight for. The cluster fails when it
// is told to, and afterwards tells what it was asked.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>

#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>
#include <kafkawire/tokens.hpp>

// The application: how many partitions it may read from, -1 if the topic is not there. What may go well another time is tried again.
asio::awaitable<int> partitions_of(kw::client& client, std::string topic) {
    const std::vector<std::string> topics{topic};
    for (int attempt = 1;; ++attempt) {
        auto [ec, cluster] = co_await client.async_metadata(topics, kw::as_tuple(asio::use_awaitable));
        if (ec == kw::condition::retriable && attempt < 3) continue;
        if (ec) throw std::system_error{ec};
        co_return cluster.topics.at(0).error_code == 0 ? static_cast<int>(cluster.topics[0].partitions.size()) : -1;
    }
}

// The test: what must be so, in words, and whether it is.
int failures = 0;
void expect(bool so, const char* what) {
    std::cout << (so ? "ok      " : "FAILED  ") << what << '\n';
    failures += !so;
}

asio::awaitable<void> test(kw::client& client, kw::broker::control kafka) {
    expect(co_await partitions_of(client, "orders") == 6, "the topic has 6 partitions");
    expect(co_await partitions_of(client, "bills") == -1, "a topic that is not there is told");

    kafka.add({.name = "cut", .api = 3, .count = 1, .cut = 10});  // in the middle of the next Metadata answer
    expect(co_await partitions_of(client, "orders") == 6, "a connection that breaks is made again");
    expect(kafka.hits("cut") == 1, "... and it did break");

    kafka.node_down(1);
    expect(co_await partitions_of(client, "orders") == 6, "nor does a node that goes");
    const auto view = kafka.view();
    for (const auto& p : view.find_topic("orders")->partitions) expect(p.leader != 1, "another node leads");

    for (const auto& message : kafka.history())  // what a failing test wants to see
        if (message.api_key == 3) std::cout << message.line().substr(0, 100) << '\n';
}

int main() {
    asio::io_context io;
    kw::broker::cluster kafka{io, {.nodes = 3, .topics = {{.name = "orders", .partitions = 6}}}};
    if (auto ec = kafka.start()) return std::cerr << ec.message() << '\n', 1;
    kw::client client{io, {.bootstrap = kafka.bootstrap()}};
    asio::co_spawn(io, test(client, kafka.control()), [&](std::exception_ptr failure) {
        client.async_close(asio::detached);
        kafka.close();
        if (failure) std::rethrow_exception(failure);
    });
    io.run();
    return failures ? 1 : 0;
}
