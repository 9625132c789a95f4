// A consumer server: a function for each message, tried three times, then a dead letter; SIGINT and SIGTERM end it with what is in hand finished and
// committed. Here it writes its own messages first, and stops when they are done.
//
//   example-handlers localhost:9092 orders orders-dead     or "embedded:1?topics=orders:2,orders-dead" orders orders-dead
#include <kafkawire/app/consumer_server.hpp>
#include <kafkawire/broker.hpp>
#include <kafkawire/producer.hpp>

#include <asio/io_context.hpp>
#include <csignal>
#include <iostream>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: example-handlers BROKERS TOPIC DEAD_LETTER_TOPIC\n";
        return 2;
    }
    kw::broker::register_embedded_scheme();
    asio::io_context io;
    try {
        kw::client client{io, {.bootstrap = argv[1]}};
        kw::producer producer{client};
        for (const auto* value : {"paid", "broken", "shipped"}) producer.async_send({.topic = argv[2], .key = "42", .value = value}, [](std::error_code, kw::delivery) {});

        kw::app::services services{io.get_executor()};
        int done = 0;
        const auto what = kw::app::on_message([&](const kw::record_view& r) {
            if (r.value.text() == "broken") throw std::runtime_error{"cannot be billed"};
            std::cout << "billed: " << r.value.text() << '\n';
            if (++done == 2) services.stop();
        });
        kw::consumer_options read;
        read.auto_offset_reset = kw::offset_reset::earliest;
        read.group = "billing";
        read.topics = {argv[2]};
        services.add("billing", {client, read, what, {.retry_interval = 10ms, .max_retry = 2, .after_last_try = kw::app::last_resort::dead_letter, .dead_letter_topic = argv[3]}});
        services.on_error([](const kw::app::service_error& e) { std::cout << e.service << ": " << e.why.message() << ", try " << e.attempt << '\n'; });
        services.stop_on_signals({SIGINT, SIGTERM});
        services.async_run([&](std::error_code ec) {
            std::cout << (ec ? ec.message() : "stopped") << ", " << services.find("billing")->statistics().to_dead_letters << " dead letter\n";
            io.stop();
        });
        io.run();
    } catch (const kw::system_error& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
