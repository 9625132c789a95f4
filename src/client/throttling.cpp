#include "client/throttling.hpp"

#include <algorithm>
#include <array>

namespace kafkawire::client_detail {

namespace {
// The first version that came with or after Kafka 2.0, by API key. From DeleteGroups (42) on it is the first of all, or its number 1.
constexpr std::array<std::int8_t, 43> first = [] {
    std::array<std::int8_t, 43> v{};
    v.fill(127);  // APIs among brokers, and those whose answers have no such field
    struct row { int key; std::int8_t version; };
    for (const row r : {row{0, 6}, {1, 8}, {2, 3}, {3, 6}, {8, 4}, {9, 4}, {10, 2}, {11, 3}, {12, 2}, {13, 2}, {14, 2}, {15, 2}, {16, 2}, {18, 2}, {19, 3}, {20, 2},
                        {21, 1}, {22, 1}, {23, 2}, {24, 1}, {25, 1}, {26, 1}, {28, 1}, {29, 1}, {30, 1}, {31, 1}, {32, 2}, {33, 1}, {34, 1}, {35, 1}, {37, 1}, {38, 1},
                        {39, 1}, {40, 1}, {41, 1}, {42, 1}})
        v[static_cast<std::size_t>(r.key)] = r.version;
    return v;
}();
}  // namespace

bool client_waits(std::int16_t api_key, std::int16_t version) noexcept {
    if (api_key < 0) return false;
    return static_cast<std::size_t>(api_key) >= first.size() || version >= first[static_cast<std::size_t>(api_key)];
}

std::chrono::milliseconds throttle_of(const protocol::message_schema& schema, void* answer, std::int16_t version) noexcept {
    if (!client_waits(schema.key, version)) return {};
    const auto fields = schema.body->fields;
    const auto f = std::find_if(fields.begin(), fields.end(), [](const protocol::field_schema& s) { return s.name == "throttleTimeMs" && s.what == protocol::kind::int32; });
    if (f == fields.end()) return {};
    return std::chrono::milliseconds{std::max(0, *static_cast<const std::int32_t*>(f->get(answer)))};
}

}  // namespace kafkawire::client_detail
