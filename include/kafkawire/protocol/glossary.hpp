// What the fields of the messages mean, in a few words each.
#pragma once
#include <kafkawire/version.hpp>

#include <string_view>

namespace kafkawire::protocol {

/// The meaning of a field ("acks") in a message ("Produce"; empty: wherever it stands), or empty if the field is unknown. Pure; thread-safe;
/// the text lives as long as the program.
[[nodiscard]] KAFKAWIRE_API std::string_view meaning_of(std::string_view field, std::string_view message = {}) noexcept;

}  // namespace kafkawire::protocol
