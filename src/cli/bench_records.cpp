#include "cli/bench_records.hpp"

#include <fmt/format.h>

#include <array>

#include "cli/failure.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

std::vector<std::string> make_values(std::size_t count, std::size_t size) {
    static constexpr std::array<std::string_view, 8> events = {"page_view", "click",  "add_to_cart", "checkout",
                                                               "payment",   "search", "login",       "logout"};
    static constexpr std::array<std::string_view, 8> places = {"berlin", "lisbon", "osaka",   "nairobi",
                                                               "bogota", "perth",  "tallinn", "austin"};
    std::uint64_t state = 1, time = 1'763'712'000'000;
    const auto random = [&state](std::uint64_t below) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % below;
    };
    std::vector<std::string> out(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto& v = out[i];
        v.reserve(size + 128);
        // The number comes first, so that short values differ too.
        v = fmt::format("{{\"id\":{}", 100'000 + i);
        while (v.size() < size) {
            time += random(20);
            const auto city = places[random(8)];  // one after the other: arguments have no order
            const auto user = random(1000);
            const auto event = events[random(8)];
            v += fmt::format(",\"time\":{},\"event\":\"{}\",\"user\":\"user-{}\",\"city\":\"{}\",\"ok\":true", time, event, user, city);
        }
        v.resize(size);
        if (size > 12) v.back() = '}';
    }
    return out;
}

std::vector<std::string> read_values(const std::string& path) {
    const auto text = read_all(path);
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        out.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    if (out.empty()) throw usage_error(fmt::format("{} has no lines", path), "each line is a value");
    return out;
}

std::vector<std::string> make_keys(std::size_t count) {
    std::vector<std::string> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = fmt::format("key-{}", i);
    return out;
}

}  // namespace kafkawire::cli
