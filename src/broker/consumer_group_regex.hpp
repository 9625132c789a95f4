// Subscriptions by a regular expression, as the broker resolves them: RE2's language, of the whole name.
#pragma once
#include <kafkawire/version.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kafkawire::broker {

/// What is wrong with an expression, in the words of Kafka's library; nothing if it can be used.
[[nodiscard]] std::optional<std::string> regex_error(const std::string& expression);
/// Those of the names that the expression matches as a whole; none if it is invalid.
[[nodiscard]] std::set<std::string> regex_matches(const std::string& expression, const std::vector<std::string>& names);

}  // namespace kafkawire::broker
