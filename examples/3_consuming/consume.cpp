// Reads a topic as a member of a group until everything is read: a batch at a time, then one record that is kept, then the rest.
// `consume BROKERS TOPIC`.
#include "run.hpp"

asio::awaitable<void> read_all(kw::client& client, std::vector<std::string> args) {
    co_await fill(client, args[0], 600);
    kw::consumer_options options;
    options.group = "billing";
    options.topics = {args[0]};
    options.auto_offset_reset = kw::offset_reset::earliest;
    options.auto_commit = true;  // what was handed out before the latest poll
    kw::consumer consumer{client, options};
    consumer.on_assigned([](kw::rebalance_step step) { std::cout << step.partitions().size() << " partitions are ours\n"; });
    consumer.on_rebalanced([](const kw::rebalance_report& what) { std::cout << "in generation " << what.generation << '\n'; });

    std::size_t count = 0;
    while (count < 400) {
        const kw::records batch = co_await consumer.async_poll(100, asio::use_awaitable);
        for (const kw::record_view& r : batch) count += r.key.text().empty() ? 0 : 1;  // views: nothing is copied
    }
    const kw::consumer_record one = co_await consumer.async_read(asio::use_awaitable);  // owns its bytes
    std::cout << one.topic << '-' << one.partition << " @ " << one.offset << ": " << one.value.value_or("null") << '\n';

    while (count < 599) {
        const kw::records batch = co_await consumer.async_poll(asio::use_awaitable);
        count += batch.size();
    }
    co_await consumer.async_close(asio::use_awaitable);
    std::cout << count + 1 << " read\n";
}

int main(int argc, char** argv) { return run(argc, argv, 2, "consume BROKERS TOPIC", read_all); }
