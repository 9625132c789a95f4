// Exactly once, from one topic to another: what is made of the records, and where reading stands, is committed together, or not at all. Readers of
// the second topic see each order shipped once, although the process dies in between. `exactly_once BROKERS FROM TO`.
#include "run.hpp"

#include <kafkawire/transaction.hpp>

// One batch, one transaction. What does not come to its end is aborted by the end of `tx`.
asio::awaitable<void> transform(kw::consumer& consumer, kw::producer& producer, std::string to, const kw::records& batch, work& handle) {
    kw::transaction tx = co_await producer.async_begin_transaction(asio::use_awaitable);
    for (const kw::record_view& r : batch) {
        handle(r);
        const kw::record shipped{.topic = to, .key = r.key, .value = "shipped"};
        co_await producer.async_enqueue(shipped, asio::use_awaitable);
    }
    std::vector<kw::topic_offset> offsets;
    for (const kw::partition_records& p : batch.partitions()) offsets.push_back({p.topic(), p.partition(), p.next_offset(), p.leader_epoch()});
    co_await tx.async_send_offsets(offsets, consumer.group_metadata(), asio::use_awaitable);
    co_await tx.async_commit(asio::use_awaitable);
}

asio::awaitable<void> process(kw::client& client, std::string from, std::string to, work& handle) {
    kw::consumer_options options;
    options.group = "shipping";
    options.topics = {from};
    options.group_instance_id = "shipper-1";
    options.auto_offset_reset = kw::offset_reset::earliest;
    options.max_poll_records = 100;
    kw::consumer consumer{client, options};
    kw::producer_options sending;
    sending.transactional_id = "shipper-1";  // the next one of that name fences this one, and ends its transaction
    kw::producer producer{client, sending};
    co_await producer.async_init_transactions(asio::use_awaitable);  // what was left open keeps the group's offsets back: it would wait for itself
    while (!at_end(consumer)) {
        const kw::records batch = co_await consumer.async_poll(asio::use_awaitable);
        std::error_code again;
        try {
            co_await transform(consumer, producer, to, batch, handle);
        } catch (const std::system_error& e) {
            if (e.code() != kw::condition::abortable) throw;
            again = e.code();
        }
        // Aborted: these records are read once more. Of partitions that have gone meanwhile somebody else reads them.
        if (again)
            for (const auto& p : batch.partitions()) (void)consumer.seek(p.topic(), p.partition(), kw::start_position::at(p.first_offset()));
    }
    co_await producer.async_close(10s, asio::use_awaitable);
    co_await consumer.async_close(asio::use_awaitable);
}

// What a reader of committed records finds.
asio::awaitable<void> count(kw::client& client, std::string topic, int partitions, int orders) {
    kw::consumer reader{client};
    for (int p = 0; p < partitions; ++p) reader.assign(topic, p, kw::start_position::beginning());
    std::map<std::string, int> shipped;
    std::size_t seen = 0;
    while (!at_end(reader)) {
        const kw::records batch = co_await reader.async_poll(asio::use_awaitable);
        for (const kw::record_view& r : batch) ++shipped[std::string{r.key.text()}];
        seen += batch.size();
    }
    std::cout << orders - static_cast<int>(shipped.size()) << " left out, " << seen - shipped.size() << " shipped twice\n";
}

asio::awaitable<void> live_twice(kw::client& client, std::vector<std::string> args) {
    co_await fill(client, args[0], 600);
    work handle;
    for (int life = 1; life <= 2; ++life) {
        try {
            co_await process(client, args[0], args[1], handle);
        } catch (const crash& e) {
            std::cout << e.what() << '\n';
        }
    }
    co_await count(client, args[1], 3, 600);
}

int main(int argc, char** argv) { return run(argc, argv, 3, "exactly_once BROKERS FROM TO", live_twice); }
