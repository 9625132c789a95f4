// "Did you mean": the nearest of several names.
#pragma once
#include <kafkawire/version.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kafkawire::cli {

/// Levenshtein's distance, letters compared without regard to case; two neighbours that swapped places count as one step.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest name, if one is near enough to be meant: at most a third of the longer word differs, or the typed word begins it.
[[nodiscard]] std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> names);

/// "did you mean X?" or `otherwise`.
[[nodiscard]] std::string did_you_mean(std::string_view typed, std::span<const std::string> names, std::string otherwise = {});

}  // namespace kafkawire::cli
