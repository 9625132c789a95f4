#include <kafkawire/producer_options.hpp>

#include "catch.hpp"

using namespace kafkawire;
using namespace std::chrono_literals;

namespace {

std::string wrong(const producer_options& o) {
    const auto e = validate(o);
    if (e) CHECK(e.code == errc::bad_configuration);
    return e.text;
}

}  // namespace

TEST_CASE("a producer's options are set by our names, librdkafka's and Java's") {
    producer_options o;
    for (const auto& [name, value] : {std::pair{"request.required.acks", "-1"}, {"enable.idempotence", "true"}, {"queue.buffering.max.ms", "20"},
                                      {"batch.size", "64k"}, {"max.request.size", "2 MiB"}, {"buffer.memory", "100 MB"}, {"max.in.flight", "3"},
                                      {"compression.codec", "ZSTD"}, {"compression.level", "-7"}, {"partitioner", "consistent_random"},
                                      {"message.timeout.ms", "10000"}, {"topic.metadata.propagation.max.ms", "4 s"}, {"transactional.id", "tx"}, {"create_topics", "no"}})
        CHECK(set_option(o, name, value).message() == error{}.message());
    CHECK(o.acks == acks::all);
    CHECK(o.idempotence == toggle::on);
    CHECK(o.linger == 20ms);
    CHECK(o.batch_bytes == 65536);
    CHECK(o.request_bytes == 2u << 20);
    CHECK(o.send_buffer == 100'000'000);
    CHECK(o.in_flight == 3);
    CHECK(o.compression == protocol::compression::zstd);
    CHECK(o.compression_level == -7);
    CHECK(o.partitioner == "consistent_random");
    CHECK(o.delivery_timeout == 10s);
    CHECK(o.unknown_topic_timeout == 4s);
    CHECK(o.transactional_id == "tx");
    CHECK_FALSE(o.create_topics);
    CHECK(wrong(o).empty());
    CHECK_FALSE(set_option(o, "acks", "1"));
    CHECK(o.acks == acks::leader);
    CHECK_FALSE(set_option(o, "compression_level", "default"));
    CHECK(o.compression_level == protocol::default_level);
    CHECK(set_option(o, "acks", "2").text == "acks is \"2\"; all, 0 or 1 would be right");
    CHECK(set_option(o, "compression", "brotli").text == "compression is \"brotli\"; none, gzip, snappy, lz4 or zstd would be right");
    CHECK(set_option(o, "compression_level", "best").text == "compression_level is \"best\"; default or -131072 to 22 would be right");
    CHECK(set_option(o, "idempotence", "maybe").text == "idempotence is \"maybe\"; automatic, on or off would be right");
    CHECK(set_option(o, "partitioner", "murmur").text.starts_with("partitioner is \"murmur\": did you mean murmur2? There are crc32, "));
    CHECK(set_option(o, "batch.bytes", "1").hint == "did you mean batch_bytes?");
    CHECK(o.acks == acks::leader);
}

