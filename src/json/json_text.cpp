// Hex, base64 and nearest names.
#include <kafkawire/json.hpp>

#include <numeric>

namespace kafkawire::json {

namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int base64_digit(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// How many characters must be put in, left out or changed to make `a` of `b`, whatever their case.
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto changed = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return row.back();
}

}  // namespace

std::optional<protocol::bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return {};
    protocol::bytes data(text.size() / 2);
    for (std::size_t i = 0; i < data.size(); ++i) {
        const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return {};
        data[i] = static_cast<std::byte>(high << 4 | low);
    }
    return data;
}

std::string to_hex(protocol::bytes_view data) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * data.size());
    for (const auto b : data) {
        text += digits[std::to_integer<unsigned>(b) >> 4];
        text += digits[std::to_integer<unsigned>(b) & 15];
    }
    return text;
}

std::optional<protocol::bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return {};
    std::size_t padding = 0;
    while (padding < 2 && text.size() > padding && text[text.size() - 1 - padding] == '=') ++padding;
    protocol::bytes data;
    data.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool pad = i >= text.size() - padding;
        const int digit = pad ? 0 : base64_digit(text[i]);
        if (digit < 0) return {};
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        if (i % 4 != 3) continue;
        const auto have = i + 1 == text.size() ? 3 - padding : 3;
        for (std::size_t k = 0; k < have; ++k) data.push_back(static_cast<std::byte>(bits >> (16 - 8 * k) & 0xff));
        // Bits that padding leaves over are zero; anything else is another spelling of the same bytes, or damage.
        if (have < 3 && (bits & ((1u << (8 * padding)) - 1)) != 0) return {};
        bits = 0;
    }
    return data;
}

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
    std::string_view best;
    auto fewest = std::max<std::size_t>(2, name.size() / 3) + 1;
    for (const auto c : candidates) {
        // A part of the name is as good as a slip: "topic" for "topics", "epoch" for "leaderEpoch".
        const auto n = edits(name, c);
        if (n < fewest) {
            fewest = n;
            best = c;
        }
    }
    return best;
}

}  // namespace kafkawire::json
