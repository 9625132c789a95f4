#include "cli/text.hpp"

#include "cli/failure.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

namespace kafkawire::cli {

namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> base64_values = [] {
    std::array<std::int8_t, 256> t{};
    t.fill(-1);
    for (std::size_t i = 0; i < base64_alphabet.size(); ++i) t[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::int8_t>(i);
    t['-'] = 62;
    t['_'] = 63;
    return t;
}();

}  // namespace

std::string to_hex(protocol::bytes_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const auto b : bytes) {
        text += digits[std::to_integer<unsigned>(b) >> 4];
        text += digits[std::to_integer<unsigned>(b) & 15];
    }
    return text;
}

std::optional<protocol::bytes> from_hex(std::string_view text, std::size_t& wrong_at) {
    protocol::bytes out;
    out.reserve(text.size() / 2);
    std::size_t i = text.starts_with("0x") || text.starts_with("0X") ? 2 : 0;
    int high = -1;
    for (; i < text.size(); ++i) {
        if (high < 0 && (std::isspace(static_cast<unsigned char>(text[i])) || text[i] == ':')) continue;
        const int d = hex_digit(text[i]);
        if (d < 0) return wrong_at = i, std::nullopt;
        if (high < 0) {
            high = d;
        } else {
            out.push_back(static_cast<std::byte>(high << 4 | d));
            high = -1;
        }
    }
    if (high >= 0) return wrong_at = text.size(), std::nullopt;
    return out;
}

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    const auto at = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t v = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        text += base64_alphabet[v >> 18];
        text += base64_alphabet[v >> 12 & 63];
        text += i + 1 < bytes.size() ? base64_alphabet[v >> 6 & 63] : '=';
        text += i + 2 < bytes.size() ? base64_alphabet[v & 63] : '=';
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    int have = 0;
    std::size_t letters = 0, padding = 0;
    for (const char c : text) {
        if (c == '\n' || c == '\r' || c == ' ') continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        const auto v = base64_values[static_cast<unsigned char>(c)];
        if (v < 0 || padding) return {};
        ++letters;
        bits = bits << 6 | static_cast<std::uint32_t>(v);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out += static_cast<char>(bits >> have & 0xff);
        }
    }
    // One letter alone cannot be a byte; bits left over must be zero, else two texts would mean the same bytes.
    if (letters % 4 == 1 || padding > 2 || (padding && (letters + padding) % 4 != 0) || (bits & ((1u << have) - 1)) != 0) return {};
    return out;
}

bool is_utf8(std::string_view s) noexcept {
    const auto* p = reinterpret_cast<const unsigned char*>(s.data());
    const auto* const end = p + s.size();
    const auto follows = [](unsigned char c) { return (c & 0xc0) == 0x80; };
    while (p != end) {
        if (*p < 0x80) {
            ++p;
        } else if (*p >= 0xc2 && *p <= 0xdf) {
            if (end - p < 2 || !follows(p[1])) return false;
            p += 2;
        } else if ((*p & 0xf0) == 0xe0) {
            if (end - p < 3 || !follows(p[1]) || !follows(p[2])) return false;
            if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f)) return false;
            p += 3;
        } else if (*p >= 0xf0 && *p <= 0xf4) {
            if (end - p < 4 || !follows(p[1]) || !follows(p[2]) || !follows(p[3])) return false;
            if ((*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f)) return false;
            p += 4;
        } else {
            return false;
        }
    }
    return true;
}

void append_json_string(std::string& to, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    to += '"';
    for (const char c : text) {
        switch (c) {
            case '"': to += "\\\""; break;
            case '\\': to += "\\\\"; break;
            case '\n': to += "\\n"; break;
            case '\r': to += "\\r"; break;
            case '\t': to += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                    to += "\\u00";
                    to += digits[static_cast<unsigned char>(c) >> 4];
                    to += digits[static_cast<unsigned char>(c) & 15];
                } else {
                    to += c;
                }
        }
    }
    to += '"';
}

std::string read_all(const std::string& path) {
    const auto fail = [&](int why) {
        return failure{status::failed, "unreadable_file", "cannot read " + (path == "-" ? std::string{"standard input"} : path) + ": " + std::strerror(why),
                       why == ENOENT ? "check the path; a file is given as @PATH where text is taken too" : "check the path and its permissions"};
    };
    const int fd = path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw fail(errno);
    std::string all;
    std::array<char, 65536> chunk;
    for (;;) {
        const auto n = ::read(fd, chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            const int why = errno;
            if (fd != 0) ::close(fd);
            if (n < 0) throw fail(why);
            return all;
        }
        all.append(chunk.data(), static_cast<std::size_t>(n));
    }
}

}  // namespace kafkawire::cli
