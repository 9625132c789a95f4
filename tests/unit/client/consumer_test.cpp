// kw::consumer against the embedded cluster on loopback: what is handed out, where it goes on, what is told.
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/testing.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <set>

#include "catch.hpp"
#include "run_to_end.hpp"

using namespace std::chrono_literals;

namespace {

auto detailed = kw::detailed(kw::as_tuple(asio::use_awaitable));

struct rig {
    asio::io_context io;
    kw::testing::brokers kafka;
    kw::client client;

    explicit rig(int nodes = 1, std::string as_version = "4.3")
        : kafka{io, {.embedded = {.nodes = nodes, .as_version = std::move(as_version)}, .ignore_environment = true}}, client{io, {.bootstrap = kafka.bootstrap()}} {}
    template <class F>
    void run(F f) {
        run_to_end(io, kafka, std::move(f));
    }
    kw::broker::control control() { return kafka.embedded()->control(); }
    asio::awaitable<void> sleep(std::chrono::milliseconds d) {
        asio::steady_timer t{io, d};
        co_await t.async_wait(asio::use_awaitable);
    }
    /// "0", "1", ... in order into one partition, as one batch each `each`.
    void fill(const std::string& topic, std::int32_t partition, int from, int to, kw::producer_options o = {}) {
        kw::producer p{client, o};
        run([&]() -> asio::awaitable<void> {
            std::vector<std::string> values;
            for (int i = from; i < to; ++i) values.push_back(std::to_string(i));
            std::vector<kw::record> rs;
            for (const auto& v : values) rs.push_back({.topic = topic, .value = v, .partition = partition});
            (void)co_await p.async_send_batch(rs, asio::use_awaitable);
        });
    }
};

std::vector<std::string> values_of(const kw::records& batch) {
    std::vector<std::string> v;
    for (const auto& r : batch) v.emplace_back(r.value.text());
    return v;
}

// Reads until there are `n` values, at most so many at a time. Not for use inside a CHECK: GCC 12 evaluates a co_await there twice.
asio::awaitable<std::vector<std::string>> read_values(kw::consumer& c, std::size_t n, std::size_t most = 0) {
    std::vector<std::string> all;
    while (all.size() < n) {
        const auto batch = co_await c.async_poll(most, asio::use_awaitable);
        CHECK((most == 0 || batch.size() <= most));
        for (auto& v : values_of(batch)) all.push_back(std::move(v));
    }
    co_return all;
}

std::vector<std::string> numbers(int from, int to) {
    std::vector<std::string> v;
    for (int i = from; i < to; ++i) v.push_back(std::to_string(i));
    return v;
}

}  // namespace

TEST_CASE("a record is read with all that it has, and can be kept") {
    rig r;
    const auto topic = r.kafka.create_topic(2);
    r.kafka.produce(topic, {{.key = "42", .value = "paid", .headers = {{"trace", "7"}, {"empty", ""}}, .partition = 1, .timestamp = 1234}, {.partition = 1, .timestamp = 5}});
    std::optional<kw::consumer_record> kept;
    {
        kw::consumer consumer{r.client};
        consumer.assign(topic, 1, kw::start_position::beginning());
        r.run([&]() -> asio::awaitable<void> {
            kept = co_await consumer.async_read(asio::use_awaitable);
            CHECK(consumer.position(topic, 1) == 1);
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            REQUIRE(batch.size() == 1);
            const auto& second = *batch.begin();
            CHECK(second.offset == 1);
            CHECK(second.key.is_null());
            CHECK(second.value.is_null());
            CHECK(second.headers.empty());
            CHECK(second.topic == topic);
            CHECK(second.partition == 1);
            REQUIRE(batch.partitions().size() == 1);
            CHECK(batch.partitions()[0].next_offset() == 2);
            CHECK(batch.partitions()[0].leader_epoch() == 0);
            CHECK(consumer.position(topic, 1) == 2);
            const auto reading = consumer.reading(topic, 1);
            REQUIRE(reading);
            CHECK(reading->lag == 0);
            CHECK(reading->log.high == 2);
            CHECK(reading->log.low == 0);
            CHECK(reading->state == kw::partition_reading::status::fetching);
            CHECK(!consumer.reading(topic, 0));
        });
    }
    REQUIRE(kept);
    CHECK(kept->topic == topic);
    CHECK(kept->offset == 0);
    CHECK(kept->key == "42");
    CHECK(kept->value == "paid");
    CHECK(kept->timestamp == kw::timestamp{1234ms});
    REQUIRE(kept->headers.size() == 2);
    CHECK(kept->headers[0].key == "trace");
    CHECK(kept->headers[0].value == "7");
    CHECK(kept->headers[1].value == "");
}

