// topic_pattern: which topics a subscription means: names, and patterns that begin with '^' (as librdkafka has them), without those that are
// excluded. POSIX extended regular expressions, of the whole name.
#pragma once
#include <kafkawire/error.hpp>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::client_detail {

class topic_pattern {
public:
    topic_pattern() = default;
    /// Throws kw::system_error (errc::bad_configuration) that names the pattern that cannot be.
    topic_pattern(const std::vector<std::string>& topics, const std::vector<std::string>& exclude);

    /// Those that are given by name and not excluded.
    [[nodiscard]] const std::set<std::string>& names() const noexcept { return names_; }
    /// There are patterns too: all topics of the cluster must be looked at.
    [[nodiscard]] bool open() const noexcept { return !patterns_.empty(); }
    [[nodiscard]] bool matches(const std::string& topic) const noexcept;

private:
    class expression;
    using expressions = std::vector<std::shared_ptr<const expression>>;
    static void sort(const std::vector<std::string>& from, std::set<std::string>& names, expressions& patterns);
    [[nodiscard]] bool excluded(const std::string& topic) const noexcept;

    std::set<std::string> names_, excluded_names_;
    expressions patterns_, excluded_patterns_;
};

/// What is wrong with a name or a pattern, for a person; empty: nothing.
[[nodiscard]] std::string check_topic_pattern(std::string_view text);

}  // namespace kafkawire::client_detail
