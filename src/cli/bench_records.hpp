// The records of a benchmark: made before the clock starts, sent in turn.
#pragma once
#include <kafkawire/version.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::cli {

/// `count` values of `size` bytes that differ, JSON-like text that compresses about as real events do; the same ones every time.
[[nodiscard]] std::vector<std::string> make_values(std::size_t count, std::size_t size);

/// The lines of a file as values. Raises a failure if it cannot be read or has no lines.
[[nodiscard]] std::vector<std::string> read_values(const std::string& path);

/// "key-0" to "key-(count-1)".
[[nodiscard]] std::vector<std::string> make_keys(std::size_t count);

/// Values and keys in turn. Owns nothing: the lists must outlive it. With no keys, the key is null.
class record_turn {
public:
    record_turn(const std::vector<std::string>& values, const std::vector<std::string>& keys, std::size_t first = 0)
        : values_{values}, keys_{keys}, value_{first % values.size()}, key_{keys.empty() ? 0 : first % keys.size()} {}

    [[nodiscard]] std::string_view value() const noexcept { return values_[value_]; }
    [[nodiscard]] bool has_key() const noexcept { return !keys_.empty(); }
    [[nodiscard]] std::string_view key() const noexcept { return keys_[key_]; }
    void next() noexcept {
        if (++value_ == values_.size()) value_ = 0;
        if (++key_ >= keys_.size()) key_ = 0;
    }

private:
    const std::vector<std::string>& values_;
    const std::vector<std::string>& keys_;
    std::size_t value_, key_;
};

}  // namespace kafkawire::cli
