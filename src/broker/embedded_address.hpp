// "3?topics=a:6,b&seed=4": what stands behind "embedded:". Pure.
#pragma once
#include <kafkawire/broker/options.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace kafkawire::broker {

/// What it says, or nothing and in `wrong` what is wrong with it, for a person.
[[nodiscard]] std::optional<options> parse_embedded_address(std::string_view rest, std::string& wrong);

}  // namespace kafkawire::broker
