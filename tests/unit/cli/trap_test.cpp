// Guessing frames, and the names of mistakes in bytes.
#include "catch.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include "cli/frame_reading.hpp"
#include "cli/text.hpp"
#include "cli/traps.hpp"

using namespace kafkawire::cli;
using namespace kafkawire::protocol;

namespace {

bytes flat(const scatter& s) {
    bytes all;
    for (const auto p : s.parts()) all.insert(all.end(), p.begin(), p.end());
    return all;
}

bytes metadata_frame(std::int16_t version) {
    messages::metadata_request m;
    messages::metadata_request::topic t;
    t.name = "orders";
    m.topics->push_back(t);
    scatter to;
    REQUIRE_FALSE(encode_request(m, version, 7, "me", to));
    return flat(to);
}

bytes answer_frame(std::int16_t version) {
    messages::metadata_response m;
    messages::metadata_response::broker b;
    b.host = "localhost";
    b.port = 9092;
    m.brokers.push_back(b);
    scatter to;
    REQUIRE_FALSE(encode_response(m, version, 7, to));
    return flat(to);
}

std::string trap(const reading& r, const bytes& b) {
    const auto o = read(r, b);
    REQUIRE(o.error);
    return name_the_trap(o, b);
}

bytes hex(std::string_view text) {
    std::size_t at = 0;
    return from_hex(text, at).value();
}

const message_schema& request() { return schema_of<messages::metadata_request>(); }
const message_schema& response() { return schema_of<messages::metadata_response>(); }
bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr const char* zeros = "00000000000000000000000000000000";

}  // namespace

TEST_CASE("a request frame tells what it is, with its size or without") {
    for (const std::int16_t version : {0, 1, 8, 9, 13}) {
        const auto frame = metadata_frame(version);
        const auto with = guess_request(frame);
        REQUIRE_FALSE(with.empty());
        CHECK(to_text(with.front()).starts_with("MetadataRequest v" + std::to_string(version) + ", size prefix"));
        CHECK_FALSE(read(with.front(), frame).error);
        const bytes bare(frame.begin() + 4, frame.end());
        const auto without = guess_request(bare);
        REQUIRE_FALSE(without.empty());
        CHECK_FALSE(without.front().size_prefix);
        CHECK_FALSE(read(without.front(), bare).error);
    }
}

TEST_CASE("a response is guessed among all that it could be") {
    const auto frame = answer_frame(12);
    const auto fits = guess_response(frame);
    REQUIRE_FALSE(fits.empty());
    CHECK(std::any_of(fits.begin(), fits.end(), [](const reading& r) { return r.schema->name == "Metadata" && r.version == 12; }));
    for (const auto& r : fits) CHECK_FALSE(read(r, frame).error);
}

TEST_CASE("the response header's version is the first trap") {
    auto frame = answer_frame(12);
    frame.erase(frame.begin() + 8);
    frame[3] = static_cast<std::byte>(std::to_integer<int>(frame[3]) - 1);
    CHECK(contains(trap(frame_of(response(), 12, true), frame), "empty tag buffer (00) after the correlation id was forgotten"));
    auto old = answer_frame(8);
    old.insert(old.begin() + 8, std::byte{0});
    old[3] = static_cast<std::byte>(std::to_integer<int>(old[3]) + 1);
    CHECK(contains(trap(frame_of(response(), 8, true), old), "tag buffer (00) too many"));
    messages::api_versions_response v;
    v.api_keys.resize(1);
    bytes body;
    REQUIRE_FALSE(encode(v, 4, body));
    bytes wrong = hex("0000000000000000 00");
    wrong.insert(wrong.end(), body.begin(), body.end());
    wrong[3] = static_cast<std::byte>(wrong.size() - 4);
    CHECK(contains(trap(frame_of(schema_of<messages::api_versions_response>(), 4, true), wrong), "ApiVersions always has header v0"));
}

TEST_CASE("a frame taken for a body, and the other way round") {
    CHECK(contains(trap({&request(), 12}, metadata_frame(12)), "add --frame"));
    const auto frame = metadata_frame(12);
    const bytes body(frame.begin() + 4 + 8 + 4 + 1, frame.end());
    CHECK(contains(trap(frame_of(request(), 12, true), body), "leave --frame out"));
}

TEST_CASE("compact lengths, tag buffers and int16 are told apart") {
    const auto z = std::string{zeros};
    CHECK(contains(trap({&request(), 12}, hex("02" + z + "06 6f7264657273 00 01 00 00")), "length at byte 17 (topics[0].name) is one more"));
    CHECK(contains(trap({&request(), 12}, hex("01" + z + "06 6f7264657273 00 01 00 00")), "get their plus one, first at byte 0"));
    CHECK(contains(trap({&request(), 12}, hex("02" + z + "07 6f7264657273 01 00 00")), "empty tag buffer (00) put in at byte 24"));
    CHECK(contains(trap({&request(), 12}, hex("02" + z + "07 6f7264657273 00 01 00")), "empty tag buffer (00) put in at byte 27"));
    CHECK(contains(trap({&request(), 12}, hex("02" + z + "0006 6f7264657273 00 01 00 00")), "INT16 length of 6"));
    CHECK(contains(trap({&request(), 8}, hex("00000001 0006 6f7264657273 01 00 00 00")), "has no tag buffers"));
    CHECK(contains(trap({&request(), 9}, hex("00000001 0006 6f7264657273 01 00 00")), "decode as version 8, which is not flexible"));
}

TEST_CASE("any cut of a frame gives an error and a hint, whatever it is taken for") {
    const auto frame = metadata_frame(12);
    for (std::size_t n = 0; n < frame.size(); ++n) {
        const bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n));
        for (const auto& r : {frame_of(request(), 12, true), frame_of(request(), 12, false), reading{&request(), 12}, frame_of(response(), 12, true)}) {
            const auto o = read(r, cut);
            if (o.error) CHECK_FALSE(name_the_trap(o, cut).empty());
        }
        (void)guess_request(cut);
        (void)guess_response(cut);
    }
}
