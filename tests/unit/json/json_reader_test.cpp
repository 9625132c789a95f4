#include <kafkawire/json.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::protocol;
using namespace kafkawire::protocol::messages;
namespace kj = kafkawire::json;

namespace {

wire_error read(metadata_request& to, int version, const char* text) {
    kj::byte_store store;
    return kj::read_json(to, static_cast<std::int16_t>(version), nlohmann::json::parse(text), store);
}

}  // namespace

TEST_CASE("a message is read from its JSON, absent fields keep their defaults") {
    metadata_request m;
    REQUIRE_FALSE(read(m, 12, R"({"topics":[{"topicId":"AAAAAAAAAAAAAAAAAAAAAQ","name":null},{"name":"orders"}],"allowAutoTopicCreation":false})"));
    REQUIRE(m.topics);
    REQUIRE(m.topics->size() == 2);
    CHECK(m.topics->at(0).topic_id.octets[15] == 1);
    CHECK_FALSE(m.topics->at(0).name);
    CHECK(m.topics->at(1).name == "orders");
    CHECK_FALSE(m.allow_auto_topic_creation);
    CHECK_FALSE(m.include_topic_authorized_operations);
}

TEST_CASE("an unknown member names the nearest field and where it stands") {
    metadata_request m;
    auto error = read(m, 12, R"({"topics":[{"nmae":"orders"}]})");
    CHECK(error.code == errc::bad_json);
    CHECK(error.path == "topics[0].nmae");
    CHECK(error.detail == "no such field; did you mean name?");
    CHECK(read(m, 12, R"({"zzzzzzzz":1})").detail == "no such field");
    CHECK(read(m, 3, R"({"allowAutoTopicCreation":false})").detail == "version 3 does not have this field");
    CHECK(read(m, 99, "{}").code == errc::unsupported_version);
}

TEST_CASE("values of the wrong type or out of range are refused with their path") {
    const auto detail = [](const char* text, const char* path) {
        produce_request m;
        kj::byte_store store;
        const auto error = kj::read_json(m, 9, nlohmann::json::parse(text), store);
        CHECK(error.code == errc::bad_json);
        CHECK(error.path == path);
        return error.detail;
    };
    CHECK(detail(R"({"acks":32768})", "acks") == "an integer from -32768 to 32767 is wanted here, not 32768");
    CHECK(detail(R"({"acks":-32769})", "acks") == "an integer from -32768 to 32767 is wanted here, not -32769");
    CHECK(detail(R"({"acks":1.5})", "acks") == "an integer from -32768 to 32767 is wanted here, not 1.5");
    CHECK(detail(R"({"acks":"all"})", "acks") == "an integer from -32768 to 32767 is wanted here, not \"all\"");
    CHECK(detail(R"({"acks":18446744073709551615})", "acks") == "an integer from -32768 to 32767 is wanted here, not 18446744073709551615");
    CHECK(detail(R"({"acks":null})", "acks") == "null, which version 9 does not allow here");
    CHECK(detail(R"({"topicData":{}})", "topicData") == "an array is wanted here, not {}");
    CHECK(detail(R"({"topicData":[7]})", "topicData[0]") == "an object is wanted here, not 7");
    CHECK(detail(R"({"topicData":[{"partitionData":[{"records":"A"}]}]})", "topicData[0].partitionData[0].records") == "base64 is wanted here, not \"A\"");
    CHECK(detail("[]", "") == "an object is wanted here, not []");
}

TEST_CASE("records live in the store") {
    produce_request m;
    kj::byte_store store;
    REQUIRE_FALSE(kj::read_json(m, 9, nlohmann::json::parse(R"({"topicData":[{"name":"t","partitionData":[{"records":"AQID"},{"records":null}]}]})"), store));
    const auto& partitions = m.topic_data.at(0).partition_data;
    REQUIRE(partitions.at(0).records);
    CHECK(kj::to_hex(partitions.at(0).records->data) == "010203");
    CHECK_FALSE(partitions.at(1).records);
}

TEST_CASE("unknown tags are set by path and listed again") {
    metadata_request m;
    REQUIRE_FALSE(read(m, 12, R"({"topics":[{"name":"a"},{"name":"b"}]})"));
    const auto& schema = schema_of<metadata_request>();
    const bytes one{std::byte{1}}, none;
    CHECK_FALSE(kj::add_unknown_tag(schema, &m, "topics[1]", 900, none));
    CHECK_FALSE(kj::add_unknown_tag(schema, &m, "topics[1]", 70, one));
    CHECK_FALSE(kj::add_unknown_tag(schema, &m, "", 5000, one));
    CHECK(kj::unknown_tags(schema, &m) ==
          nlohmann::json::parse(R"([{"path":"","tag":5000,"hex":"01"},{"path":"topics[1]","tag":70,"hex":"01"},{"path":"topics[1]","tag":900,"hex":""}])"));
    for (const char* wrong : {"topics", "topics[2]", "topics[x]", "topics[1].name", "nothing", "topics[1", "."}) {
        INFO(wrong);
        CHECK(kj::add_unknown_tag(schema, &m, wrong, 1, none).code == errc::bad_json);
    }
}

TEST_CASE("hex and base64") {
    CHECK(kj::to_hex(*kj::from_hex("00fFa5")) == "00ffa5");
    CHECK_FALSE(kj::from_hex("0"));
    CHECK_FALSE(kj::from_hex("0g"));
    for (const auto& [text, hex] : {std::pair{"", ""}, {"AA==", "00"}, {"+/8=", "fbff"}, {"AQID", "010203"}, {"AQIDBA==", "01020304"}})
        CHECK(kj::to_hex(*kj::from_base64(text)) == hex);
    for (const char* wrong : {"A", "AAA", "AB==", "AAB=", "====", "A===", "AQ==AQID", "-_8="}) {
        INFO(wrong);
        CHECK_FALSE(kj::from_base64(wrong));
    }
}
