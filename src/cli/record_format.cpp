#include <fmt/format.h>

#include <ctime>

#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/record.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

const char* const format_grammar =
    "Formats: %t topic, %p partition, %o offset, %k key, %v value (also %s), %T %K %V (%S) their lengths (-1: null), %H number of headers,\n"
    "%h{...} the braces once per header, with %k and %v inside, %d time in ms, %d{iso}, %d{strftime[%F %T]}, %e leader epoch, %x producer id,\n"
    "%y producer epoch, %a compression, %[ log start, %| last stable offset, %] high watermark, %i count, %% percent; \\n \\t \\r \\\\ \\xHH.\n"
    "{hex} and {base64} after %t %k %v; {hex} {big8} {big16} {big32} {big64} {little16} {little32} {little64} after numbers.\n"
    "With kcat: in front the text is a kcat format (%T time, %h headers, %R value length in four bytes).";

namespace {

failure wrong(std::string_view what, std::size_t at) { return usage_error(fmt::format("the format is wrong at character {}: {}", at + 1, what), "the verbs are in `kafka-cli consume --help`"); }

// The text inside braces that begin at `at`, nested ones included; `at` ends behind them. Empty if there are none.
std::string_view braces_at(std::string_view text, std::size_t& at) {
    if (at >= text.size() || text[at] != '{') return {};
    int depth = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
        if (text[i] == '{') ++depth;
        if (text[i] == '}' && --depth == 0) {
            const auto inside = text.substr(at + 1, i - at - 1);
            at = i + 1;
            return inside;
        }
    }
    throw wrong("the brace is not closed", at);
}

char escaped(std::string_view text, std::size_t& at) {
    if (at >= text.size()) throw wrong("nothing follows the backslash", at);
    const char c = text[at++];
    switch (c) {
        case 'n': return '\n';
        case 't': return '\t';
        case 'r': return '\r';
        case '0': return '\0';
        case '\\': return '\\';
        case 'x': {
            std::size_t bad = 0;
            const auto byte = at + 2 <= text.size() ? from_hex(text.substr(at, 2), bad) : std::nullopt;
            if (!byte || byte->size() != 1) throw wrong("\\x needs two hexadecimal digits", at);
            at += 2;
            return static_cast<char>((*byte)[0]);
        }
        default: return c;
    }
}

std::int64_t length(const std::optional<std::string_view>& v) { return v ? static_cast<std::int64_t>(v->size()) : -1; }

}  // namespace

record_format::record_format(std::string_view text) {
    const bool kcat = text.starts_with("kcat:");
    parts_ = parse(kcat ? text.substr(5) : text, kcat, false);
    bool length_of_topic = false, kcat_value = false;
    for (const auto& p : parts_) {
        length_of_topic |= p.verb == 'T';
        kcat_value |= p.verb == 's';
    }
    if (!kcat && length_of_topic && kcat_value) hint_ = "%T is the topic's length here; kcat's time is %d, or put kcat: before the format";
}

std::vector<record_format::part> record_format::parse(std::string_view text, bool kcat, bool in_header) {
    std::vector<part> parts;
    const auto add = [&](char c) {
        if (parts.empty() || parts.back().verb != 0) parts.push_back({});
        parts.back().text += c;
    };
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at++];
        if (c == '\\') {
            add(escaped(text, at));
        } else if (c != '%') {
            add(c);
        } else if (at >= text.size()) {
            throw wrong("nothing follows the percent sign", at);
        } else if (text[at] == '%') {
            ++at;
            add('%');
        } else {
            parts.push_back(parse_verb(text, at, kcat, in_header));
        }
    }
    return parts;
}

record_format::part record_format::parse_verb(std::string_view text, std::size_t& at, bool kcat, bool in_header) {
    part p;
    const auto begin = at;
    p.verb = text[at++];
    const std::string_view known = in_header ? "kvKV" : kcat ? "tpoksKSRTh" : "tpokvTKVsSRHhdexyai[|]";
    if (known.find(p.verb) == known.npos) throw wrong(fmt::format("%{} is no verb{}", p.verb, in_header ? " inside %h{{}}" : ""), begin);
    if (kcat) {
        if (p.verb == 'T') p.verb = 'd';
        if (p.verb == 'h') p.verb = ',';
    }
    if (p.verb == 'R') {
        p.verb = 'S';
        p.as = coding::big32;
        return p;
    }
    const bool braced = at < text.size() && text[at] == '{' && !kcat;
    const auto inside = braced ? braces_at(text, at) : std::string_view{};
    if (p.verb == 'h') {
        if (!braced) throw wrong("%h needs braces, as in %h{%k=%v;}", begin);
        p.inner = parse(inside, false, true);
    } else if (braced) {
        coding_of(p, inside);
    }
    return p;
}

