// At least once: first the work, then the commit. What is done and not yet committed when the process dies is done again by its successor.
// `at_least_once BROKERS TOPIC`.
#include "run.hpp"

asio::awaitable<void> process(kw::client& client, std::string topic, work& handle) {
    kw::consumer_options options;
    options.group = "shipping";
    options.topics = {topic};
    options.group_instance_id = "shipper-1";  // its successor has its place at once
    options.auto_offset_reset = kw::offset_reset::earliest;
    options.max_poll_records = 100;
    kw::consumer consumer{client, options};
    while (!at_end(consumer)) {
        const kw::records batch = co_await consumer.async_poll(asio::use_awaitable);
        for (const kw::record_view& r : batch) handle(r);
        co_await consumer.async_commit(batch, asio::use_awaitable);
    }
    co_await consumer.async_close(asio::use_awaitable);
}

asio::awaitable<void> live_twice(kw::client& client, std::vector<std::string> args) {
    co_await fill(client, args[0], 600);
    work handle;
    for (int life = 1; life <= 2; ++life) {
        try {
            co_await process(client, args[0], handle);
        } catch (const crash& e) {
            std::cout << e.what() << '\n';
        }
    }
    handle.report(600);
}

int main(int argc, char** argv) { return run(argc, argv, 2, "at_least_once BROKERS TOPIC", live_twice); }
