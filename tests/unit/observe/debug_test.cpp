// Requests as they are printed.
#include <kafkawire/observe.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/33_alter_configs.hpp>
#include <kafkawire/protocol/messages/36_sasl_authenticate.hpp>
#include <kafkawire/protocol/messages/38_create_delegation_token.hpp>
#include <kafkawire/protocol/messages/51_alter_user_scram_credentials.hpp>

#include <regex>
#include <set>

#include "seen_rig.hpp"
#include "security.hpp"

using namespace seeing;

namespace {

std::vector<std::string> printed(rig& r, kw::client_options o = {}) {
    std::vector<std::string> lines;
    auto with = r.client(std::make_shared<kw::debug_printer>([&](std::string_view line) { lines.emplace_back(line); }));
    with.name = o.name;
    r.produce_and_read(with);
    return lines;
}

template <class Message>
std::string text_of(const Message& m, std::int16_t version) {
    kw::protocol::scatter frame;
    if constexpr (requires { typename Message::response; }) REQUIRE_FALSE(kw::protocol::encode_request(m, version, 7, "me", frame));
    else REQUIRE_FALSE(kw::protocol::encode_response(kw::protocol::schema_of<Message>(), &m, version, 7, frame));
    std::vector<std::byte> whole;
    for (const auto p : frame.parts()) whole.insert(whole.end(), p.begin(), p.end());
    return kw::frame_text(Message::key, version, !requires { typename Message::response; }, std::span{whole}.subspan(4));
}

}  // namespace

TEST_CASE("each request is a line with who, where, what, how long, how much, and both messages", "[debug]") {
    rig r;
    const auto lines = printed(r, {.name = "orders"});
    const std::regex form{R"(kafkawire orders 127\.0\.0\.1:\d+ ([A-Za-z]+) v(\d+): \d+\.\d{3} ms, \d+ bytes out, \d+ in(; failed: [^;]+(;[^;]+)*)?; request \{.*\}(; answer \{.*\})?)"};
    std::set<std::string> apis;
    for (const auto& line : lines) {
        if (line.find(" bytes out, ") == line.npos) continue;
        std::smatch m;
        CAPTURE(line);
        REQUIRE(std::regex_match(line, m, form));
        apis.insert(m[1]);
    }
    for (const auto api : {"ApiVersions", "Metadata", "InitProducerId", "Produce", "Fetch", "FindCoordinator", "JoinGroup", "SyncGroup", "OffsetFetch", "OffsetCommit"}) CHECK(apis.count(api) == 1);
    const auto with = [&](std::string_view text) { return std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.find(text) != l.npos; }); };
    CHECK(with("\"topicData\":[{"));
    CHECK(with(" connection: negotiating -> ready"));
    CHECK(with(" info group: partitions are assigned (group=billing"));
    for (const auto& line : lines) CHECK(line.find('\n') == line.npos);
    // Records are not printed whole.
    const std::regex records{"\"records\":\"[A-Za-z0-9+/=]{49,}\""};
    CHECK_FALSE(std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return std::regex_search(l, records); }));
    CHECK(with("... "));
}

TEST_CASE("a text that is too long is cut off", "[debug]") {
    rig r;
    std::vector<std::string> lines;
    r.produce_and_read(r.client(std::make_shared<kw::debug_printer>([&](std::string_view line) { lines.emplace_back(line); }, 100)));
    CHECK(std::any_of(lines.begin(), lines.end(), [](const auto& l) { return l.find(" more bytes of text") != l.npos; }));
    for (const auto& line : lines) CHECK(line.size() < 700);
}

TEST_CASE("what says who somebody is does not stand in the text", "[debug]") {
    using namespace kw::protocol::messages;
    const auto bytes_of = [](std::string_view s) { return kw::protocol::bytes{reinterpret_cast<const std::byte*>(s.data()), reinterpret_cast<const std::byte*>(s.data()) + s.size()}; };
    sasl_authenticate_request a;
    a.auth_bytes = bytes_of("canary");
    CHECK(text_of(a, 2) == "(hidden)");
    create_delegation_token_response t;
    t.token_id = "id";
    t.hmac = bytes_of("canary");
    CHECK_FALSE(secured::leaks(text_of(t, 2)));
    CHECK(text_of(t, 2).find("\"hmac\":\"(hidden)\"") != std::string::npos);
    CHECK(text_of(t, 2).find("\"tokenId\":\"id\"") != std::string::npos);
    alter_user_scram_credentials_request u;
    auto& one = u.upsertions.emplace_back();
    one.name = "alice";
    one.salt = bytes_of("canary");
    one.salted_password = bytes_of("canary");
    CHECK_FALSE(secured::leaks(text_of(u, 0)));
    CHECK(text_of(u, 0).find("alice") != std::string::npos);
    alter_configs_request c;
    auto& config = c.resources.emplace_back().configs.emplace_back();
    config.name = "ssl.key.password";
    config.value = "ca\"nary\\canary";
    CHECK_FALSE(secured::leaks(text_of(c, 1)));
    // A name that looks like a field hides nothing and breaks nothing.
    c.resources.back().resource_name = "\"value\":\"x";
    CHECK(text_of(c, 1).find("\\\"value\\\":\\\"x") != std::string::npos);
    CHECK(kw::frame_text(9'999, 0, false, {}).find("unknown API") != std::string::npos);
    const std::array<std::byte, 3> few{};
    CHECK(kw::frame_text(3, 1, true, few).find("cannot be read") != std::string::npos);
}

TEST_CASE("the environment switches it on", "[debug]") {
    const auto asked = [](const char* variable) {
        const char* const all[] = {"HOME=/", variable, nullptr};
        return kw::debug_is_asked_for(all);
    };
    CHECK(asked("KAFKAWIRE_DEBUG=1"));
    CHECK(asked("KAFKAWIRE_DEBUG=all"));
    for (const auto* off : {"KAFKAWIRE_DEBUG=", "KAFKAWIRE_DEBUG=0", "KAFKAWIRE_DEBUG=False", "KAFKAWIRE_DEBUG=off", "KAFKAWIRE_DEBUG=no", "KAFKAWIRE_DEBUGGING=1"}) CHECK_FALSE(asked(off));
    CHECK_FALSE(kw::debug_is_asked_for(nullptr));
}
