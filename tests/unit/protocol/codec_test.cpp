// The codec's promises beside the golden vectors: what is unknown is kept, what a version cannot say is refused, pieces stay where they lie.
#include <kafkawire/protocol/annotate.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/protocol/messages/consumer_group_log.hpp>

#include "catch.hpp"
#include "golden.hpp"

using namespace kafkawire;
using namespace kafkawire::protocol;
using namespace kafkawire::protocol::messages;

namespace {

bytes hex(std::string_view text) { return golden::from_hex(text); }
template <class Message>
bytes encoded(const Message& m, std::int16_t version) {
    bytes wire;
    const auto error = encode(m, version, wire);
    INFO(error.message());
    REQUIRE_FALSE(error);
    return wire;
}

}  // namespace

TEST_CASE("unknown tagged fields are kept and written back between the known ones") {
    // ApiVersions v3: tag 1 is finalizedFeaturesEpoch; 80 and 300 are nobody's.
    const auto wire = hex("0000" "01" "00000000" "03" "01" "08" "0000000000000007" "50" "02" "abcd" "ac02" "00");
    api_versions_response m;
    REQUIRE_FALSE(decode(m, wire, 3));
    CHECK(m.finalized_features_epoch == 7);
    REQUIRE(m.unknown_tags.size() == 2);
    CHECK(m.unknown_tags[0].tag == 0x50);
    CHECK(m.unknown_tags[1].tag == 300);
    CHECK(encoded(m, 3) == wire);
    // A version without tagged fields cannot say them.
    bytes other;
    CHECK(encode(m, 2, other).code == errc::not_in_version);
}

TEST_CASE("unknown tags out of order, twice, or known in this version are refused") {
    bytes wire;
    api_versions_response m;
    m.unknown_tags = {{80, {}}, {79, {}}};
    CHECK(encode(m, 3, wire).code == errc::bad_tag);
    m.unknown_tags = {{80, {}}, {80, {}}};
    CHECK(encode(m, 3, wire).code == errc::bad_tag);
    m.unknown_tags = {{1, {}}};
    CHECK(encode(m, 3, wire).code == errc::bad_tag);
    CHECK(wire.empty());
}

TEST_CASE("what a version cannot say is refused, and nothing is written") {
    bytes wire = hex("77");
    metadata_request m;
    m.topics.reset();
    const auto null_topics = encode(m, 0, wire);
    CHECK(null_topics.code == errc::bad_value);
    CHECK(null_topics.path == "topics");
    m.topics.emplace();
    m.allow_auto_topic_creation = false;
    const auto lacking = encode(m, 3, wire);
    CHECK(lacking.code == errc::not_in_version);
    CHECK(lacking.path == "allowAutoTopicCreation");
    m.allow_auto_topic_creation = true;
    m.topics->emplace_back().name = std::string(40'000, 'x');
    const auto too_long = encode(m, 1, wire);
    CHECK(too_long.code == errc::bad_length);
    CHECK(too_long.path == "topics[0].name");
    CHECK(encode(m, 99, wire).code == errc::unsupported_version);
    CHECK(wire == hex("77"));
    // In a flexible version the same name has room.
    CHECK_FALSE(encode(m, 9, wire));
}

TEST_CASE("a field that a version lacks and that is ignorable is left out") {
    metadata_response m;
    m.throttle_time_ms = 100;
    CHECK_FALSE(encoded(m, 0).empty());
    metadata_response read;
    REQUIRE_FALSE(decode(read, encoded(m, 0), 0));
    CHECK(read.throttle_time_ms == 0);
}

TEST_CASE("a tagged struct that may be null: absent is its default, null is said") {
    consumer_group_member_metadata_value m;
    CHECK(m.classic_member_metadata.has_value());
    const auto plain = encoded(m, 0);
    CHECK(plain.back() == std::byte{0});
    m.classic_member_metadata.reset();
    const auto with_null = encoded(m, 0);
    CHECK(bytes(with_null.end() - 4, with_null.end()) == hex("01000100"));
    consumer_group_member_metadata_value read;
    REQUIRE_FALSE(decode(read, with_null, 0));
    CHECK_FALSE(read.classic_member_metadata.has_value());
    m.classic_member_metadata.emplace(consumer_group_classic_member_metadata{}).session_timeout_ms = 5;
    REQUIRE_FALSE(decode(read, encoded(m, 0), 0));
    REQUIRE(read.classic_member_metadata);
    CHECK(read.classic_member_metadata->session_timeout_ms == 5);
}

TEST_CASE("records are spliced in where they lie") {
    const auto records = hex("0102030405");
    produce_request m;
    m.topic_data.emplace_back().name = "t";
    m.topic_data[0].partition_data.emplace_back().records = raw_records{records};
    scatter pieces;
    REQUIRE_FALSE(encode(m, 9, pieces));
    REQUIRE(pieces.splices.size() == 1);
    CHECK(pieces.splices[0].data.data() == records.data());
    bytes together;
    for (const auto part : pieces.parts()) together.insert(together.end(), part.begin(), part.end());
    CHECK(together == encoded(m, 9));
    CHECK(pieces.size() == together.size());
    std::size_t size = 0;
    REQUIRE_FALSE(measure(m, 9, size));
    CHECK(size == together.size());
    produce_request read;
    REQUIRE_FALSE(decode(read, together, 9));
    REQUIRE(read.topic_data.at(0).partition_data.at(0).records);
    const auto view = read.topic_data[0].partition_data[0].records->data;
    CHECK(view.data() >= together.data());
    CHECK(view.data() < together.data() + together.size());
}

TEST_CASE("annotations name every value, with its meaning where it has one") {
    const auto& schema = schema_of<metadata_request>();
    const auto wire = hex("00000001" "0003" "616263" "01");
    const auto notes = annotate(schema, wire, 4);
    REQUIRE_FALSE(notes.error);
    CHECK(notes.used == wire.size());
    REQUIRE(notes.values.size() == 4);
    CHECK(notes.values[0].path == "topics");
    CHECK(notes.values[2].path == "topics[0].name");
    CHECK(notes.values[2].meaning.find("\"abc\"") != std::string::npos);
    CHECK(notes.values[3].path == "allowAutoTopicCreation");
    const auto dump = annotated_dump(notes, wire);
    CHECK(dump.find("topics[0].name") != std::string::npos);
    // With an error they end where it happened, and the dump says why.
    const auto cut = bytes_view{wire}.first(7);
    const auto broken = annotate(schema, cut, 4);
    CHECK(broken.error.code == errc::truncated);
    CHECK(annotated_dump(broken, cut).find("error: ") != std::string::npos);
}
