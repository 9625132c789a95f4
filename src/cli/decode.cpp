// decode: bytes of the protocol to JSON or to an annotated dump.
#include <kafkawire/protocol/annotate.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/command.hpp"
#include "cli/frame_reading.hpp"
#include "cli/message_json.hpp"
#include "cli/schema_rows.hpp"
#include "cli/text.hpp"
#include "cli/traps.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

struct decode_arguments {
    std::vector<std::string> input;  ///< several words are one, so that a dump with blanks need not be quoted
    std::optional<std::string> api;
    std::optional<std::int64_t> version;
    bool request = false, response = false, frame = false, annotate = false, lines = false;
};

failure bad_bytes(const std::string& text, std::size_t wrong_at) {
    const auto shown = wrong_at < text.size() ? text.substr(wrong_at, 1) : std::string{};
    failure f{status::usage, "bad_hex", {}, "give hexadecimal (blanks are fine), base64, @FILE, or - for standard input"};
    if (text.empty()) f.message = "there are no bytes to decode";
    else if (shown.empty()) f.message = "the hexadecimal text ends in the middle of a byte (an odd number of digits)";
    else f.message = fmt::format("character {} (\"{}\") is no hexadecimal digit, and the text is no base64 either", wrong_at + 1, is_utf8(shown) ? shown : "?");
    return f;
}

