#include <kafkawire/protocol/releases.hpp>

#include <algorithm>
#include <span>

namespace kafkawire::protocol {

namespace {

struct highest_of {
    std::uint8_t key, version;
};
struct step_of_release {
    release when;
    std::span<const highest_of> news;  // the APIs that are new, or have a new version
};

constexpr highest_of in_0_8_2[] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {8, 1}, {9, 1}, {10, 0}, {11, 0}, {12, 0}};
constexpr highest_of in_0_9_0[] = {{0, 1}, {1, 1}, {8, 2}, {13, 0}, {14, 0}, {15, 0}, {16, 0}};
constexpr highest_of in_0_10_0[] = {{0, 2}, {1, 2}, {3, 1}, {17, 0}, {18, 0}};
constexpr highest_of in_0_10_1[] = {{1, 3}, {2, 1}, {3, 2}, {11, 1}, {19, 0}, {20, 0}};
constexpr highest_of in_0_10_2[] = {{19, 1}};
constexpr highest_of in_0_11_0[] = {
    {0, 3}, {1, 5}, {2, 2}, {3, 4}, {8, 3}, {9, 3}, {10, 1}, {11, 2}, {12, 1}, {13, 1}, {14, 1}, {15, 1}, {16, 1}, {18, 1}, {19, 2}, {20, 1}, {21, 0},
    {22, 0}, {23, 0}, {24, 0}, {25, 0}, {26, 0}, {27, 0}, {28, 0}, {29, 0}, {30, 0}, {31, 0}, {32, 0}, {33, 0}};
constexpr highest_of in_1_0[] = {{0, 5}, {1, 6}, {3, 5}, {17, 1}, {34, 0}, {35, 0}, {36, 0}, {37, 0}};
constexpr highest_of in_1_1[] = {{1, 7}, {32, 1}, {38, 0}, {39, 0}, {40, 0}, {41, 0}, {42, 0}};
constexpr highest_of in_2_0[] = {
    {0, 6}, {1, 8}, {2, 3}, {3, 6}, {8, 4}, {9, 4}, {10, 2}, {11, 3}, {12, 2}, {13, 2}, {14, 2}, {15, 2}, {16, 2}, {18, 2}, {19, 3}, {20, 2}, {21, 1},
    {22, 1}, {23, 1}, {24, 1}, {25, 1}, {26, 1}, {28, 1}, {29, 1}, {30, 1}, {31, 1}, {32, 2}, {33, 1}, {34, 1}, {35, 1}, {37, 1}, {38, 1}, {39, 1},
    {40, 1}, {41, 1}, {42, 1}};
constexpr highest_of in_2_1[] = {{0, 7}, {1, 10}, {2, 4}, {3, 7}, {8, 6}, {9, 5}, {20, 3}, {23, 2}, {28, 2}};
constexpr highest_of in_2_2[] = {{2, 5}, {11, 4}, {36, 1}, {43, 0}};
constexpr highest_of in_2_3[] = {{1, 11}, {3, 8}, {8, 7}, {11, 5}, {12, 3}, {14, 3}, {15, 3}, {23, 3}, {44, 0}};
constexpr highest_of in_2_4[] = {
    {0, 8}, {3, 9}, {8, 8}, {9, 6}, {10, 3}, {11, 6}, {12, 4}, {13, 4}, {14, 4}, {15, 5}, {16, 3}, {18, 3}, {19, 5}, {20, 4}, {22, 2}, {38, 2}, {42, 2},
    {43, 2}, {44, 1}, {45, 0}, {46, 0}, {47, 0}};
constexpr highest_of in_2_5[] = {{9, 7}, {11, 7}, {14, 5}, {22, 3}, {28, 3}, {29, 2}, {30, 2}, {31, 2}, {36, 2}, {37, 2}, {39, 2}, {40, 2}, {41, 2}};
constexpr highest_of in_2_6[] = {{16, 4}, {21, 2}, {32, 3}, {35, 2}, {48, 0}, {49, 0}};
constexpr highest_of in_2_7[] = {{1, 12}, {19, 6}, {20, 5}, {22, 4}, {24, 2}, {25, 2}, {26, 2}, {37, 3}, {50, 0}, {51, 0}, {57, 0}};
constexpr highest_of in_2_8[] = {
    {0, 9}, {2, 6}, {3, 11}, {19, 7}, {20, 6}, {23, 4}, {24, 3}, {25, 3}, {26, 3}, {27, 1}, {32, 4}, {33, 2}, {34, 2}, {48, 1}, {49, 1}, {60, 0}, {61, 0}};
constexpr highest_of in_3_0[] = {{2, 7}, {9, 8}, {10, 4}, {65, 0}, {66, 0}};
constexpr highest_of in_3_1[] = {{1, 13}, {3, 12}};
constexpr highest_of in_3_2[] = {{11, 9}, {13, 5}, {35, 3}};
constexpr highest_of in_3_3[] = {{29, 3}, {30, 3}, {31, 3}, {35, 4}, {38, 3}, {41, 3}, {55, 1}, {57, 1}, {64, 0}};
constexpr highest_of in_3_5[] = {{1, 15}, {2, 8}};
constexpr highest_of in_3_6[] = {{24, 4}};
constexpr highest_of in_3_7[] = {{0, 10}, {1, 16}, {8, 9}, {9, 9}, {60, 1}, {68, 0}, {71, 0}, {72, 0}, {74, 0}};
constexpr highest_of in_3_8[] = {{0, 11}, {10, 5}, {16, 5}, {22, 5}, {24, 5}, {25, 4}, {26, 4}, {28, 4}, {66, 1}, {69, 0}, {75, 0}};
constexpr highest_of in_3_9[] = {{1, 17}, {2, 9}, {10, 6}, {18, 4}, {55, 2}, {80, 0}, {81, 0}};
constexpr highest_of in_4_0[] = {{0, 12}, {2, 10}, {3, 13}, {15, 6}, {26, 5}, {28, 5}, {57, 2}, {60, 2}, {68, 1}, {69, 1}};
constexpr highest_of in_4_1[] = {
    {0, 13}, {1, 18}, {45, 1}, {66, 2}, {74, 1}, {76, 1}, {77, 1}, {78, 1}, {79, 1}, {83, 0}, {84, 0}, {85, 0}, {86, 0}, {87, 0}, {90, 0}, {91, 0}, {92, 0}};
constexpr highest_of in_4_2[] = {{2, 11}, {8, 10}, {9, 10}, {27, 2}, {78, 2}, {79, 2}, {80, 1}, {85, 1}, {87, 1}, {88, 0}, {89, 0}, {90, 1}};
constexpr highest_of in_4_3[] = {{35, 5}};

// By time. 4.0 to 4.3 have dropped old versions too, which nobody is held to here: what a broker no longer speaks it says itself.
constexpr step_of_release all_releases[] = {
    {{0, 8, 2}, in_0_8_2}, {{0, 9, 0}, in_0_9_0}, {{0, 10, 0}, in_0_10_0}, {{0, 10, 1}, in_0_10_1}, {{0, 10, 2}, in_0_10_2},
    {{0, 11, 0}, in_0_11_0}, {{1, 0, 0}, in_1_0}, {{1, 1, 0}, in_1_1}, {{2, 0, 0}, in_2_0}, {{2, 1, 0}, in_2_1},
    {{2, 2, 0}, in_2_2}, {{2, 3, 0}, in_2_3}, {{2, 4, 0}, in_2_4}, {{2, 5, 0}, in_2_5}, {{2, 6, 0}, in_2_6},
    {{2, 7, 0}, in_2_7}, {{2, 8, 0}, in_2_8}, {{3, 0, 0}, in_3_0}, {{3, 1, 0}, in_3_1}, {{3, 2, 0}, in_3_2},
    {{3, 3, 0}, in_3_3}, {{3, 5, 0}, in_3_5}, {{3, 6, 0}, in_3_6}, {{3, 7, 0}, in_3_7}, {{3, 8, 0}, in_3_8},
    {{3, 9, 0}, in_3_9}, {{4, 0, 0}, in_4_0}, {{4, 1, 0}, in_4_1}, {{4, 2, 0}, in_4_2}, {{4, 3, 0}, in_4_3},
};

}  // namespace

