// Texts of addresses and back. IPv6 by RFC 4291 and, for printing, RFC 5952.
#include <kafkawire/environment.hpp>

#include <charconv>

namespace kafkawire::net {

namespace {

std::optional<std::uint32_t> number(std::string_view text, int base, std::uint32_t most, std::size_t digits) {
    std::uint32_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n, base);
    if (text.empty() || text.size() > digits || ec != std::errc{} || end != text.data() + text.size() || n > most) return {};
    return n;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

bool parse_v4(std::string_view text, std::uint8_t* to) {
    const auto parts = split(text, '.');
    if (parts.size() != 4) return false;
    for (const auto part : parts) {
        const auto n = number(part, 10, 255, 3);
        if (!n || (part.size() > 1 && part[0] == '0')) return false;  // "010" is 8 to some and 10 to others
        *to++ = static_cast<std::uint8_t>(*n);
    }
    return true;
}

// Groups of one side of "::", big endian; the last may be an IPv4 address.
bool parse_groups(std::string_view text, std::vector<std::uint8_t>& to) {
    if (text.empty()) return true;
    const auto parts = split(text, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
            std::uint8_t v4[4];
            if (!parse_v4(parts[i], v4)) return false;
            to.insert(to.end(), v4, v4 + 4);
            continue;
        }
        const auto n = number(parts[i], 16, 0xffff, 4);
        if (!n) return false;
        to.push_back(static_cast<std::uint8_t>(*n >> 8));
        to.push_back(static_cast<std::uint8_t>(*n));
    }
    return to.size() <= 16;
}

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
    ip_address a;
    if (text.size() > 64) return {};
    if (parse_v4(text, a.octets.data())) return a;
    a = {};
    a.v6 = true;
    if (const auto percent = text.find('%'); percent != std::string_view::npos) {
        const auto scope = number(text.substr(percent + 1), 10, UINT32_MAX, 10);
        if (!scope) return {};
        a.scope = *scope;
        text = text.substr(0, percent);
    }
    std::vector<std::uint8_t> before, after;
    const auto gap = text.find("::");
    if (!parse_groups(text.substr(0, gap), before)) return {};
    if (gap == std::string_view::npos ? before.size() != 16 : !parse_groups(text.substr(gap + 2), after)) return {};
    if (gap != std::string_view::npos && before.size() + after.size() > 14) return {};
    std::copy(before.begin(), before.end(), a.octets.begin());
    std::copy(after.begin(), after.end(), a.octets.end() - static_cast<std::ptrdiff_t>(after.size()));
    return a;
}

std::string ip_address::to_string() const {
    std::string text;
    if (!v6) {
        for (std::size_t i = 0; i < 4; ++i) text += (i ? "." : "") + std::to_string(octets[i]);
        return text;
    }
    // The longest run of at least two zero groups becomes "::", the first of equals.
    const auto group = [&](std::size_t i) { return octets[2 * i] << 8 | octets[2 * i + 1]; };
    std::size_t best = 8, length = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        std::size_t n = 0;
        while (i + n < 8 && group(i + n) == 0) ++n;
        if (n > length) best = i, length = n;
    }
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == best) {
            text += "::";
            i += length - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        char hex[5];
        text.append(hex, std::to_chars(hex, hex + 5, group(i), 16).ptr);
    }
    if (scope) text += '%' + std::to_string(scope);
    return text;
}

std::string endpoint::to_string() const {
    return (address.v6 ? '[' + address.to_string() + ']' : address.to_string()) + ':' + std::to_string(port);
}

}  // namespace kafkawire::net
