#include "broker/kafka_versions.hpp"

#include <kafkawire/protocol/api.hpp>

#include <algorithm>
#include <array>

namespace kafkawire::broker {
namespace {

// As their brokers answer ApiVersions.
constexpr std::array of_3_9{
    api_range{0, 0, 11}, api_range{1, 0, 17}, api_range{2, 0, 9}, api_range{3, 0, 12}, api_range{8, 0, 9}, api_range{9, 0, 9},
    api_range{10, 0, 6}, api_range{11, 0, 9}, api_range{12, 0, 4}, api_range{13, 0, 5}, api_range{14, 0, 5}, api_range{15, 0, 5},
    api_range{16, 0, 5}, api_range{17, 0, 1}, api_range{18, 0, 4}, api_range{19, 0, 7}, api_range{20, 0, 6}, api_range{21, 0, 2},
    api_range{22, 0, 5}, api_range{23, 0, 4}, api_range{24, 0, 5}, api_range{25, 0, 4}, api_range{26, 0, 4}, api_range{27, 0, 1},
    api_range{28, 0, 4}, api_range{29, 0, 3}, api_range{30, 0, 3}, api_range{31, 0, 3}, api_range{32, 0, 4}, api_range{33, 0, 2},
    api_range{34, 0, 2}, api_range{35, 0, 4}, api_range{36, 0, 2}, api_range{37, 0, 3}, api_range{38, 0, 3}, api_range{39, 0, 2},
    api_range{40, 0, 2}, api_range{41, 0, 3}, api_range{42, 0, 2}, api_range{43, 0, 2}, api_range{44, 0, 1}, api_range{45, 0, 0},
    api_range{46, 0, 0}, api_range{47, 0, 0}, api_range{48, 0, 1}, api_range{49, 0, 1}, api_range{50, 0, 0}, api_range{51, 0, 0},
    api_range{55, 0, 2}, api_range{57, 0, 1}, api_range{60, 0, 1}, api_range{61, 0, 0}, api_range{64, 0, 0}, api_range{65, 0, 0},
    api_range{66, 0, 1}, api_range{68, 0, 0}, api_range{69, 0, 0}, api_range{74, 0, 0}, api_range{75, 0, 0}, api_range{80, 0, 0},
    api_range{81, 0, 0},
};
constexpr std::array of_2_8{
    api_range{0, 0, 9}, api_range{1, 0, 12}, api_range{2, 0, 6}, api_range{3, 0, 11}, api_range{4, 0, 5}, api_range{5, 0, 3},
    api_range{6, 0, 7}, api_range{7, 0, 3}, api_range{8, 0, 8}, api_range{9, 0, 7}, api_range{10, 0, 3}, api_range{11, 0, 7},
    api_range{12, 0, 4}, api_range{13, 0, 4}, api_range{14, 0, 5}, api_range{15, 0, 5}, api_range{16, 0, 4}, api_range{17, 0, 1},
    api_range{18, 0, 3}, api_range{19, 0, 7}, api_range{20, 0, 6}, api_range{21, 0, 2}, api_range{22, 0, 4}, api_range{23, 0, 4},
    api_range{24, 0, 3}, api_range{25, 0, 3}, api_range{26, 0, 3}, api_range{27, 0, 1}, api_range{28, 0, 3}, api_range{29, 0, 2},
    api_range{30, 0, 2}, api_range{31, 0, 2}, api_range{32, 0, 4}, api_range{33, 0, 2}, api_range{34, 0, 2}, api_range{35, 0, 2},
    api_range{36, 0, 2}, api_range{37, 0, 3}, api_range{38, 0, 2}, api_range{39, 0, 2}, api_range{40, 0, 2}, api_range{41, 0, 2},
    api_range{42, 0, 2}, api_range{43, 0, 2}, api_range{44, 0, 1}, api_range{45, 0, 0}, api_range{46, 0, 0}, api_range{47, 0, 0},
    api_range{48, 0, 1}, api_range{49, 0, 1}, api_range{50, 0, 0}, api_range{51, 0, 0}, api_range{56, 0, 0}, api_range{57, 0, 0},
    api_range{60, 0, 0}, api_range{61, 0, 0},
};

constexpr std::array releases{
    kafka_release{"4.3", {}, {7, 30}, 1, 2},
    kafka_release{"3.9", of_3_9, {1, 21}, 0, 0},
    kafka_release{"2.8", of_2_8, protocol::none(), 0, 0},
};

}  // namespace

std::span<const kafka_release> kafka_releases() noexcept { return releases; }

const kafka_release* find_kafka_release(std::string_view name) noexcept {
    const auto at = std::find_if(releases.begin(), releases.end(), [&](const kafka_release& r) { return r.name == name; });
    return at == releases.end() ? nullptr : &*at;
}

protocol::version_range versions_in(const kafka_release& release, std::int16_t key) noexcept {
    if (release.apis.empty()) {
        const auto* api = protocol::find_api(key);
        if (!api || !api->in.broker) return protocol::none();
        return {api->kafka_4_3.lowest, std::min(api->kafka_4_3.highest, api->latest_stable)};
    }
    const auto at = std::find_if(release.apis.begin(), release.apis.end(), [&](const api_range& r) { return r.key == key; });
    if (at == release.apis.end()) return protocol::none();
    return {at->lowest, at->highest};
}

}  // namespace kafkawire::broker