TEST_CASE("all records of many partitions, in order, under every codec, on several nodes") {
    for (const auto codec : {kw::protocol::compression::none, kw::protocol::compression::gzip, kw::protocol::compression::snappy, kw::protocol::compression::lz4, kw::protocol::compression::zstd}) {
        rig r{3};
        const auto topic = r.kafka.create_topic(6);
        for (int p = 0; p < 6; ++p) r.fill(topic, p, 0, 500, {.batch_bytes = 1000, .compression = codec});
        kw::consumer consumer{r.client, {.fetch_max_bytes = 5000, .partition_bytes = 3000}};
        for (int p = 0; p < 6; ++p) consumer.assign(topic, p, kw::start_position::beginning());
        std::map<std::int32_t, int> next;
        std::size_t total = 0;
        r.run([&]() -> asio::awaitable<void> {
            while (total < 3000) {
                const auto batch = co_await consumer.async_poll(asio::use_awaitable);
                std::size_t here = 0;
                for (const auto& p : batch.partitions()) {
                    std::int64_t offset = p.first_offset();
                    for (const auto& rec : p) {
                        CHECK(rec.offset == offset++);
                        CHECK(rec.value.text() == std::to_string(next[rec.partition]++));
                        ++here;
                    }
                    CHECK(offset == p.next_offset());
                }
                CHECK(here == batch.size());
                CHECK(values_of(batch).size() == here);
                total += here;
            }
        });
        CHECK(total == 3000);
    }
}

TEST_CASE("polls that take few leave the rest, wherever they cut") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 100, {.batch_bytes = 120, .compression = kw::protocol::compression::lz4});
    for (std::size_t most : {1, 2, 3, 7, 100, 1000}) {
        kw::consumer consumer{r.client};
        consumer.assign(topic, 0, kw::start_position::beginning());
        r.run([&]() -> asio::awaitable<void> { 
            const auto got1 = co_await read_values(consumer, 100, most);
            CHECK(got1 == numbers(0, 100));
        });
    }
}

TEST_CASE("where reading begins") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    std::vector<kw::testing::record> records;
    for (int i = 0; i < 10; ++i) records.push_back({.value = std::to_string(i), .partition = 0, .timestamp = 1000 + i});
    r.kafka.produce(topic, records);
    const auto first_from = [&](kw::start_position from, kw::consumer_options o = {}) {
        kw::consumer consumer{r.client, o};
        consumer.assign(topic, 0, from);
        std::string first;
        r.run([&]() -> asio::awaitable<void> {
            const auto one = co_await consumer.async_read(asio::use_awaitable);
            first = *one.value;
        });
        return first;
    };
    CHECK(first_from(kw::start_position::beginning()) == "0");
    CHECK(first_from(kw::start_position::at(4)) == "4");
    CHECK(first_from(kw::start_position::since(kw::timestamp{1007ms})) == "7");
    CHECK(first_from(kw::start_position::ago(1h * 24 * 365 * 300)) == "0");
    CHECK(first_from({}, {.auto_offset_reset = kw::offset_reset::earliest}) == "0");
    CHECK(first_from(kw::start_position::at(99), {.auto_offset_reset = kw::offset_reset::earliest}) == "0");  // not in the log
    SECTION("the end") {
        kw::consumer consumer{r.client};
        consumer.assign(topic, 0);  // latest
        r.run([&]() -> asio::awaitable<void> {
            while (!consumer.position(topic, 0)) co_await r.sleep(5ms);
        });
        CHECK(consumer.position(topic, 0) == 10);
    }
    SECTION("nowhere, if the policy is none") {
        kw::consumer consumer{r.client, {.auto_offset_reset = kw::offset_reset::none}};
        consumer.assign(topic, 0);
        r.run([&]() -> asio::awaitable<void> {
            auto [why, batch] = co_await consumer.async_poll(detailed);
            CHECK(why.code == kw::errc::no_offset);
            CHECK(why.text.find(topic + "-0") != std::string::npos);
            CHECK(batch.empty());
            CHECK(!consumer.seek(topic, 0, kw::start_position::at(2)));
            const auto one = co_await consumer.async_read(asio::use_awaitable);
            CHECK(one.value == "2");
        });
    }
}

