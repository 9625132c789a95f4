#include "cli/frame_reading.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "cli/schema_rows.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

std::uint32_t big_endian(bytes_view b, std::size_t at, std::size_t n) {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < n; ++i) v = v << 8 | std::to_integer<std::uint32_t>(b[at + i]);
    return v;
}

// How sure one can be of a response: the more bytes of the body say something, the fewer other messages fit. Unknown tags and unstable
// versions are signs of a wrong guess.
int likelihood(const reading& r) {
    const auto* api = find_api(r.schema->key);
    int points = 0;
    if (api->in.broker) points += 4;
    if (!api->kafka_4_3.empty()) points += 2;
    if (r.version <= api->latest_stable) points += 1;
    return points;
}

}  // namespace

bool has_size_prefix(bytes_view bytes) noexcept { return bytes.size() >= 8 && big_endian(bytes, 0, 4) == bytes.size() - 4; }

reading frame_of(const message_schema& m, std::int16_t version, bool size_prefix) {
    if (m.as == role::request) return {&m, version, size_prefix, &schema_of<messages::request_header>(), request_header_version(m.key, version)};
    return {&m, version, size_prefix, &schema_of<messages::response_header>(), response_header_version(m.key, version)};
}

outcome read(const reading& r, bytes_view bytes) {
    outcome o;
    o.as = r;
    if (r.size_prefix) {
        o.in_header = true;
        if (bytes.size() < 4) {
            o.error = {errc::truncated, 0, "size", fmt::format("a frame begins with an INT32 size; {} bytes are there", bytes.size())};
            return o;
        }
        const auto says = big_endian(bytes, 0, 4);
        if (says != bytes.size() - 4) {
            o.error = {says > bytes.size() - 4 ? errc::truncated : errc::trailing_bytes, 0, "size", fmt::format("the frame says that {} bytes follow, {} do", says, bytes.size() - 4)};
            return o;
        }
        o.body_at = 4;
    }
    if (r.header) {
        o.in_header = true;
        o.header = std::make_unique<any_message>(*r.header);
        std::size_t used = 0;
        o.error = decode_prefix(*r.header, o.header->get(), bytes.subspan(o.body_at), r.header_version, used);
        if (o.error) {
            o.error.offset += o.body_at;
            return o;
        }
        o.body_at += used;
    }
    o.in_header = false;
    o.body = std::make_unique<any_message>(*r.schema);
    o.error = decode(*r.schema, o.body->get(), bytes.subspan(o.body_at), r.version);
    if (o.error) o.error.offset += o.body_at;
    return o;
}

std::vector<reading> guess_request(bytes_view bytes) {
    std::vector<reading> fits;
    for (const bool prefix : {true, false}) {
        const std::size_t at = prefix ? 4 : 0;
        if (bytes.size() < at + 8 || (prefix && !has_size_prefix(bytes))) continue;
        const auto* api = find_api(static_cast<std::int16_t>(big_endian(bytes, at, 2)));
        const auto version = static_cast<std::int16_t>(big_endian(bytes, at + 2, 2));
        if (!api || !api->request->versions.contains(version)) continue;
        fits.push_back(frame_of(*api->request, version, prefix));
    }
    // A frame that decodes is better than one that only begins well.
    std::stable_sort(fits.begin(), fits.end(), [&](const reading& a, const reading& b) { return !read(a, bytes).error && read(b, bytes).error; });
    return fits;
}

std::vector<reading> guess_response(bytes_view bytes) {
    std::vector<reading> fits;
    const bool prefix = has_size_prefix(bytes);
    for (const auto& api : apis())
        for (int v = api.response->versions.highest; v >= api.response->versions.lowest; --v) {
            const auto r = frame_of(*api.response, static_cast<std::int16_t>(v), prefix);
            if (!read(r, bytes).error) fits.push_back(r);
        }
    std::stable_sort(fits.begin(), fits.end(), [](const reading& a, const reading& b) { return likelihood(a) > likelihood(b); });
    return fits;
}

std::string to_text(const reading& r) {
    auto text = fmt::format("{} v{}", full_name(*r.schema), r.version);
    if (r.header) text += fmt::format(", {}{} header v{}", r.size_prefix ? "size prefix and " : "", r.header->name == "RequestHeader" ? "request" : "response", r.header_version);
    return text;
}

}  // namespace kafkawire::cli
