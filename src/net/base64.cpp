#include "net/base64.hpp"

#include <array>
#include <cstdint>

namespace kafkawire::net {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> values = [] {
    std::array<std::int8_t, 256> v{};
    v.fill(-1);
    for (std::size_t i = 0; i < digits.size(); ++i) v[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
    return v;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) text.push_back(k <= have ? digits[three >> (18 - 6 * k) & 63] : '=');
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return {};
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    const auto data = text.substr(0, text.size() - padding);
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    int have = 0;
    for (const char c : data) {
        const auto v = values[static_cast<unsigned char>(c)];
        if (v < 0) return {};
        bits = bits << 6 | static_cast<std::uint32_t>(v);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        bytes.push_back(static_cast<char>(bits >> have & 0xff));
        bits &= (1u << have) - 1;
    }
    if (bits != 0) return {};
    return bytes;
}

}  // namespace kafkawire::net
