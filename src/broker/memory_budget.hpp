// memory_budget: how many bytes of records all logs of a cluster hold together, and who gives some back when they are too many: the oldest slab
// first, whosever it is.
// Owns: nothing but the count and the order. Not thread-safe.
#pragma once
#include <kafkawire/version.hpp>

#include <cstdint>
#include <map>

namespace kafkawire::broker {

class memory_budget {
public:
    using ticket = std::uint64_t;  ///< names one slab; by age

    /// Whoever holds slabs.
    class holder {
    public:
        /// Gives back the slab of that ticket, which is the holder's oldest.
        virtual void give_back(ticket which) = 0;

    protected:
        ~holder() = default;
    };

    explicit memory_budget(std::uint64_t limit) noexcept : limit_{limit} {}
    [[nodiscard]] std::uint64_t used() const noexcept { return used_; }
    [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }

    ticket take(holder& who, std::uint64_t bytes) {
        used_ += bytes;
        holders_.emplace(++last_, &who);
        return last_;
    }
    void grow(std::uint64_t bytes) noexcept { used_ += bytes; }
    void release(ticket which, std::uint64_t bytes) noexcept {
        used_ -= bytes;
        holders_.erase(which);
    }
    /// Makes holders give back until the limit holds again, but not the slab `except`, which somebody is about to write in.
    void enforce(ticket except) {
        while (used_ > limit_ && !holders_.empty()) {
            auto oldest = holders_.begin();
            if (oldest->first == except && ++oldest == holders_.end()) return;
            const auto [which, who] = *oldest;
            who->give_back(which);
            if (holders_.count(which)) return;  // it would not: better too much than for ever
        }
    }

private:
    std::uint64_t limit_;
    std::uint64_t used_ = 0;
    ticket last_ = 0;
    std::map<ticket, holder*> holders_;
};

}  // namespace kafkawire::broker
