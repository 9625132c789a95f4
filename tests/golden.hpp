// The golden vectors in tests/data/golden: gzip-compressed files with one JSON object a line, made by Apache Kafka's own classes.
#pragma once
#include <zlib.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace golden {

inline std::string text_of(const std::string& name) {
    const auto path = std::string{KAFKAWIRE_SOURCE_DIR} + "/tests/data/golden/" + name + ".jsonl.gz";
    gzFile file = gzopen(path.c_str(), "rb");
    if (!file) throw std::runtime_error{"cannot read " + path};
    std::string text;
    char block[65536];
    for (int n; (n = gzread(file, block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(n));
    gzclose(file);
    return text;
}

/// The lines of a file, by its name without ".jsonl.gz".
inline std::vector<nlohmann::json> lines(const std::string& name) {
    const auto text = text_of(name);
    std::vector<nlohmann::json> out;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        if (end > at) out.push_back(nlohmann::json::parse(std::string_view{text}.substr(at, end - at)));
        at = end + 1;
    }
    if (out.empty()) throw std::runtime_error{name + " has no lines"};
    return out;
}

inline std::vector<std::byte> from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
    return out;
}
inline std::vector<std::byte> bytes_of(const nlohmann::json& line) { return from_hex(line.at("hex").get_ref<const std::string&>()); }

inline std::string from_base64(std::string_view text) {
    static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0, have = 0;
    for (char c : text) {
        const auto v = alphabet.find(c);
        if (v == std::string_view::npos) break;
        bits = bits << 6 | static_cast<unsigned>(v);
        if ((have += 6) >= 8) out.push_back(static_cast<char>(bits >> (have -= 8)));
    }
    return out;
}

}  // namespace golden
