// A producer at brokers of before Kafka 0.11 and 2.1: what goes onto the wire, and what is told of what cannot. Whether a real 0.10.2.2 and its Java
// consumer take it is asked in tests/real/old_clusters_test.cpp.
#include "client/old_formats.hpp"

#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include "catch.hpp"
#include "unit/running.hpp"
#include "peer.hpp"

using namespace std::chrono_literals;
namespace messages = kw::protocol::messages;
using kw::protocol::compression;

namespace {

auto detailed = kw::detailed(kw::as_tuple(asio::use_awaitable));

// Leads both partitions of the topic "t"; speaks Produce up to `produce`, and what else there was in 0.10.2.
class old_broker {
public:
    explicit old_broker(asio::io_context& io, std::int16_t produce) : produce_{produce}, peer_{io} {
        peer_.first = [this](peers::session& s, const messages::request_header& h) { return serve(s, h); };
    }
    [[nodiscard]] std::string address() const { return peer_.address(); }

    struct taken {
        std::int16_t version;
        std::int32_t partition;
        kw::protocol::bytes records;
    };
    std::vector<taken> produced;
    bool knows_producer_ids = false;

private:
    bool serve(peers::session& s, const messages::request_header& h) {
        if (h.request_api_key == messages::api_versions_request::key) {
            messages::api_versions_response r;
            const auto speaks = [&](std::int16_t key, std::int16_t highest) {
                r.api_keys.emplace_back();
                r.api_keys.back().api_key = key;
                r.api_keys.back().max_version = highest;
            };
            speaks(0, produce_);
            speaks(3, 2);
            speaks(10, 0);
            speaks(18, 0);
            if (knows_producer_ids) speaks(22, 0);
            peers::broker::answer(s, r, h);
        } else if (h.request_api_key == messages::metadata_request::key) {
            messages::metadata_response r;
            r.brokers.emplace_back();
            r.brokers.back().node_id = 1;
            r.brokers.back().host = "127.0.0.1";
            r.brokers.back().port = peer_.port();
            auto& t = r.topics.emplace_back();
            t.name = "t";
            for (int i = 0; i < 2; ++i) {
                auto& p = t.partitions.emplace_back();
                p.partition_index = i;
                p.leader_id = 1;
            }
            peers::broker::answer(s, r, h);
        } else if (h.request_api_key == messages::init_producer_id_request::key) {
            messages::init_producer_id_response r;
            r.producer_id = 7;
            r.producer_epoch = 0;
            peers::broker::answer(s, r, h);
        } else if (h.request_api_key == messages::produce_request::key) {
            take(s, h);
        }
        return true;
    }
    void take(peers::session& s, const messages::request_header& h) {
        messages::request_header again;
        std::size_t body_at = 0;
        REQUIRE(!kw::protocol::decode_request_header(again, s.frame, body_at));
        messages::produce_request m;
        const auto wrong = kw::protocol::decode(m, kw::protocol::bytes_view{s.frame}.subspan(body_at), h.request_api_version);
        INFO(wrong.message());
        REQUIRE(!wrong);
        messages::produce_response r;
        for (const auto& t : m.topic_data) {
            auto& to = r.responses.emplace_back();
            to.name = t.name;
            for (const auto& p : t.partition_data) {
                produced.push_back({h.request_api_version, p.index, {p.records->data.begin(), p.records->data.end()}});
                auto& a = to.partition_responses.emplace_back();
                a.index = p.index;
                a.base_offset = 40;
            }
        }
        peers::broker::answer(s, r, h);
    }
    std::int16_t produce_;
    peers::broker peer_;
};

struct rig : running {
    old_broker broker;
    kw::client client;
    explicit rig(std::int16_t produce, std::shared_ptr<kw::observer> seen = {}) : broker{io, produce}, client{io, {.bootstrap = broker.address(), .observer = std::move(seen)}} {}

    // One record, and what is told of it.
    kw::error send(kw::producer& p, const kw::record& r) {
        kw::error told;
        run([&]() -> asio::awaitable<void> {
            auto [why, at] = co_await p.async_send(r, detailed);
            told = why;
        });
        return told;
    }
};

struct listener final : kw::observer {
    std::vector<std::string> warnings;
    void on_log(const kw::log_line& l) override {
        if (l.level == kw::log_level::warning) warnings.push_back(to_string(l));
    }
};

bool says(const kw::error& e, std::string_view what) { return e.message().find(what) != std::string::npos; }

}  // namespace

TEST_CASE("records go to brokers before 0.11 as messages, in each codec, and that they go at least once is said") {
    for (const std::int16_t version : {1, 2})
        for (const auto codec : {compression::none, compression::gzip, compression::snappy, compression::lz4}) {
            CAPTURE(version, kw::protocol::to_string(codec));
            rig r{version};
            kw::producer producer{r.client, {.compression = codec}};
            CHECK(producer.degraded() == nullptr);
            std::vector<std::string> values;
            for (int i = 0; i < 100; ++i) values.push_back("value " + std::to_string(i));
            std::vector<kw::record> records;
            for (const auto& v : values) records.push_back({.topic = "t", .key = "k", .value = v, .partition = 1, .timestamp = kw::timestamp{1234ms}});
            r.run([&]() -> asio::awaitable<void> {
                auto [why, result] = co_await producer.async_send_batch(records, detailed);
                INFO(why.message());
                CHECK(!why);
                CHECK(result.acknowledged == 100);
            });
            REQUIRE(producer.degraded() != nullptr);
            CHECK(says(*producer.degraded(), "older than Kafka 0.11"));
            CHECK(says(*producer.degraded(), "idempotence = off"));
            REQUIRE(r.broker.produced.size() == 1);
            const auto& got = r.broker.produced[0];
            CHECK(got.version == version);
            CHECK(got.partition == 1);
            kw::protocol::record_reader in{got.records};
            std::size_t n = 0;
            for (const auto& rec : in) {
                CHECK(in.batch().magic == version - 1);
                CHECK(in.batch().codec() == codec);
                CHECK(rec.key.text() == "k");
                CHECK(rec.value.text() == values.at(n++));
                CHECK(rec.timestamp == (version == 1 ? -1 : 1234));
            }
            CHECK(!in.error());
            CHECK(n == 100);
        }
}