// What a user hands over: text in hexadecimal or base64, or a file with either, or with the bytes themselves.
bytes input_bytes(const std::string& input) {
    const bool file = input == "-" || input.starts_with('@');
    const auto text = file ? read_all(input == "-" ? input : input.substr(1)) : input;
    std::size_t wrong_at = 0;
    if (auto b = from_hex(text, wrong_at); b && !b->empty()) return std::move(*b);
    if (auto b = from_base64(text); b && !b->empty() && text.size() >= 4) {
        const auto v = as_bytes(*b);
        return {v.begin(), v.end()};
    }
    if (!file || text.empty()) throw bad_bytes(text, wrong_at);
    const bool readable = std::all_of(text.begin(), text.end(), [](char c) { return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t'; });
    if (readable) throw bad_bytes(text, wrong_at);
    const auto v = as_bytes(text);
    return {v.begin(), v.end()};
}

const message_schema& chosen(const named_message& found, const decode_arguments& a, bytes_view data) {
    if (found.data) return *found.data;
    if (!found.response) return *found.request;
    if (!found.request) return *found.response;
    if (a.request == a.response) {
        if (a.request) throw usage_error("--request and --response exclude each other");
        // One of the two usually fits only; where both do, nobody but the user can know.
        if (a.version) {
            const auto v = static_cast<std::int16_t>(*a.version);
            const auto fit = [&](const message_schema& m) { return m.versions.contains(v) && !read(a.frame ? frame_of(m, v, has_size_prefix(data)) : reading{&m, v}, data).error; };
            const bool as_request = fit(*found.request), as_response = fit(*found.response);
            if (as_request != as_response) return as_request ? *found.request : *found.response;
        }
        throw usage_error(fmt::format("is it a {} request or a response?", found.request->name), "add --request or --response");
    }
    return a.request ? *found.request : *found.response;
}

std::int16_t version_of(const message_schema& m, const decode_arguments& a) {
    if (!a.version) {
        if (m.versions.lowest == m.versions.highest) return m.versions.lowest;
        throw usage_error(fmt::format("which version of {} is it?", full_name(m)), fmt::format("add --version {}..{}", m.versions.lowest, m.versions.highest));
    }
    if (*a.version < m.versions.lowest || *a.version > m.versions.highest)
        throw usage_error(fmt::format("{} has no version {}", full_name(m), *a.version), fmt::format("it has {}-{}", m.versions.lowest, m.versions.highest));
    return static_cast<std::int16_t>(*a.version);
}

// With --frame the size may be there or not; where neither way fits, it is taken to be wrong rather than absent.
reading framed_reading(const message_schema& m, std::int16_t version, bytes_view data) {
    const auto without = frame_of(m, version, false);
    return !has_size_prefix(data) && !read(without, data).error ? without : frame_of(m, version, true);
}

reading guess(bytes_view data) {
    const auto requests = guess_request(data);
    if (!requests.empty() && !read(requests.front(), data).error) return requests.front();
    const auto responses = guess_response(data);
    if (!responses.empty()) {
        if (responses.size() > 1) {
            auto others = fmt::format("{} readings fit; taken as {}. Others:", responses.size(), to_text(responses.front()));
            for (std::size_t i = 1; i < std::min<std::size_t>(responses.size(), 6); ++i) others += fmt::format(" {} v{}{}", full_name(*responses[i].schema), responses[i].version, i + 1 < std::min<std::size_t>(responses.size(), 6) ? "," : "");
            note(others + ". Say --api and --version to choose.");
        }
        return responses.front();
    }
    if (!requests.empty()) return requests.front();  // its error tells more than "unknown"
    failure f{status::failed, "unknown_frame", "the bytes are neither a request frame nor the whole response to any request", "a body alone needs --api, --version and --request or --response"};
    if (data.size() >= 4 && !has_size_prefix(data)) {
        const auto says = std::to_integer<std::uint32_t>(data[0]) << 24 | std::to_integer<std::uint32_t>(data[1]) << 16 | std::to_integer<std::uint32_t>(data[2]) << 8 | std::to_integer<std::uint32_t>(data[3]);
        f.cause = fmt::format("the first four bytes, as a size, say {}; {} bytes follow them", says, data.size() - 4);
    }
    throw f;
}

void dump(const outcome& o, bytes_view data, output& out) {
    std::string text = to_text(o.as) + "\n";
    std::size_t at = 0;
    annotated all;
    if (o.as.size_prefix && data.size() >= 4) {
        all.values.push_back({0, 4, "size", "INT32", fmt::format("{} bytes follow", data.size() - 4)});
        at = 4;
    }
    const auto append = [&](const message_schema& schema, bytes_view part, std::int16_t version) {
        auto a = annotate(schema, part, version);
        for (auto& v : a.values) {
            v.offset += at;
            all.values.push_back(std::move(v));
        }
        if (a.error) {
            a.error.offset += at;
            all.error = std::move(a.error);
        }
    };
    if (o.as.header && o.header) append(*o.as.header, o.in_header ? data.subspan(at) : data.subspan(at, o.body_at - at), o.as.header_version);
    at = o.body_at;
    if (o.body) append(*o.as.schema, data.subspan(at), o.as.version);
    all.error = {};  // told as a failure, with its hint
    out.write(text + annotated_dump(all, data));
}

[[noreturn]] void fail(const outcome& o, bytes_view data) {
    failure f{status::failed, "decode_failed", fmt::format("not a {}: {}", to_text(o.as), o.error.message()), name_the_trap(o, data)};
    f.code = static_cast<int>(o.error.code);
    f.api = fmt::format("{} v{}", o.as.schema->name, o.as.version);
    throw f;
}

status decode_one(const decode_arguments& a, context& c) {
    if (a.input.empty()) throw usage_error("decode needs the bytes", "give hexadecimal, base64, @FILE, or - for standard input");
    const auto data = input_bytes(fmt::format("{}", fmt::join(a.input, " ")));
    reading r;
    if (a.api) {
        const auto& m = chosen(find_message(*a.api), a, data);
        const auto version = version_of(m, a);
        const bool framed = a.frame && (m.as == role::request || m.as == role::response);
        r = framed ? framed_reading(m, version, data) : reading{&m, version};
    } else {
        if (a.version || a.request || a.response) throw usage_error("--version, --request and --response need --api", "add --api NAME, or leave them out to have a whole frame guessed");
        r = guess(data);
    }
    const auto o = read(r, data);
    if (a.annotate) {
        dump(o, data, *c.out);
        if (o.error) fail(o, data);
        return status::done;
    }
    if (o.error) fail(o, data);
    const auto json = r.header ? frame_json(o) : message_json(*r.schema, o.body->get(), r.version);
    c.out->write((c.format == output_format::text ? json.dump(2) : json.dump()) + "\n");
    return status::done;
}

// Golden lines: each line's message is decoded and its JSON put in. A line that cannot be is told and does not stop the others.
status decode_lines(const decode_arguments& a, context& c) {
    std::size_t bad = 0;
    const auto input = a.input.empty() ? std::string{"-"} : a.input.front();
    for_each_line(read_all(input.starts_with('@') ? input.substr(1) : input), [&](std::size_t n, const ordered_json& line) {
        auto result = line;
        result.erase("json");
        try {
            const auto [schema, version] = golden_message(line);
            const auto hex = line.at("hex").get<std::string>();
            std::size_t wrong_at = 0;
            const auto data = from_hex(hex, wrong_at);
            if (!data) throw bad_bytes(hex, wrong_at);
            const auto o = read({schema, version}, *data);
            if (o.error) fail(o, *data);
            result["json"] = message_json(*schema, o.body->get(), version);
        } catch (const failure& f) {
            ++bad;
            note(fmt::format("line {}: {}", n, f.message));
            result["error"] = ordered_json::parse(to_json(f)).at("error");
        } catch (const nlohmann::json::exception& e) {
            ++bad;
            note(fmt::format("line {}: {}", n, e.what()));
            result["error"] = {{"name", "bad_line"}, {"message", e.what()}};
        }
        c.out->write(result.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
        c.out->flush_point();
    });
    return bad ? status::failed : status::done;
}

}  // namespace

void add_decode(command root) {
    auto sub = root.add("decode", "Bytes of the protocol to JSON, or to a dump with the meaning of every byte");
    auto a = std::make_shared<decode_arguments>();
    sub.words("BYTES", a->input, "Hexadecimal, base64, @FILE, or - for standard input", false);
    sub.option("--api", a->api, "What it is: Metadata, 3, ConsumerProtocolSubscription; left out: a whole frame is guessed", "NAME");
    sub.option("--version", a->version, "Its version");
    sub.flag("--request", a->request, "It is a request");
    sub.flag("--response", a->response, "It is a response");
    sub.flag("--frame", a->frame, "Size and header come before the body");
    sub.flag("-a,--annotate", a->annotate, "A dump: offset, bytes, field, type, meaning");
    sub.flag("--jsonl", a->lines, "Lines of {\"api\",\"type\",\"version\",\"hex\"} get their \"json\"");
    sub.examples("  kafka-cli decode --api Metadata --version 12 --response @answer.bin\n"
                 "  kafka-cli decode --annotate 0000001d0012000400000007000474657374000a6b61666b612d636c6904302e3100\n"
                 "  kafka-cli decode --jsonl < golden.jsonl > decoded.jsonl");
    sub.does([a](context& c) { return a->lines ? decode_lines(*a, c) : decode_one(*a, c); });
}

}  // namespace kafkawire::cli
