// A broker's error as the wire has it.
#pragma once
#include <kafkawire/error.hpp>

#include <optional>
#include <string>

namespace kafkawire::broker {

constexpr std::int16_t code_of(broker_errc e) noexcept { return static_cast<std::int16_t>(e); }

/// An error with the sentence that goes with it on the wire; without one, the message is null.
struct refusal {
    broker_errc code = broker_errc::none;
    std::optional<std::string> text{};
    explicit operator bool() const noexcept { return code != broker_errc::none; }
};

}  // namespace kafkawire::broker
