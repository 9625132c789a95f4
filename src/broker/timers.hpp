// What is to happen later, in order of time and, at the same time, of being asked for: the same input runs the same way every time.
// Owns: the functions. Never: reads a clock. Not thread-safe.
#pragma once
#include <kafkawire/detail/function.hpp>

#include <map>
#include <optional>

#include "broker/clock.hpp"

namespace kafkawire::broker {

class timers {
public:
    /// Names one entry. A default one names none; cancelling what has run or was cancelled does nothing.
    struct id {
        net::time_point at{};
        std::uint64_t sequence = 0;
        friend auto operator<=>(const id&, const id&) = default;
        explicit operator bool() const noexcept { return sequence != 0; }
    };

    id set(net::time_point at, unique_function<void()> what) {
        const id name{at, ++last_};
        entries_.emplace(name, std::move(what));
        return name;
    }
    void cancel(id& name) {
        entries_.erase(name);
        name = {};
    }
    [[nodiscard]] std::optional<net::time_point> next() const {
        if (entries_.empty()) return {};
        return entries_.begin()->first.at;
    }
    /// Runs one entry whose time has come; false if there is none. It may set and cancel others.
    bool run_one(net::time_point now) {
        if (entries_.empty() || entries_.begin()->first.at > now) return false;
        auto what = std::move(entries_.begin()->second);
        entries_.erase(entries_.begin());
        what();
        return true;
    }

private:
    std::map<id, unique_function<void()>> entries_;
    std::uint64_t last_ = 0;
};

}  // namespace kafkawire::broker
