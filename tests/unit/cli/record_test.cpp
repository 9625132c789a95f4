// Records as JSON and by a format; hexadecimal, base64, UTF-8.
#include "catch.hpp"

#include <random>

#include "cli/failure.hpp"
#include "cli/record.hpp"
#include "cli/text.hpp"

using namespace kafkawire::cli;
using namespace std::string_literals;

namespace {

shown_record sample() {
    shown_record r;
    r.topic = "orders";
    r.partition = 3;
    r.offset = 42;
    r.timestamp = 1'700'000'000'250;
    r.key = "k";
    r.value = "v \"1\"\n";
    r.headers = {{"a", "1"}, {"a", std::nullopt}, {"b", "\xff"}};
    r.leader_epoch = 7;
    return r;
}

std::string formatted(std::string_view format, const shown_record& r) {
    std::string to;
    record_format{format}.append(to, r, 9);
    return to;
}

}  // namespace

TEST_CASE("a record as JSON") {
    std::string text;
    append_json(text, sample());
    CHECK(text ==
          "{\"topic\":\"orders\",\"partition\":3,\"offset\":42,\"timestamp\":\"2023-11-14T22:13:20.250Z\",\"timestamp_ms\":1700000000250,\"timestamp_type\":\"create_time\","
          "\"key\":\"k\",\"value\":\"v \\\"1\\\"\\n\",\"headers\":[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"a\",\"value\":null},{\"key\":\"b\",\"value_base64\":\"/w==\"}],\"leader_epoch\":7}");
}

TEST_CASE("what a record says survives JSON and back") {
    std::mt19937 random{20261121};
    const auto bytes = [&]() -> std::optional<std::string> {
        if (random() % 4 == 0) return {};
        std::string s(random() % 20, '\0');
        for (auto& c : s) c = static_cast<char>(random() % (random() % 2 ? 256 : 128));
        return s;
    };
    for (int round = 0; round < 2000; ++round) {
        const auto key = bytes(), value = bytes();
        std::vector<std::pair<std::string, std::optional<std::string>>> headers;
        for (auto n = random() % 4; n > 0; --n) headers.emplace_back(bytes().value_or(""), bytes());
        shown_record r;
        r.topic = "t";
        r.timestamp = static_cast<std::int64_t>(random()) * 1000;
        r.key = key;
        r.value = value;
        for (const auto& [k, v] : headers) r.headers.push_back({k, v});
        std::string text;
        append_json(text, r);
        CAPTURE(round, text);
        REQUIRE(is_utf8(text));
        const auto back = record_from_json(text);
        CHECK(back.key == key);
        CHECK(back.value == value);
        CHECK(back.timestamp == r.timestamp);
        REQUIRE(back.headers.size() == headers.size());
        for (std::size_t i = 0; i < headers.size(); ++i) {
            CHECK(back.headers[i].key == headers[i].first);
            CHECK(back.headers[i].value == headers[i].second);
        }
    }
}

TEST_CASE("records that people write") {
    CHECK(record_from_json(R"({"value":{"id":7}})").value == R"({"id":7})");
    CHECK(record_from_json(R"({"key":"k","headers":{"a":"b"}})").headers.at(0).value == "b");
    CHECK(record_from_json(R"({"timestamp":"2023-11-14T22:13:20Z"})").timestamp == 1'700'000'000'000);
    CHECK_FALSE(record_from_json(R"({"timestamp_ms":-1})").timestamp);
    for (const char* wrong : {"", "7", "[]", "{", R"({"key_base64":"*"})", R"({"key_base64":7})", R"({"headers":7})", R"({"headers":[7]})", R"({"headers":[{"value":"x"}]})",
                              R"({"timestamp":"soon"})", R"({"timestamp_ms":18446744073709551615})", R"({"partition":-1})"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(record_from_json(wrong), failure);
    }
}

TEST_CASE("formats") {
    const auto r = sample();
    CHECK(formatted("%t/%p/%o %k=%v|", r) == "orders/3/42 k=v \"1\"\n|");
    CHECK(formatted("%T %K %V %S %H %e %i %%\\n\\t\\x41", r) == "6 1 6 6 3 7 9 %\n\tA");
    CHECK(formatted("%k{hex} %v{base64}", r) == "6b diAiMSIK");
    CHECK(formatted("%h{<%k=%v>}", r) == "<a=1><a=><b=\xff>");
    CHECK(formatted("%h{%k{hex}:%V,}", r) == "61:1,61:-1,62:1,");
    CHECK(formatted("%d %d{iso} %d{strftime[%Y %H:%M]}", r) == "1700000000250 2023-11-14T22:13:20.250Z 2023 22:13");
    CHECK(formatted("%p{big16}%p{little32}", r) == "\0\3\3\0\0\0"s);
    CHECK(formatted("%R%s", r) == "\0\0\0\6v \"1\"\n"s);
    CHECK(formatted("kcat:%T %h %s", r) == "1700000000250 a=1,a=NULL,b=\xff v \"1\"\n");
    CHECK_FALSE(record_format{"%T %s"}.hint().empty());
    CHECK(record_format{"%T %v"}.hint().empty());
    for (const char* wrong : {"%", "%q", "%h", "%h{%p}", "%k{big16}", "%p{base64}", "%v{hex", "\\", "\\xg0", "%d{strftime}"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(record_format{wrong}, failure);
    }
}

TEST_CASE("hexadecimal and base64") {
    std::size_t at = 0;
    CHECK(to_hex(*from_hex("0x00 fF:10\n", at)) == "00ff10");
    CHECK_FALSE(from_hex("00 0", at));
    CHECK(at == 4);
    CHECK_FALSE(from_hex("0g", at));
    CHECK(at == 1);
    for (const auto& text : {""s, "a"s, "ab"s, "abc"s, "\0\xff\xfe"s}) CHECK(from_base64(to_base64(text)) == text);
    CHECK(from_base64("-_8=") == from_base64("+/8="));
    CHECK(from_base64("YQ") == "a");
    for (const char* wrong : {"a", "YR==", "Y===", "YQ=a", "Y*==", "YQ==="}) {
        CAPTURE(wrong);
        CHECK_FALSE(from_base64(wrong));
    }
}

TEST_CASE("UTF-8") {
    for (const char* good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) CHECK(is_utf8(good));
    for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_utf8(bad));
    }
}
