// Small things about text: numbers, hexadecimal, base64, UTF-8, files.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace kafkawire::cli {

/// The whole of `text` as a decimal number, or nothing.
template <class Integer>
[[nodiscard]] std::optional<Integer> number(std::string_view text) noexcept {
    Integer value{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
    return value;
}

[[nodiscard]] std::string to_hex(protocol::bytes_view bytes);
/// Hexadecimal in either case; blanks, line ends and ':' between bytes and a leading 0x are stepped over. On an error `wrong_at` is where.
[[nodiscard]] std::optional<protocol::bytes> from_hex(std::string_view text, std::size_t& wrong_at);

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Standard or URL-safe alphabet, padding optional, line ends stepped over.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

/// Appends `text` as a JSON string, quotes included. The text must be UTF-8.
void append_json_string(std::string& to, std::string_view text);

[[nodiscard]] inline std::string_view as_text(protocol::bytes_view b) noexcept { return {reinterpret_cast<const char*>(b.data()), b.size()}; }
[[nodiscard]] inline protocol::bytes_view as_bytes(std::string_view s) noexcept { return {reinterpret_cast<const std::byte*>(s.data()), s.size()}; }

/// The whole of a file, or of standard input for "-". Raises a failure that names the file and says why.
[[nodiscard]] std::string read_all(const std::string& path);

}  // namespace kafkawire::cli
