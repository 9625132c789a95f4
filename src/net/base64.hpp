// Base64 (RFC 4648, 4), as SASL mechanisms and keys in PEM files have it.
#pragma once
#include <kafkawire/version.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace kafkawire::net {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing if the text is not canonical: other characters, missing or wrong padding, bits that say nothing and are not zero.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace kafkawire::net
