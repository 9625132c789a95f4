// Hostile input: whatever the bytes are, decoding ends with an error that says where, or with a message; and it costs no more memory than
// the bytes can pay for.
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <functional>

#include "allocations.hpp"
#include "catch.hpp"
#include "golden.hpp"

using namespace kafkawire;
using namespace kafkawire::protocol;

namespace {

struct vector_of_message {
    const message_schema* schema;
    std::int16_t version;
    bytes wire;
    std::string name;
};

const std::vector<vector_of_message>& golden_messages() {
    static const auto all = [] {
        std::vector<vector_of_message> list;
        for (const auto* file : {"rpc-requests", "rpc-responses", "legacy-requests", "legacy-responses", "headers", "legacy-headers", "data"})
            for (const auto& line : golden::lines(file)) {
                const auto& type = line.at("type");
                const bool rpc = type == "request" || type == "response";
                const auto* api = rpc ? find_api(line.at("key").get<std::int16_t>()) : nullptr;
                const auto* schema = rpc ? (type == "request" ? api->request : api->response) : find_data_message(line.at("api").get<std::string>());
                list.push_back({schema, line.at("version").get<std::int16_t>(), golden::bytes_of(line),
                                line.at("api").get<std::string>() + " " + type.get<std::string>() + " v" + line.at("version").dump()});
            }
        return list;
    }();
    return all;
}

// Decodes into a fresh message; gives the error and the most memory that it took, the message included.
wire_error decode_counted(const message_schema& schema, bytes_view from, std::int16_t version, std::size_t& memory) {
    const auto before = allocations::live();
    allocations::reset_peak();
    wire_error error;
    {
        any_message m{schema};
        error = decode(schema, m.get(), from, version);
        memory = allocations::peak() - before;
    }
    return error;
}

constexpr std::size_t free_of_charge = 64 * 1024;

bytes operator+(bytes a, const bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
template <class Message>
wire_error error_of(std::string_view text, int version) {
    Message m;
    const auto wire = golden::from_hex(text);
    return decode(m, wire, static_cast<std::int16_t>(version));
}

// Calls `visit` for each array of a message with a message in which that array has `count` elements of defaults, and each array around it one.
void with_long_arrays(const message_schema& schema, std::size_t count, const std::function<void(const any_message&, const std::string&)>& visit) {
    std::vector<const field_schema*> steps;
    const std::function<void(const struct_schema&)> walk = [&](const struct_schema& here) {
        for (const auto& f : here.fields) {
            steps.push_back(&f);
            if (f.what == kind::structure) walk(*f.schema());
            if (f.what == kind::array) {
                any_message m{schema};
                void* object = m.get();
                std::string path;
                for (const auto* step : steps) {
                    (path += path.empty() ? "" : ".") += step->name;
                    void* value = step->get(object);
                    if (step->optional) value = step->optional->emplace(value);
                    if (step->what == kind::array) {
                        step->array->resize(value, step == &f ? count : 1);
                        value = step->array->data(value);
                    }
                    object = value;
                }
                visit(m, path);
                if (f.array->element == kind::structure) walk(*f.array->element_schema());
            }
            steps.pop_back();
        }
    };
    walk(*schema.body);
}

}  // namespace

TEST_CASE("every golden message cut at every byte is an error that says where", "[hostile]") {
    std::size_t cuts = 0;
    for (const auto& v : golden_messages()) {
        INFO(v.name);
        for (std::size_t cut = 0; cut < v.wire.size(); ++cut) {
            // A copy of exactly its size, so that the address sanitizer sees a read beyond it.
            const bytes part(v.wire.begin(), v.wire.begin() + static_cast<std::ptrdiff_t>(cut));
            any_message m{*v.schema};
            const auto error = decode(*v.schema, m.get(), part, v.version);
            // Only what belongs to no field, the tag buffer of the message itself, has no path.
            const bool located = error && error.offset <= cut && (!error.path.empty() || v.schema->flexible.contains(v.version));
            if (!located) FAIL("cut at " << cut << " of " << v.wire.size() << ": " << error.message());
            ++cuts;
        }
    }
    std::printf("%zu golden messages, %zu cuts\n", golden_messages().size(), cuts);
    CHECK(cuts > 100'000);
}

TEST_CASE("a changed byte costs no more memory than the bytes can pay for", "[hostile]") {
    std::size_t changed = 0, errors = 0;
    for (const auto& v : golden_messages()) {
        INFO(v.name);
        auto wire = v.wire;
        for (std::size_t at = 0; at < wire.size(); ++at) {
            const auto kept = wire[at];
            for (const auto other : {std::byte{0x7f}, std::byte{0xff}}) {
                wire[at] = other;
                std::size_t memory = 0;
                errors += decode_counted(*v.schema, wire, v.version, memory) ? 1 : 0;
                if (memory > max_expansion() * wire.size() + free_of_charge) FAIL("byte " << at << ": " << memory << " bytes of memory for " << wire.size());
                ++changed;
            }
            wire[at] = kept;
        }
    }
    std::printf("%zu changed messages, %zu of them refused\n", changed, errors);
    CHECK(errors > changed / 10);
}

TEST_CASE("the longest arrays stay within the largest ratio of memory to wire", "[hostile]") {
    constexpr std::size_t count = 20'000;
    double worst = 0;
    std::string worst_where;
    std::size_t arrays = 0;
    for (const auto* schema : messages_list()) {
        for (const auto version : {schema->versions.lowest, schema->versions.highest}) {
            with_long_arrays(*schema, count, [&](const any_message& m, const std::string& path) {
                bytes wire;
                if (encode(*schema, m.get(), version, wire)) return;  // an array that this version lacks, or null inside that it cannot say
                ++arrays;
                std::size_t memory = 0;
                const auto error = decode_counted(*schema, wire, version, memory);
                INFO(schema->name << " v" << version << " " << path << ": " << memory << " bytes of memory for " << wire.size() << "; " << error.message());
                REQUIRE_FALSE(error);
                CHECK(memory <= max_expansion() * wire.size() + free_of_charge);
                if (const auto ratio = static_cast<double>(memory) / static_cast<double>(wire.size()); ratio > worst) {
                    worst = ratio;
                    worst_where = std::string{schema->name} + " v" + std::to_string(version) + " " + path;
                }
                // The same count with half of the elements: found out before room is made for them.
                const auto half = bytes_view{wire}.first(wire.size() / 2);
                REQUIRE(decode_counted(*schema, half, version, memory));
                CHECK(memory <= free_of_charge);
            });
        }
    }
    std::printf("%zu arrays of %zu elements; most memory for the wire: %.1f times in %s, bound %zu times\n", arrays, count, worst, worst_where.c_str(), max_expansion());
    CHECK(arrays > 300);
}

TEST_CASE("a false count costs nothing", "[hostile]") {
    std::size_t memory = 0;
    const auto& schema = schema_of<messages::metadata_request>();
    for (const auto& [text, version] : {std::pair{"7fffffff", 0}, {"00010000", 0}, {"7fffffff0001610001", 1}, {"ffffffff07", 9}, {"8080808008", 12}}) {
        INFO(text);
        const auto wire = golden::from_hex(text);
        const auto error = decode_counted(schema, wire, static_cast<std::int16_t>(version), memory);
        CHECK(error.code == errc::bad_length);
        CHECK(error.path == "topics");
        CHECK(error.offset == 0);
        CHECK(memory < 4096);
    }
    // A million bytes do not help a count of a million structs of four bytes each.
    auto wire = golden::from_hex("000f4240");
    wire.resize(1'000'000);
    CHECK(decode_counted(schema_of<messages::metadata_response>(), wire, 0, memory));
    CHECK(memory < free_of_charge);
    // Lies inside lies: each topic claims as many partitions as there are bytes left.
    wire = golden::from_hex("00000000") + golden::from_hex("00000020");
    for (int i = 0; i < 0x20; ++i) wire = wire + golden::from_hex("0000000161000000ff");
    CHECK(decode_counted(schema_of<messages::metadata_response>(), wire, 0, memory));
    CHECK(memory < free_of_charge);
}

TEST_CASE("lengths, nulls and varints that cannot be true", "[hostile]") {
    using request = messages::metadata_request;
    CHECK(error_of<request>("00000001fffe", 0).code == errc::bad_length);
    CHECK(error_of<request>("fffffffe", 1).code == errc::bad_length);
    const auto null_name = error_of<request>("00000001ffff", 0);
    CHECK(null_name.code == errc::bad_value);
    CHECK(null_name.path == "topics[0].name");
    CHECK(null_name.offset == 4);
    const auto short_name = error_of<request>("0000000100056162", 0);
    CHECK(short_name.code == errc::truncated);
    CHECK(short_name.path == "topics[0].name");
    CHECK(short_name.detail == "5 bytes announced, 2 left");
    CHECK(error_of<request>("ffffffffff01", 9).code == errc::bad_varint);
    CHECK(error_of<request>("8080808080808001", 9).code == errc::bad_varint);
    CHECK(error_of<request>("ff", 9).code == errc::truncated);
    CHECK(error_of<request>("0000000000", 0).code == errc::trailing_bytes);
    CHECK(error_of<request>("00", 99).code == errc::unsupported_version);
    CHECK(error_of<request>("00", -1).code == errc::unsupported_version);
}

TEST_CASE("tagged fields: order, size and number", "[hostile]") {
    using response = messages::api_versions_response;
    // v3: error code, no APIs, throttle time, then the tag buffer. Tag 1 is finalizedFeaturesEpoch, an int64.
    const std::string start = "0000" "01" "00000000";
    CHECK_FALSE(error_of<response>(start + "00", 3));
    CHECK_FALSE(error_of<response>(start + "01" "01" "08" "0000000000000007", 3));
    CHECK(error_of<response>(start + "01" "01" "09" "000000000000000700", 3).code == errc::bad_tag);
    const auto shorter = error_of<response>(start + "01" "01" "07" "00000000000007", 3);
    CHECK(shorter.code == errc::truncated);
    CHECK(shorter.path == "finalizedFeaturesEpoch");
    CHECK(error_of<response>(start + "01" "01" "50" "00000000000007", 3).code == errc::truncated);
    CHECK(error_of<response>(start + "02" "01" "08" "0000000000000007" "01" "08" "0000000000000007", 3).code == errc::bad_tag);
    CHECK(error_of<response>(start + "02" "51" "00" "50" "00", 3).code == errc::bad_tag);
    CHECK(error_of<response>(start + "7f" "50" "00", 3).code == errc::bad_length);
    CHECK(error_of<response>(start + "ffffffff0f", 3).code == errc::bad_length);
    CHECK(error_of<response>(start + "01" "50" "ffffffff0f", 3).code == errc::truncated);
}

TEST_CASE("unknown tagged fields are many, but not more than the limit", "[hostile]") {
    const auto with_tags = [](std::uint32_t n) {
        messages::api_versions_response m;
        for (std::uint32_t t = 0; t < n; ++t) m.unknown_tags.push_back({t + 10, {}});
        bytes wire;
        REQUIRE_FALSE(encode(m, 3, wire));
        return wire;
    };
    const auto& schema = schema_of<messages::api_versions_response>();
    std::size_t memory = 0;
    const auto most = decode_limits{}.max_tagged_fields;
    const auto allowed = with_tags(most);
    CHECK_FALSE(decode_counted(schema, allowed, 3, memory));
    CHECK(memory <= max_expansion() * allowed.size() + free_of_charge);
    CHECK(decode_counted(schema, with_tags(most + 1), 3, memory).code == errc::limit_exceeded);
}

TEST_CASE("frames: no such API, no such version, cut headers", "[hostile]") {
    messages::request_header header;
    std::size_t body_at = 0;
    CHECK(decode_request_header(header, golden::from_hex("7fff000000000001"), body_at).code == errc::unknown_api);
    CHECK(decode_request_header(header, golden::from_hex("ffff000000000001"), body_at).code == errc::unknown_api);
    const auto whole = golden::from_hex("00030009" "00000007" "0004" "66757a7a" "00");
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        const bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
        CHECK(decode_request_header(header, part, body_at).code == errc::truncated);
    }
    REQUIRE_FALSE(decode_request_header(header, whole, body_at));
    CHECK(body_at == whole.size());
    CHECK(header.client_id == "fuzz");
    messages::response_header answer;
    CHECK(decode_response_header(answer, golden::from_hex("00000007"), 3, 9, body_at).code == errc::truncated);
    CHECK_FALSE(decode_response_header(answer, golden::from_hex("00000007"), 18, 3, body_at));
    CHECK(decode_response_header(answer, golden::from_hex("00000007"), 999, 0, body_at).code == errc::unknown_api);
}
