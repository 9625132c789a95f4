// The simple calls, and kafka-go's reader and writer, against an embedded cluster that runs in a thread of its own.
#include <kafkawire/app/reader_writer.hpp>
#include <kafkawire/app/simple.hpp>
#include <kafkawire/broker.hpp>

#include <asio/io_context.hpp>
#include <atomic>
#include <set>
#include <thread>

#include "catch.hpp"

using namespace std::chrono_literals;
namespace app = kw::app;

TEST_CASE("the simple calls: a producer that waits, one that does not, a consumer with its streams") {
    asio::io_context io;
    kw::broker::cluster cluster{io.get_executor(), {.topics = {{.name = "orders", .partitions = 2}}}};
    REQUIRE_FALSE(cluster.start());
    const auto address = cluster.bootstrap();
    std::thread broker{[&] { io.run(); }};
    {
        app::simple_producer p{address};
        const auto first = p.send("orders", "42", "paid"), second = p.send("orders", "42", "shipped");
        CHECK(first.offset == 0);
        CHECK(second.offset == 1);
        CHECK(second.partition == first.partition);
        CHECK_THROWS_AS(p.send("", "1", "x"), kw::system_error);
    }
    {
        app::simple_async_producer p{address};
        std::atomic<int> sent{0}, failed{0};
        std::set<std::int64_t> offsets;
        std::string header, wrong;
        p.on_success([&](const app::message& m, app::position at) {
            ++sent;
            offsets.insert(at.offset);
            header = m.headers.at(0).value.value_or("");
        });
        p.on_error([&](const app::message& m, const kw::error& e) {
            ++failed;
            wrong = m.value.value_or("") + ": " + e.message();
        });
        for (int i = 0; i < 100; ++i) CHECK(p.send({.topic = "orders", .key = "42", .value = std::to_string(i), .headers = {{"n", "7"}}}));
        CHECK(p.send({.topic = "orders", .value = std::string(3'000'000, 'x')}));
        CHECK(p.flush(10s) == 0);
        CHECK(sent == 100);
        CHECK(failed == 1);
        CHECK(*offsets.begin() == 2);
        CHECK(*offsets.rbegin() == 101);
        CHECK(header == "7");
        CHECK(wrong.size() > 3'000'000);
    }
    const auto read = [&](std::size_t n, bool commit) {
        app::simple_consumer c{address, "orders", "billing", app::start_from::oldest};
        std::atomic<int> came{0};
        c.on_rebalance([&](bool assigned, const auto& what) { came += assigned ? static_cast<int>(what.size()) : 0; });
        std::vector<std::int64_t> offsets;
        const auto by = std::chrono::steady_clock::now() + 20s;
        while (offsets.size() < n && std::chrono::steady_clock::now() < by)
            if (auto m = c.message(1s)) {
                offsets.push_back(m->offset);
                if (commit) c.commit(*m);
            }
        CHECK_FALSE(c.error());
        CHECK(came == 2);
        // Who asks late is told of what is here.
        std::vector<kw::topic_partition> here;
        c.on_rebalance([&](bool, const auto& what) { here = what; });
        CHECK(here.size() == 2);
        c.close();
        return offsets;
    };
    CHECK(read(3, true) == std::vector<std::int64_t>{0, 1, 2});
    CHECK(read(2, false) == std::vector<std::int64_t>{3, 4});
    CHECK(read(1, false) == std::vector<std::int64_t>{3});
    CHECK_THROWS_AS((app::simple_consumer{address, "orders", ""}), kw::system_error);

    // kafka-go's.
    {
        app::writer w{{.brokers = address, .topic = "orders", .balancer = "hash", .batch_size = 3, .batch_timeout = 60s, .compression = kw::protocol::compression::gzip}};
        const std::vector<kw::record> three{{.topic = {}, .key = "Key-A", .value = "Hello Kafka!"}, {.topic = {}, .key = "Key-B", .value = "b"}, {.topic = {}, .key = "Key-A", .value = "c"}};
        const auto r = w.write_messages(three);  // as many as a batch has: not after a minute
        CHECK(r.acknowledged == 3);
        CHECK(w.stats().messages == 3);
        CHECK(w.stats().writes == 1);
        CHECK(w.stats().bytes == 15 + 12 + 1 + 1);
        const std::vector<kw::record> named{{.topic = "orders", .value = "x"}};
        CHECK_THROWS_AS(w.write_messages(named), kw::system_error);
        CHECK(w.close() == 0);
    }
    {
        app::writer w{{.brokers = address, .batch_timeout = 1ms, .async = true}};
        std::atomic<std::size_t> told{0};
        w.on_completion([&](const kw::delivery_report& d) { told += d.count; });
        const std::vector<kw::record> one{{.topic = "orders", .value = "x", .partition = 0}};
        CHECK(w.write_messages(one).acknowledged == 0);
        CHECK(w.close() == 0);
        CHECK(told == 1);
    }
    const app::reader_options base{.brokers = address, .topic = "orders", .min_bytes = 1, .max_wait = 100ms};
    {
        auto o = base;
        o.partition = 0;
        app::reader r{o};
        const auto m = r.read_message(10s);
        CHECK(m.offset == 0);
        CHECK(r.offset() == 1);
        r.set_offset(-1);
        CHECK_THROWS_AS(r.read_message(200ms), kw::system_error);
        CHECK(r.lag() == 0);
        CHECK(r.stats().timeouts == 1);
        CHECK(r.stats().messages == 1);
        CHECK_THROWS_AS(r.commit_messages({&m, 1}), kw::system_error);
        r.close();
    }
    const auto in_group = [&](std::chrono::milliseconds every) {
        auto o = base;
        o.group_id = "readers" + std::to_string(every.count());
        o.commit_interval = every;
        std::set<std::pair<std::int32_t, std::int64_t>> seen;
        {
            app::reader r{o};
            for (int i = 0; i < 4; ++i) {
                const auto m = r.read_message(10s);
                CHECK(seen.insert({m.partition, m.offset}).second);
            }
            r.close();
        }
        std::pair<std::int32_t, std::int64_t> not_committed;
        {
            app::reader r{o};
            const auto m = r.fetch_message(10s);
            not_committed = {m.partition, m.offset};
            CHECK_FALSE(seen.contains(not_committed));
            r.close();
        }
        app::reader r{o};
        const auto m = r.fetch_message(10s);
        CHECK(std::pair{m.partition, m.offset} == not_committed);
        r.commit_messages({&m, 1});
        r.close();
    };
    in_group(0ms);
    in_group(50ms);
    auto conflict = base;
    conflict.group_id = "g";
    conflict.partition = 1;
    CHECK_THROWS_WITH(app::reader{conflict}, Catch::Contains("partition and group_id are both set"));
    conflict.partition.reset();
    conflict.start_offset = 5;
    CHECK_THROWS_WITH(app::reader{conflict}, Catch::Contains("start_offset is an offset"));

    asio::post(io, [&] { cluster.close(); });
    broker.join();
}
