// A password or a token: text that does not get into a log by accident.
#pragma once
#include <kafkawire/version.hpp>

#include <string>
#include <string_view>

namespace kafkawire::inline v0_1 {

/// Text that cannot be printed, formatted or compared in a hurry, and that is wiped from memory when it goes. Copies are secrets too, each with
/// bytes of its own. No thread may change one that others use; otherwise it may be used anywhere.
class secret {
public:
    secret() noexcept = default;
    explicit secret(std::string_view text) : bytes_(text) {}
    secret(const secret&) = default;
    secret(secret&& other) noexcept : bytes_{std::move(other.bytes_)} { other.wipe(); }
    secret& operator=(const secret& other) {
        if (this == &other) return *this;
        auto copy = other.bytes_;
        wipe();
        bytes_.swap(copy);
        return *this;
    }
    secret& operator=(secret&& other) noexcept {
        if (this == &other) return *this;
        wipe();
        bytes_.swap(other.bytes_);
        return *this;
    }
    ~secret() { wipe(); }

    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    /// The text itself, for whoever has to send it or to compute with it. A view into this object.
    [[nodiscard]] std::string_view reveal() const noexcept { return bytes_; }
    /// Takes the same time for all texts of one length.
    [[nodiscard]] bool same_as(const secret& other) const noexcept {
        if (bytes_.size() != other.bytes_.size()) return false;
        unsigned char differs = 0;
        for (std::size_t i = 0; i < bytes_.size(); ++i) differs = static_cast<unsigned char>(differs | (bytes_[i] ^ other.bytes_[i]));
        return differs == 0;
    }
    /// Forgets the text.
    void wipe() noexcept {
        // Through volatile, so that nobody takes the writes for useless; all of the capacity, since a longer text may have been there.
        bytes_.resize(bytes_.capacity());
        volatile char* at = bytes_.data();
        for (std::size_t i = 0; i < bytes_.size(); ++i) at[i] = 0;
        bytes_.clear();
    }

    template <class Stream>
    friend Stream& operator<<(Stream&, const secret&) = delete;
    friend bool operator==(const secret&, const secret&) = delete;

private:
    std::string bytes_;
};

}  // namespace kafkawire::inline v0_1
