#include <kafkawire/testing.hpp>

#include <atomic>
#include <random>

#include <unistd.h>

namespace kafkawire::testing {

std::string unique_topic(std::string_view prefix) {
    static std::atomic<std::uint64_t> next{1};
    std::random_device chance;
    return std::string{prefix} + '-' + std::to_string(::getpid()) + '-' + std::to_string(next++) + '-' +
           std::to_string(chance() % 1'000'000);
}

std::string record::text() const {
    std::string s;
    if (partition >= 0) s += "partition " + std::to_string(partition) + (offset >= 0 ? " at " + std::to_string(offset) : "") + ": ";
    s += "key " + key.value_or("null") + ", value " + value.value_or("null");
    for (const auto& [name, content] : headers) s += ", header " + name + ": " + content;
    if (timestamp >= 0) s += ", timestamp " + std::to_string(timestamp);
    return s;
}

}  // namespace kafkawire::testing