TEST_CASE("that records go at least once is in the log, once, with what to do; who has asked for that hears nothing") {
    for (const auto idempotence : {kw::toggle::automatic, kw::toggle::off}) {
        const auto seen = std::make_shared<listener>();
        rig r{2, seen};
        kw::producer producer{r.client, {.idempotence = idempotence}};
        for (int i = 0; i < 3; ++i) CHECK(!r.send(producer, {.topic = "t", .value = "v"}));
        if (idempotence == kw::toggle::off) {
            CHECK(seen->warnings.empty());
            continue;
        }
        REQUIRE(seen->warnings.size() == 1);
        INFO(seen->warnings[0]);
        CHECK(seen->warnings[0].find("the brokers are older than Kafka 0.11 and keep no sequences: records are sent at least once") != std::string::npos);
        CHECK(seen->warnings[0].find("idempotence = off says that this is meant") != std::string::npos);
    }
}

TEST_CASE("who asks for idempotence is told that brokers before 0.11 have none, and what to do") {
    rig r{2};
    kw::producer producer{r.client, {.idempotence = kw::toggle::on}};
    const auto why = r.send(producer, {.topic = "t", .value = "v"});
    INFO(why.message());
    CHECK(why.code == kw::condition::not_persisted);
    CHECK(says(why, "older than Kafka 0.11, which idempotence needs"));
    CHECK(says(why, "idempotence = off"));
    CHECK(r.broker.produced.empty());
}

TEST_CASE("without idempotence nothing is degraded") {
    rig r{2};
    kw::producer producer{r.client, {.idempotence = kw::toggle::off}};
    CHECK(!r.send(producer, {.topic = "t", .value = "v"}));
    CHECK(producer.degraded() == nullptr);
    CHECK(r.broker.produced.size() == 1);
}

TEST_CASE("a producer id from one broker does not make another, older one keep sequences: nothing is sent to it unsaid") {
    rig r{2};
    r.broker.knows_producer_ids = true;
    kw::producer producer{r.client};
    const auto why = r.send(producer, {.topic = "t", .value = "v"});
    INFO(why.message());
    CHECK(why.code == kw::errc::not_in_version);
    CHECK(says(why, "keeps no sequences"));
    CHECK(r.broker.produced.empty());
}

TEST_CASE("headers are refused where brokers have none, before anything is sent and afterwards; other records go") {
    rig r{2};
    kw::producer producer{r.client, {.idempotence = kw::toggle::off, .linger = 50ms}};
    const std::vector<kw::header_view> headers{{"trace", "7"}};
    kw::error first, other;
    r.run([&]() -> asio::awaitable<void> {
        bool told = false;
        producer.async_send({.topic = "t", .value = "v", .headers = headers, .partition = 1}, kw::detailed([&](kw::error why, kw::delivery) {
            first = std::move(why);
            told = true;
        }));
        auto [why, at] = co_await producer.async_send({.topic = "t", .value = "plain", .partition = 0}, detailed);
        other = why;
        while (!told) co_await asio::post(r.io, asio::use_awaitable);
    });
    INFO(first.message());
    CHECK(first.code == kw::errc::not_in_version);
    CHECK(first.code == kw::condition::not_persisted);
    CHECK(says(first, "headers"));
    CHECK(!other);
    REQUIRE(r.broker.produced.size() == 1);
    CHECK(r.broker.produced[0].partition == 0);
    // Now it is known.
    CHECK(producer.try_send({.topic = "t", .value = "v", .headers = headers}) == kw::errc::not_in_version);
    const auto again = r.send(producer, {.topic = "t", .value = "v", .headers = headers});
    INFO(again.message());
    CHECK(again.code == kw::errc::not_in_version);
    CHECK(says(again, "send it without headers"));
    CHECK(!r.send(producer, {.topic = "t", .value = "plain"}));
}

TEST_CASE("zstd is refused by name where brokers are older than 2.1") {
    for (const std::int16_t version : {2, 6}) {
        CAPTURE(version);
        rig r{version};
        r.broker.knows_producer_ids = version > 2;
        kw::producer producer{r.client, {.compression = compression::zstd}};
        const auto why = r.send(producer, {.topic = "t", .value = "v"});
        INFO(why.message());
        CHECK(why.code == kw::errc::not_in_version);
        CHECK(says(why, "older than Kafka 2.1 and has no zstd"));
        CHECK(r.broker.produced.empty());
    }
    rig r{7};
    r.broker.knows_producer_ids = true;
    kw::producer producer{r.client, {.compression = compression::zstd}};
    CHECK(!r.send(producer, {.topic = "t", .value = "v"}));
    CHECK(producer.degraded() == nullptr);
}

TEST_CASE("transactions are refused by name where brokers are older than 0.11") {
    rig r{2};
    kw::producer producer{r.client, {.transactional_id = "pay"}};
    r.run([&]() -> asio::awaitable<void> {
        auto [why, t] = co_await producer.async_begin_transaction(detailed);
        INFO(why.message());
        CHECK(why);
        CHECK(says(why, "transactions need brokers of Kafka 0.11 or later"));
    });
}
