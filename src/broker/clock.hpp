// Time as the broker knows it, always passed in: steady for waiting, wall for timestamps in records and answers.
#pragma once
#include <kafkawire/environment.hpp>

#include <chrono>
#include <cstdint>

namespace kafkawire::broker {

struct moment {
    net::time_point steady;
    net::wall_time wall;

    /// Milliseconds since 1970, as the wire has it.
    [[nodiscard]] std::int64_t wall_ms() const noexcept {
        return std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
    }
};

}  // namespace kafkawire::broker