TEST_CASE("what a producer cannot be made with is refused with the name, the value and what would be right") {
    CHECK(wrong({}).empty());
    CHECK(wrong({.acks = static_cast<acks>(2)}) == "acks is 2; all, 0 or 1 would be right");
    CHECK(wrong({.idempotence = static_cast<toggle>(9)}) == "idempotence is 9; automatic, on or off would be right");
    CHECK(wrong({.unknown_topic_timeout = -1ms}).starts_with("unknown_topic_timeout is -1 ms; 0 ms to "));
    CHECK(wrong({.linger = -5ms}) == "linger is -5 ms; 0 ms to 900 s would be right");
    CHECK(wrong({.compression = static_cast<protocol::compression>(7)}) == "compression is 7; none, gzip, snappy, lz4 or zstd would be right");
    CHECK(wrong({.compression = protocol::compression::gzip, .compression_level = 10}) == "compression_level is 10; gzip has 0 to 9, or default");
    CHECK(wrong({.compression = protocol::compression::lz4, .compression_level = 13}) == "compression_level is 13; lz4 has -100 to 12, or default");
    CHECK(wrong({.compression = protocol::compression::zstd, .compression_level = 23}) == "compression_level is 23; default or -131072 to 22 would be right");
    CHECK(wrong({.compression = protocol::compression::snappy, .compression_level = 1}) == "compression_level is 1; snappy has no levels; default would be right");
    CHECK(wrong({.compression_level = 3}) == "compression_level is 3; compression is none; default would be right");
    CHECK(wrong({.compression = protocol::compression::zstd, .compression_level = -131'072}).empty());
    CHECK(wrong({.batch_bytes = 9u << 20}) == "batch_bytes is 9 MiB, larger than a request: request_bytes is 8 MiB; at most that would be right");
    CHECK(wrong({.send_buffer = 100'000}) == "batch_bytes is 1000000, larger than the memory for sending: send_buffer is 100000; at most that would be right");
    CHECK(wrong({.send_buffer = ~std::uint64_t{0}}).find("send_buffer is ") == 0);
    CHECK(wrong({.batch_bytes = 0}).find("batch_bytes is 0; 1 to ") == 0);
    CHECK(wrong({.in_flight = 0}) == "in_flight is 0; 1 to 1000 would be right");
    CHECK(wrong({.in_flight = 6}) == "in_flight is 6; with idempotence 1 to 5 would be right");
    CHECK(wrong({.idempotence = toggle::off, .in_flight = 6}).empty());
    CHECK(wrong({.acks = acks::leader, .in_flight = 6}).empty());
    CHECK(wrong({.acks = acks::leader, .idempotence = toggle::on}) == "acks is 1, and idempotence is on: it needs acks all");
    CHECK(wrong({.partitioner = "mumur2"}).starts_with("partitioner is \"mumur2\": did you mean murmur2?"));
    CHECK(wrong({.linger = 2s, .delivery_timeout = 1s}).find("linger is 2 s, and delivery_timeout is 1 s: ") == 0);
    CHECK(wrong({.delivery_timeout = 0ms}).find("delivery_timeout is 0 ms; 1 ms to ") == 0);
    CHECK(wrong({.retry_backoff = 2s}) == "retry_backoff is 2 s, and retry_backoff_max is 500 ms; at most that would be right");
    CHECK(wrong({.idempotence = toggle::off, .transactional_id = "tx"}) == "idempotence is off, and transactional_id is \"tx\": transactions need idempotence on");
    CHECK(wrong({.acks = acks::none, .transactional_id = "tx"}) == "acks is 0, and transactional_id is \"tx\": transactions need acks all");
    CHECK(wrong({.transactional_id = std::string(40'000, 'x')}).find("at most 32767 bytes") != std::string::npos);
}

TEST_CASE("a topic has settings of its own, which are held to the same rules") {
    const auto of = [](topic_options t, producer_options o = {}) {
        o.topics.emplace("audit", std::move(t));
        return wrong(o);
    };
    CHECK(of({}).empty());
    CHECK(of({.compression = protocol::compression::zstd, .compression_level = 19, .partitioner = "manual", .linger = 0ms}).empty());
    CHECK(of({.compression = static_cast<protocol::compression>(7)}) == "topic audit: compression is 7; none, gzip, snappy, lz4 or zstd would be right");
    CHECK(of({.compression_level = 5}) == "topic audit: compression_level is 5; compression is none; default would be right");
    // The producer's level is its codec's; another codec begins at its own default.
    CHECK(of({.compression = protocol::compression::gzip}, {.compression = protocol::compression::zstd, .compression_level = 19}).empty());
    CHECK(of({.batch_bytes = 16u << 20}).find("topic audit: batch_bytes is 16 MiB, larger than a request") == 0);
    CHECK(of({.linger = -1ms}).find("topic audit: linger is -1 ms; 0 ms to ") == 0);
    CHECK(of({.delivery_timeout = 2ms}).find("topic audit: linger is 5 ms, and delivery_timeout is 2 ms") == 0);
    CHECK(of({.partitioner = "x"}).find("topic audit: partitioner is \"x\"") == 0);
    producer_options nameless;
    nameless.topics[""];
    CHECK(wrong(nameless) == "topics has an entry without a name");

    topic_options t;
    for (const auto& o : options_of<topic_options>()) CHECK(option_text(o, &t).empty());
    CHECK_FALSE(set_option(t, "compression.type", "lz4"));
    CHECK_FALSE(set_option(t, "linger.ms", "0"));
    CHECK_FALSE(set_option(t, "partitioner", "fnv1a"));
    CHECK(t.compression == protocol::compression::lz4);
    CHECK(t.linger == 0ms);
    CHECK(t.partitioner == "fnv1a");
    CHECK(set_option(t, "batch_bytes", "0").code == errc::bad_configuration);
    CHECK_FALSE(t.batch_bytes);
}

TEST_CASE("the manual of a producer's options says their choices") {
    const auto manual = option_manual<producer_options>();
    CHECK(manual.find("| acks | all | all, 0 or 1 | request.required.acks |") != std::string::npos);
    CHECK(manual.find("| compression_level | default | default or -131072 to 22 |") != std::string::npos);
    CHECK(manual.find("| linger | 5 ms | 0 ms to 900 s | linger.ms, queue.buffering.max.ms |") != std::string::npos);
    CHECK(manual.find("| send_buffer | 64 MiB |") != std::string::npos);
    CHECK(idempotent(producer_options{}));
    CHECK_FALSE(idempotent(producer_options{.acks = acks::leader}));
}
