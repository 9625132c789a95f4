#include "cli/traps.hpp"

#include <kafkawire/protocol/annotate.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <fmt/format.h>

#include <set>

namespace kafkawire::cli {

using namespace protocol;

namespace {

// Trying every byte of a long message costs the square of its length; longer ones get the general hint.
constexpr std::size_t most_bytes_to_try = 4096;

bool fits(const reading& r, bytes_view bytes) { return !read(r, bytes).error; }

bool body_fits(const reading& r, bytes_view body) {
    any_message m{*r.schema};
    return !decode(*r.schema, m.get(), body, r.version);
}

// A response of a flexible version has header v1, which ends with a tag buffer; ApiVersions alone keeps v0.
std::string other_header(const outcome& o, bytes_view bytes) {
    if (!o.as.header || o.as.header->name != "ResponseHeader") return {};
    auto other = o.as;
    other.header_version = other.header_version == 0 ? 1 : 0;
    if (!fits(other, bytes)) return {};
    if (other.header_version == 0)
        return fmt::format("the body decodes after response header v0, but {} v{} is flexible and has header v1: the empty tag buffer (00) after the correlation id was forgotten",
                           o.as.schema->name, o.as.version);
    if (o.as.schema->key == 18)
        return "the body decodes after response header v1, but ApiVersions always has header v0: there is no tag buffer after its correlation id";
    return fmt::format("the body decodes after response header v1, but {} v{} is not flexible and has header v0: there is a tag buffer (00) too many after the correlation id",
                       o.as.schema->name, o.as.version);
}

// A frame given as a body, or a body given as a frame.
std::string other_shape(const outcome& o, bytes_view bytes) {
    const auto& r = o.as;
    if (r.schema->as != role::request && r.schema->as != role::response) return {};
    if (r.header) {
        if (body_fits(r, bytes)) return "the bytes are the body alone: leave --frame out";
        if (r.size_prefix && fits(frame_of(*r.schema, r.version, false), bytes)) return "the bytes are a frame without its INT32 size: put the four bytes in front";
        return {};
    }
    for (const bool prefix : {true, false}) {
        auto frame = frame_of(*r.schema, r.version, prefix);
        if (fits(frame, bytes)) return fmt::format("the bytes are a whole frame ({}): add --frame", to_text(frame));
        if (r.schema->as == role::response) {
            frame.header_version = frame.header_version == 0 ? 1 : 0;
            if (fits(frame, bytes))
                return fmt::format("the bytes are a frame with response header v{}, but {} v{} has header v{}: {}", frame.header_version, r.schema->name, r.version,
                                   1 - frame.header_version, frame.header_version == 0 ? "the empty tag buffer (00) after the correlation id was forgotten" : "there is a tag buffer too many after the correlation id");
        }
    }
    return {};
}

std::string missing_tag_buffer(const outcome& o, bytes_view body) {
    if (!o.as.schema->flexible.contains(o.as.version) || body.size() > most_bytes_to_try) return {};
    // Put in where the decoder stopped first, then ever earlier: the mistake is behind the place where it shows, never after it.
    const auto stopped = std::min(o.error.offset - std::min(o.error.offset, o.body_at), body.size());
    const auto try_at = [&](std::size_t at) {
        bytes patched(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(at));
        patched.push_back(std::byte{0});
        patched.insert(patched.end(), body.begin() + static_cast<std::ptrdiff_t>(at), body.end());
        return body_fits(o.as, patched);
    };
    const auto say = [&](std::size_t at) {
        return fmt::format("the bytes decode with an empty tag buffer (00) put in at byte {}: every struct of a flexible version ends with one, and it is easily forgotten", at + o.body_at);
    };
    if (try_at(body.size())) return say(body.size());
    for (std::size_t at = stopped + 1; at-- > 0;)
        if (try_at(at)) return say(at);
    return {};
}

std::string extra_tag_buffer(const outcome& o, bytes_view body) {
    if (o.as.schema->flexible.contains(o.as.version) || o.error.code != errc::trailing_bytes || body.empty() || body.back() != std::byte{0}) return {};
    if (!body_fits(o.as, body.first(body.size() - 1))) return {};
    return fmt::format("the bytes decode without the last 00: version {} is not flexible and has no tag buffers", o.as.version);
}

// Compact lengths and counts are one more than they say; here all of them, in the order of the wire, are taken to lack it.
std::string forgotten_plus_one(const outcome& o, bytes_view body) {
    if (!o.as.schema->flexible.contains(o.as.version) || body.size() > most_bytes_to_try) return {};
    bytes patched(body.begin(), body.end());
    std::set<std::size_t> done;
    std::string first;
    for (int rounds = 0; rounds < 200; ++rounds) {
        const auto a = annotate(*o.as.schema, patched, o.as.version);
        const annotation* next = nullptr;
        for (const auto& v : a.values)
            if (v.type.find("+ 1)") != std::string::npos && v.size == 1 && !done.contains(v.offset)) {
                next = &v;
                break;
            }
        if (!next) break;
        done.insert(next->offset);
        if (first.empty()) first = fmt::format("byte {} ({})", next->offset + o.body_at, next->path);
        auto& b = patched[next->offset];
        if (std::to_integer<int>(b) >= 0x7f) return {};
        b = static_cast<std::byte>(std::to_integer<int>(b) + 1);
        // One mistake alone: everything behind it may already be right.
        if (body_fits(o.as, patched)) return fmt::format("the bytes decode when compact lengths get their plus one, first at {}: a compact length or count is one more than what follows, 0 means null", first);
    }
    return {};
}

// One compact length without its plus one, all others right.
std::string one_forgotten_plus_one(const outcome& o, bytes_view body) {
    if (!o.as.schema->flexible.contains(o.as.version) || body.size() > most_bytes_to_try) return {};
    const auto a = annotate(*o.as.schema, body, o.as.version);
    for (auto v = a.values.rbegin(); v != a.values.rend(); ++v) {
        if (v->type.find("+ 1)") == std::string::npos || v->size != 1 || std::to_integer<int>(body[v->offset]) >= 0x7f) continue;
        bytes patched(body.begin(), body.end());
        patched[v->offset] = static_cast<std::byte>(std::to_integer<int>(patched[v->offset]) + 1);
        if (body_fits(o.as, patched))
            return fmt::format("the bytes decode when the length at byte {} ({}) is one more: a compact length or count is one more than what follows, 0 means null", v->offset + o.body_at, v->path);
    }
    return {};
}

std::string other_version(const outcome& o, bytes_view body) {
    std::string which;
    int found = 0;
    for (int v = o.as.schema->versions.highest; v >= o.as.schema->versions.lowest; --v) {
        auto r = o.as;
        r.version = static_cast<std::int16_t>(v);
        if (v == o.as.version || !body_fits(r, body)) continue;
        if (++found <= 4) which += (which.empty() ? "" : ", ") + std::to_string(v);
    }
    if (!found) return {};
    const bool flexible = o.as.schema->flexible.contains(o.as.version);
    auto text = fmt::format("the bytes decode as version {}", which);
    const auto first = static_cast<std::int16_t>(std::stoi(which));
    if (o.as.schema->flexible.contains(first) != flexible)
        text += flexible ? ", which is not flexible: it has int16 string lengths and int32 counts where flexible versions have uvarints plus one"
                         : ", which is flexible: it has uvarint lengths plus one where older versions have int16 and int32";
    return text;
}

// A 00 where a compact length is expected, before a plausible second byte and text: the high byte of an int16.
std::string int16_instead(const outcome& o, bytes_view body) {
    if (!o.as.schema->flexible.contains(o.as.version)) return {};
    const auto a = annotate(*o.as.schema, body, o.as.version);
    for (const auto& v : a.values) {
        if (v.type.find("length + 1") == std::string::npos || v.size != 1 || v.offset + 2 >= body.size() || body[v.offset] != std::byte{0}) continue;
        const auto n = std::to_integer<std::size_t>(body[v.offset + 1]);
        if (n == 0 || v.offset + 2 + n > body.size()) continue;
        const auto text = body.subspan(v.offset + 2, n);
        if (std::all_of(text.begin(), text.end(), [](std::byte b) { return b >= std::byte{0x20} && b < std::byte{0x7f}; }))
            return fmt::format("at byte {} ({}) stands an INT16 length of {}, but version {} is flexible: it wants the one byte {:02x}, a uvarint of the length plus one",
                               v.offset + o.body_at, v.path, n, o.as.version, n + 1);
    }
    return {};
}

std::string general(const outcome& o) {
    const bool flexible = o.as.schema->flexible.contains(o.as.version);
    switch (o.error.code) {
        case errc::truncated: return flexible ? "are all bytes there? In flexible versions lengths are uvarints of the length plus one" : "are all bytes there? In this version strings have int16 lengths, arrays int32 counts";
        case errc::trailing_bytes: return flexible ? "is the version right? A tag buffer that is one byte too early or late shifts everything behind it" : "is the version right? `kafka-cli explain` shows what each has";
        case errc::bad_value: return flexible ? "a 00 is null in compact encoding, and empty is 01" : "null is a length of -1 (ffff or ffffffff)";
        default: return "is the version right, and is it a request or a response? `kafka-cli explain` shows the fields of each";
    }
}

}  // namespace

std::string name_the_trap(const outcome& failed, bytes_view bytes) {
    const auto body = bytes.subspan(std::min(failed.body_at, bytes.size()));
    if (auto t = other_header(failed, bytes); !t.empty()) return t;
    if (auto t = other_shape(failed, bytes); !t.empty()) return t;
    if (failed.in_header) return failed.as.size_prefix && failed.error.path == "size" ? "a frame is INT32 size, header, body; the size does not count its own four bytes" : general(failed);
    for (const auto trap : {extra_tag_buffer, one_forgotten_plus_one, forgotten_plus_one, int16_instead, missing_tag_buffer, other_version})
        if (auto t = trap(failed, body); !t.empty()) return t;
    return general(failed);
}

}  // namespace kafkawire::cli
