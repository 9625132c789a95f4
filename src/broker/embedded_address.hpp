// "3?topics=a:6,b&seed=4": what stands behind "embedded:". Pure.
#pragma once
#include <kafkawire/broker/options.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "broker/listener_words.hpp"

namespace kafkawire::broker {

struct embedded_address {
    broker::options options{};
    listener_words listener{};     ///< good words; the files have not been looked at
};

/// What it says, or nothing and in `wrong` what is wrong with it, for a person.
[[nodiscard]] std::optional<embedded_address> parse_embedded_address(std::string_view rest, std::string& wrong);

}  // namespace kafkawire::broker
