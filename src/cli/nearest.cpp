#include "cli/nearest.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace kafkawire::cli {

namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool begins(std::string_view longer, std::string_view shorter) {
    return shorter.size() >= 3 && longer.size() > shorter.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> names) {
    // A typed word of any length is compared with names only; neither may be so long that the table costs much.
    if (typed.empty() || typed.size() > 300) return {};
    const std::string* best = nullptr;
    std::size_t distance = 0;
    for (const auto& n : names) {
        if (n.size() > 300) continue;
        const auto d = begins(n, typed) ? 1 : edit_distance(typed, n);
        if (d > std::max<std::size_t>(1, std::max(typed.size(), n.size()) / 3)) continue;
        if (!best || d < distance) best = &n, distance = d;
    }
    return best ? std::optional{*best} : std::nullopt;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string> names, std::string otherwise) {
    if (auto n = nearest(typed, names)) return "did you mean " + *n + "?";
    return otherwise;
}

}  // namespace kafkawire::cli