std::string release::to_string() const {
    auto s = std::to_string(major_version) + '.' + std::to_string(minor_version);
    return major_version == 0 ? s + '.' + std::to_string(patch) : s;
}

std::optional<release> parse_release(std::string_view text) noexcept {
    unsigned numbers[4]{};
    std::size_t count = 0;
    for (;;) {
        std::size_t digits = 0;
        if (count == 4) return {};
        for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
            if (digits == 3) return {};
            numbers[count] = numbers[count] * 10 + static_cast<unsigned>(text[digits] - '0');
        }
        if (digits == 0) return {};
        ++count;
        text.remove_prefix(digits);
        if (text.empty()) break;
        if (text.front() != '.') return {};
        text.remove_prefix(1);
    }
    if (count < 2) return {};
    const auto byte = [](unsigned n) { return static_cast<std::uint8_t>(std::min(n, 255u)); };
    const release r{byte(numbers[0]), byte(numbers[1]), numbers[0] == 0 ? byte(numbers[2]) : std::uint8_t{0}};
    return std::clamp(r, oldest_release, newest_release);
}

std::int16_t highest_version(release r, std::int16_t api_key) noexcept {
    std::int16_t highest = -1;
    for (const auto& step : all_releases) {
        if (r < step.when) break;
        for (const auto& n : step.news)
            if (n.key == api_key) highest = n.version;
    }
    return highest;
}

bool is_known_to_releases(std::int16_t api_key) noexcept { return highest_version(newest_release, api_key) >= 0; }

std::optional<release> first_release_with(std::int16_t api_key, std::int16_t version) noexcept {
    for (const auto& step : all_releases)
        for (const auto& n : step.news)
            if (n.key == api_key && n.version >= version) return step.when;
    return {};
}

}  // namespace kafkawire::protocol
