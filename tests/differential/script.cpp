#include "script.hpp"

#include <kafkawire/protocol/api.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <optional>

namespace differential {

namespace {

bool begins_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$'; }
bool goes_on_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view{"_$.+#-"}.find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view s) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return s;
}

std::string_view take_word(std::string_view& from) {
    from = trim(from);
    const auto end = std::min(from.find_first_of(" \t"), from.size());
    const auto word = from.substr(0, end);
    from = trim(from.substr(end));
    return word;
}

std::optional<std::int64_t> number(std::string_view s) {
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
    return ec == std::errc{} && end == s.data() + s.size() ? std::optional{n} : std::nullopt;
}

// "3", "0,4,9", "0-9", or "*": all that Kafka 4.3 has.
std::vector<std::int16_t> read_versions(std::string_view text, const kafkawire::protocol::api_info& api) {
    std::vector<std::int16_t> out;
    const auto add = [&](std::int64_t from, std::int64_t to) {
        for (auto v = from; v <= to; ++v) out.push_back(static_cast<std::int16_t>(v));
    };
    if (text == "*") {
        add(api.kafka_4_3.lowest, api.latest_stable >= 0 ? std::min(api.latest_stable, api.kafka_4_3.highest) : api.kafka_4_3.highest);
        return out;
    }
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto part = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        const auto dash = std::min(part.find('-'), part.size());
        const auto from = number(part.substr(0, dash)), to = dash < part.size() ? number(part.substr(dash + 1)) : from;
        if (!from || !to || *from < 0 || *to > 1000) throw script_error("\"" + std::string{part} + "\" is no version");
        add(*from, *to);
    }
    return out;
}

void read_head(entry& e, std::string_view line) {
    auto rest = line;
    auto word = take_word(rest);
    if (word.ends_with(':')) {
        e.connection = word.substr(0, word.size() - 1);
        word = take_word(rest);
    }
    const auto want_number = [&](std::string_view text) {
        const auto n = number(trim(text));
        if (!n) throw script_error("\"" + std::string{text} + "\" is no number");
        e.number = *n;
    };
    if (word == "receive" || word == "close") {
        e.does = word == "close" ? verb::close : verb::receive;
        if (!rest.empty()) throw script_error("nothing follows \"" + std::string{word} + "\"");
        return;
    }
    if (word == "silent" || word == "sleep") {
        e.does = word == "silent" ? verb::silent : verb::sleep;
        return want_number(rest);
    }
    if (word == "settle" || word == "gone") {
        e.does = word == "gone" ? verb::gone : verb::settle;
        e.text = take_word(rest);
        e.number = 1;
        return rest.empty() ? void() : want_number(rest);
    }
    if (word == "raw") {
        e.does = verb::raw;
        e.text = rest;
        return;
    }
    e.does = word == "send" ? verb::send : verb::request;
    if (word == "send") word = take_word(rest);
    const auto* api = kafkawire::protocol::find_api(word);
    if (!api) throw script_error("there is no API \"" + std::string{word} + "\"");
    e.api = api->name;
    e.versions = read_versions(take_word(rest), *api);
    e.text = rest;
}

// `let NAME = PATH`, `until PATH = VALUE`, `with WHAT VALUE`, `keep PATH PREFIX`, `ignore PATH REASON`, `free REASON`
directive read_directive(std::string_view line) {
    directive d;
    d.name = take_word(line);
    if (d.name == "free") {
        d.value = line;
        return d;
    }
    d.path = take_word(line);
    if (line.starts_with('=')) line = trim(line.substr(1));
    d.value = line;
    if (d.name == "ignore" && d.value.empty()) throw script_error("ignore " + d.path + " has no reason");
    return d;
}

bool is_directive(std::string_view line) {
    const auto word = take_word(line);
    return word == "let" || word == "until" || word == "with" || word == "keep" || word == "ignore" || word == "free";
}

void finish(entry& e) {
    if (e.does == verb::request || e.does == verb::send)
        if (!trim(e.text).empty()) e.body = relaxed_json(e.text);
}

}  // namespace

document relaxed_json(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '"') {
            auto end = i + 1;
            while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
            end = std::min(end + 1, text.size());
            out += text.substr(i, end - i);
            i = end;
        } else if (begins_word(text[i])) {
            auto end = i;
            while (end < text.size() && goes_on_word(text[end])) ++end;
            const auto word = text.substr(i, end - i);
            const bool literal = word == "true" || word == "false" || word == "null";
            out += literal ? std::string{word} : '"' + std::string{word} + '"';
            i = end;
        } else {
            out += text[i++];
        }
    }
    return document::parse(out);
}

script read_script(const std::filesystem::path& file) {
    std::ifstream in{file};
    if (!in) throw script_error("cannot read " + file.string());
    script out{file, {}};
    std::string line;
    std::size_t number = 0, started = 0;
    try {
        while (std::getline(in, line)) {
            ++number;
            const auto content = trim(line);
            if (content.empty() || content.front() == '#') continue;
            if (line.front() != ' ' && line.front() != '\t') {
                if (!out.entries.empty()) finish(out.entries.back());
                started = number;
                out.entries.emplace_back().line = number;
                read_head(out.entries.back(), content);
            } else if (out.entries.empty()) {
                throw script_error("an indented line belongs to a request above it");
            } else if (is_directive(content)) {
                out.entries.back().directives.push_back(read_directive(content));
            } else {
                out.entries.back().text += ' ' + std::string{content};
            }
        }
        if (!out.entries.empty()) finish(out.entries.back());
    } catch (const std::exception& e) {
        throw script_error(file.filename().string() + ":" + std::to_string(started) + ": " + e.what());
    }
    return out;
}

}  // namespace differential