TEST_CASE("with by_duration reading begins with the first record that is young enough") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    r.kafka.produce(topic, {{.value = "old", .partition = 0, .timestamp = 1000}});
    r.kafka.produce(topic, {{.value = "young", .partition = 0}});
    kw::consumer consumer{r.client, {.auto_offset_reset = kw::offset_reset::by_duration, .reset_duration = 1h}};
    consumer.assign(topic, 0);
    r.run([&]() -> asio::awaitable<void> {
        const auto one = co_await consumer.async_read(asio::use_awaitable);
        CHECK(one.value == "young");
    });
}

TEST_CASE("a seek goes anywhere, at any point, and what was fetched never comes after it") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 200, {.batch_bytes = 200});
    for (const auto most : {1, 5, 0}) {
        kw::consumer consumer{r.client, {.partition_bytes = 600}};
        consumer.assign(topic, 0, kw::start_position::beginning());
        r.run([&]() -> asio::awaitable<void> {
            for (const auto to : {0, 50, 3, 4, 60, 61, 199, 150, 7, 8, 9, 90}) {
                CHECK(!consumer.seek(topic, 0, kw::start_position::at(to)));
                CHECK(consumer.position(topic, 0) == to);
                const auto batch = co_await consumer.async_poll(static_cast<std::size_t>(most), asio::use_awaitable);
                CHECK(batch.begin()->value.text() == std::to_string(to));
                CHECK(values_of(batch) == numbers(to, to + static_cast<int>(batch.size())));
                if (to % 2) co_await r.sleep(5ms);  // the next answer is there, or is not
            }
        });
        CHECK(consumer.seek(topic, 1, kw::start_position::end()) == kw::errc::not_assigned);
    }
}

TEST_CASE("a paused partition keeps what was fetched, and asks for nothing") {
    rig r;
    const auto topic = r.kafka.create_topic(2);
    r.fill(topic, 0, 0, 100, {.batch_bytes = 200});
    r.fill(topic, 1, 0, 10);
    kw::consumer consumer{r.client};
    consumer.assign(topic, 0, kw::start_position::beginning());
    r.run([&]() -> asio::awaitable<void> {
        const auto got2 = co_await read_values(consumer, 10, 10);
        CHECK(got2 == numbers(0, 10));
        CHECK(!consumer.pause(topic, 0));
        consumer.assign(topic, 1, kw::start_position::beginning());
        const auto got3 = co_await read_values(consumer, 10);
        CHECK(got3 == numbers(0, 10));
        const auto before = consumer.buffered_bytes();
        CHECK(before > 0);
        CHECK(!consumer.unassign(topic, 1));
        CHECK(!consumer.resume(topic, 0));
        const auto got4 = co_await read_values(consumer, 90);
        CHECK(got4 == numbers(10, 100));
        CHECK(consumer.pause(topic, 1) == kw::errc::not_assigned);
    });
}

TEST_CASE("aborted transactions are left out, open ones hold back, and read_uncommitted sees all") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    kw::producer producer{r.client, {.batch_bytes = 100, .transactional_id = "t"}};
    r.run([&]() -> asio::awaitable<void> {
        for (int n = 0; n < 6; ++n) {
            auto t = co_await producer.async_begin_transaction(asio::use_awaitable);
            for (int i = 0; i < 10; ++i) {
                const auto v = std::to_string(n * 10 + i);
                (void)co_await producer.async_send({.topic = topic, .value = v, .partition = 0}, asio::use_awaitable);
            }
            if (n % 2) co_await t.async_abort(asio::use_awaitable);
            else co_await t.async_commit(asio::use_awaitable);
        }
        auto open = co_await producer.async_begin_transaction(asio::use_awaitable);
        (void)co_await producer.async_send({.topic = topic, .value = "open", .partition = 0}, asio::use_awaitable);
        kw::consumer committed{r.client}, all{r.client, {.isolation = kw::isolation::read_uncommitted}};
        committed.assign(topic, 0, kw::start_position::beginning());
        all.assign(topic, 0, kw::start_position::beginning());
        std::vector<std::string> expected;
        for (int n = 0; n < 6; n += 2)
            for (auto& v : numbers(n * 10, n * 10 + 10)) expected.push_back(v);
        const auto got5 = co_await read_values(committed, 30);
        CHECK(got5 == expected);
        auto everything = numbers(0, 60);
        everything.push_back("open");
        const auto got6 = co_await read_values(all, 61);
        CHECK(got6 == everything);
        co_await r.sleep(50ms);
        CHECK(committed.reading(topic, 0)->lag == 0);
        co_await open.async_commit(asio::use_awaitable);
        const auto got7 = co_await read_values(committed, 1);
        CHECK(got7.front() == "open");
    });
}