void record_format::coding_of(part& p, std::string_view braces) {
    static constexpr std::pair<std::string_view, coding> names[] = {
        {"hex", coding::hex},     {"base64", coding::base64},     {"big8", coding::big8},         {"big16", coding::big16},       {"big32", coding::big32},
        {"big64", coding::big64}, {"little16", coding::little16}, {"little32", coding::little32}, {"little64", coding::little64}, {"iso", coding::iso}};
    if (p.verb == 'd' && braces.starts_with("strftime[") && braces.ends_with(']')) {
        p.as = coding::strftime;
        p.text = braces.substr(9, braces.size() - 10);
        return;
    }
    for (const auto& [name, as] : names)
        if (braces == name) {
            const bool text = std::string_view{"tkvsa"}.find(p.verb) != std::string_view::npos;
            if ((as == coding::base64 && !text) || (as == coding::iso && p.verb != 'd') || (text && as != coding::hex && as != coding::base64)) break;
            p.as = as;
            return;
        }
    throw usage_error(fmt::format("%{} cannot be written as {{{}}}", p.verb, braces), "{hex} and {base64} are for text, {big32} and the like for numbers, {iso} for %d");
}

void record_format::append_number(std::string& to, std::int64_t n, coding as) {
    const auto bytes = [&](int count, bool big) {
        for (int i = 0; i < count; ++i) to += static_cast<char>(static_cast<std::uint64_t>(n) >> (8 * (big ? count - 1 - i : i)));
    };
    switch (as) {
        case coding::hex: to += fmt::format("{:x}", static_cast<std::uint64_t>(n)); break;
        case coding::big8: bytes(1, true); break;
        case coding::big16: bytes(2, true); break;
        case coding::big32: bytes(4, true); break;
        case coding::big64: bytes(8, true); break;
        case coding::little16: bytes(2, false); break;
        case coding::little32: bytes(4, false); break;
        case coding::little64: bytes(8, false); break;
        default: {
            char text[24];
            to.append(text, std::to_chars(text, text + sizeof text, n).ptr);
        }
    }
}

void record_format::append_text(std::string& to, std::string_view text, coding as) {
    if (as == coding::hex) to += to_hex(as_bytes(text));
    else if (as == coding::base64) to += to_base64(text);
    else to += text;
}

void record_format::append_part(std::string& to, const part& p, const shown_record& r, std::uint64_t count) {
    switch (p.verb) {
        case 0: to += p.text; break;
        case 't': append_text(to, r.topic, p.as); break;
        case 'k': append_text(to, r.key.value_or(""), p.as); break;
        case 'v':
        case 's': append_text(to, r.value.value_or(""), p.as); break;
        case 'a': append_text(to, r.compression, p.as); break;
        case 'T': append_number(to, static_cast<std::int64_t>(r.topic.size()), p.as); break;
        case 'K': append_number(to, length(r.key), p.as); break;
        case 'V':
        case 'S': append_number(to, length(r.value), p.as); break;
        case 'H': append_number(to, static_cast<std::int64_t>(r.headers.size()), p.as); break;
        case 'p': append_number(to, r.partition, p.as); break;
        case 'o': append_number(to, r.offset, p.as); break;
        case 'e': append_number(to, r.leader_epoch, p.as); break;
        case 'x': append_number(to, r.producer_id, p.as); break;
        case 'y': append_number(to, r.producer_epoch, p.as); break;
        case '[': append_number(to, r.log_start, p.as); break;
        case '|': append_number(to, r.last_stable, p.as); break;
        case ']': append_number(to, r.high_watermark, p.as); break;
        case 'i': append_number(to, static_cast<std::int64_t>(count), p.as); break;
        case 'd':
            if (p.as == coding::iso) {
                to += iso_time(r.timestamp);
            } else if (p.as == coding::strftime) {
                const auto seconds = static_cast<std::time_t>(r.timestamp / 1000);
                std::tm parts{};
                char text[256];
                if (::gmtime_r(&seconds, &parts)) to.append(text, std::strftime(text, sizeof text, p.text.c_str(), &parts));
            } else {
                append_number(to, r.timestamp, p.as);
            }
            break;
        case ',':
            for (std::size_t i = 0; i < r.headers.size(); ++i) {
                if (i) to += ',';
                to += r.headers[i].key;
                to += '=';
                to += r.headers[i].value.value_or("NULL");
            }
            break;
        case 'h':
            for (const auto& h : r.headers) {
                shown_record one;
                one.key = h.key;
                one.value = h.value;
                for (const auto& inner : p.inner) append_part(to, inner, one, count);
            }
            break;
        default: break;
    }
}

void record_format::append(std::string& to, const shown_record& r, std::uint64_t count) const {
    for (const auto& p : parts_) append_part(to, p, r, count);
}

}  // namespace kafkawire::cli
