#include "protocol/text.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace kafkawire::protocol {

namespace {

// The length of the UTF-8 sequence at the start of `text`, or 0 if there is none.
std::size_t utf8_length(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
    const auto first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        if (!continues(1) || !continues(2)) return 0;
        if (first == 0xe0 && at(1) < 0xa0) return 0;  // overlong
        if (first == 0xed && at(1) > 0x9f) return 0;  // surrogates
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if (!continues(1) || !continues(2) || !continues(3)) return 0;
        if (first == 0xf0 && at(1) < 0x90) return 0;
        if (first == 0xf4 && at(1) > 0x8f) return 0;
        return 4;
    }
    return 0;
}

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64(std::string& to, std::span<const std::uint8_t> data, std::string_view alphabet, bool pad) {
    for (std::size_t i = 0; i < data.size(); i += 3) {
        const auto have = std::min<std::size_t>(3, data.size() - i);
        std::uint32_t group = static_cast<std::uint32_t>(data[i]) << 16;
        if (have > 1) group |= static_cast<std::uint32_t>(data[i + 1]) << 8;
        if (have > 2) group |= data[i + 2];
        for (std::size_t c = 0; c < 4; ++c) {
            if (c <= have) to += alphabet[group >> (18 - 6 * c) & 0x3f];
            else if (pad) to += '=';
        }
    }
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        if (c == '"' || c == '\\') {
            to += '\\';
            to += static_cast<char>(c);
        } else if (c == '\n') {
            to += "\\n";
        } else if (c == '\r') {
            to += "\\r";
        } else if (c == '\t') {
            to += "\\t";
        } else if (c < 0x20 || c == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
            to += escaped;
        } else {
            const auto n = utf8_length(text);
            if (n == 0) {
                to += "\xef\xbf\xbd";
            } else {
                to += text.substr(0, n);
                text.remove_prefix(n);
                continue;
            }
        }
        text.remove_prefix(1);
    }
    to += '"';
}

void append_base64(std::string& to, bytes_view data) {
    base64(to, {reinterpret_cast<const std::uint8_t*>(data.data()), data.size()}, standard_alphabet, true);
}

std::string counted(std::uint64_t n, std::string_view thing) {
    auto text = std::to_string(n) + ' ';
    text += thing;
    if (n != 1) text += 's';
    return text;
}

std::string double_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    std::string result{text, end};
    if (result.find_first_of(".e") == std::string::npos) result += ".0";
    return result;
}

std::string iso_time(std::int64_t milliseconds) {
    auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    auto rest = static_cast<int>(milliseconds % 1000);
    if (rest < 0) {
        rest += 1000;
        --seconds;
    }
    std::tm utc{};
    if (!gmtime_r(&seconds, &utc) || utc.tm_year > 8099 || utc.tm_year < -1900) return {};
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, rest);
    return text;
}

std::string uuid::to_string() const {
    std::string text;
    base64(text, octets, url_alphabet, false);
    return text;
}

std::optional<uuid> uuid::from_string(std::string_view text) noexcept {
    if (text.size() != 22) return {};
    uuid result;
    std::uint32_t bits = 0;
    int have = 0;
    std::size_t at = 0;
    for (const char c : text) {
        const auto value = url_alphabet.find(c);
        if (value == std::string_view::npos) return {};
        bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xfff;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        if (at < 16) result.octets[at++] = static_cast<std::uint8_t>(bits >> have);
    }
    if (at != 16 || (bits & 0x0f) != 0) return {};  // the last character has four bits to spare; they are zero
    return result;
}

}  // namespace kafkawire::protocol