TEST_CASE("a canceled read leaves its records for the next one") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    kw::consumer consumer{r.client};
    consumer.assign(topic, 0, kw::start_position::beginning());
    asio::cancellation_signal stop;
    std::optional<std::error_code> ended;
    consumer.async_poll(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec, kw::records got) {
        ended = ec;
        CHECK(got.empty());
    }));
    r.run([&]() -> asio::awaitable<void> { co_await r.sleep(20ms); });
    CHECK(!ended);
    stop.emit(asio::cancellation_type::all);
    r.kafka.produce(topic, {{.value = "a"}});
    CHECK((ended && *ended == kw::errc::canceled));
    r.run([&]() -> asio::awaitable<void> { co_await r.sleep(20ms); });
    // Now the record is there before the read begins.
    ended.reset();
    consumer.async_poll(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec, kw::records got) {
        ended = ec;
        CHECK(got.empty());
    }));
    stop.emit(asio::cancellation_type::all);
    r.run([&]() -> asio::awaitable<void> {
        co_await r.sleep(20ms);
        CHECK(ended);
        const auto one = co_await consumer.async_read(asio::use_awaitable);
        CHECK(one.value == "a");
    });
    CHECK((ended && *ended == kw::errc::canceled));
}

TEST_CASE("closing and destroying end the reads that wait") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    std::vector<std::error_code> told;
    {
        kw::consumer consumer{r.client};
        consumer.assign(topic, 0);
        consumer.async_poll([&](std::error_code ec, kw::records) { told.push_back(ec); });
        r.run([&]() -> asio::awaitable<void> {
            co_await r.sleep(20ms);
            co_await consumer.async_close(asio::use_awaitable);
            co_await r.sleep(5ms);
        });
        REQUIRE(told.size() == 1);
        consumer.async_poll([&](std::error_code ec, kw::records) { told.push_back(ec); });
        kw::consumer other{r.client};
        other.async_poll([&](std::error_code ec, kw::records) { told.push_back(ec); });
    }
    r.run([&]() -> asio::awaitable<void> { co_await r.sleep(5ms); });
    REQUIRE(told.size() >= 2);
    for (const auto& ec : told) CHECK(ec == kw::errc::client_closed);
}

TEST_CASE("leaders that move, connections that break, sessions that are lost: everything comes once") {
    rig r{3};
    const auto topic = r.kafka.create_topic(3);
    auto control = r.control();
    for (int p = 0; p < 3; ++p) r.fill(topic, p, 0, 300, {.batch_bytes = 300});
    for (const auto e : {kw::broker_errc::not_leader_or_follower, kw::broker_errc::fetch_session_id_not_found, kw::broker_errc::invalid_fetch_session_epoch, kw::broker_errc::unknown_server_error,
                         kw::broker_errc::unknown_topic_id, kw::broker_errc::unknown_leader_epoch, kw::broker_errc::offset_not_available})
        control.add({.api = 1, .chance = 0.05, .error = e});
    control.add({.api = 1, .chance = 0.05, .close = true});
    control.add({.api = 1, .chance = 0.05, .cut = 60});
    kw::consumer consumer{r.client, {.fetch_max_bytes = 2000, .partition_bytes = 1000, .retry_backoff = 1ms, .retry_backoff_max = 5ms}};
    for (int p = 0; p < 3; ++p) consumer.assign(topic, p, kw::start_position::beginning());
    std::map<std::int32_t, int> next;
    int total = 0, polls = 0;
    r.run([&]() -> asio::awaitable<void> {
        while (total < 900) {
            auto [why, batch] = co_await consumer.async_poll(20, detailed);
            INFO(why.message());
            CHECK(!why);
            for (const auto& rec : batch) {
                CHECK(rec.value.text() == std::to_string(next[rec.partition]++));
                ++total;
            }
            if (++polls % 5 == 0) (void)control.move_leader(topic, polls % 3, 1 + polls / 5 % 3);
        }
    });
    CHECK(total == 900);
}

TEST_CASE("a log that was truncated is told once, with where reading goes on") {
    rig r{3};
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 100, {.batch_bytes = 200});
    kw::consumer consumer{r.client};
    consumer.assign(topic, 0, kw::start_position::beginning());
    r.run([&]() -> asio::awaitable<void> {
        const auto got8 = co_await read_values(consumer, 100);
        CHECK(got8 == numbers(0, 100));
        CHECK(!r.control().truncate(topic, 0, 60));
        auto [why, batch] = co_await consumer.async_poll(detailed);
        INFO(why.message());
        CHECK(why.code == kw::errc::log_truncated);
        CHECK(why.text.find(topic + "-0") != std::string::npos);
        const auto view = r.control().view();
        const auto& p = view.find_topic(topic)->partitions[0];
        CHECK(consumer.position(topic, 0) == p.high_watermark);
        CHECK(p.high_watermark <= 60);
    });
    r.fill(topic, 0, 1000, 1005);
    r.run([&]() -> asio::awaitable<void> { 
        const auto got9 = co_await read_values(consumer, 5);
        CHECK(got9 == numbers(1000, 1005));
    });
}

TEST_CASE("what is in the application's hands counts, and dropping it lets fetching go on") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 2000, {.batch_bytes = 1000});
    kw::consumer consumer{r.client, {.fetch_max_bytes = 8000, .partition_bytes = 8000, .fetch_buffer = 20'000}};
    consumer.assign(topic, 0, kw::start_position::beginning());
    r.run([&]() -> asio::awaitable<void> {
        std::vector<kw::records> held;
        std::size_t n = 0;
        bool waits = false;
        asio::cancellation_signal stop;
        while (!waits) {
            std::optional<std::error_code> code;
            consumer.async_poll(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec, kw::records got) {
                code = ec;
                n += got.size();
                if (!got.empty()) held.push_back(std::move(got));
            }));
            for (int i = 0; i < 100 && !code; ++i) co_await r.sleep(5ms);
            if (code) continue;
            waits = true;
            CHECK(n < 2000);
            CHECK(consumer.buffered_bytes() <= 20'000 + 8000);
            held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(held.size() - 1));
            held.clear();
            for (int i = 0; i < 100 && !code; ++i) co_await r.sleep(5ms);
            CHECK(code);
            CHECK(!*code);
        }
        held.clear();
        while (n < 2000) n += (co_await consumer.async_poll(asio::use_awaitable)).size();
    });
}

TEST_CASE("options that cannot be are refused, and say what would be right") {
    const auto text = [](const kw::consumer_options& o) { return kw::validate(o).message(); };
    CHECK(text({}) == kw::error{}.message());
    CHECK(text({.fetch_max_bytes = 2000, .partition_bytes = 1000, .fetch_buffer = 1500}).find("fetch_max_bytes is") != std::string::npos);
    CHECK(text({.partition_bytes = 60u << 20}).find("partition_bytes is") != std::string::npos);
    CHECK(text({.auto_offset_reset = kw::offset_reset::by_duration}).find("reset_duration") != std::string::npos);
    CHECK(text({.session_timeout = 1s}).find("heartbeat_interval is") != std::string::npos);
    CHECK(text({.auto_commit = true}).find("group") != std::string::npos);
    kw::consumer_options o;
    CHECK(!kw::set_option(o, "auto.offset.reset", "smallest"));
    CHECK(o.auto_offset_reset == kw::offset_reset::earliest);
    CHECK(!kw::set_option(o, "max.partition.fetch.bytes", "64k"));
    CHECK(o.partition_bytes == 65'536);
}
