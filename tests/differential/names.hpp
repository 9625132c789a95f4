// What makes two runs comparable: ids that the broker hands out get the names that the script gave them, times become relative, fields
// that may differ become "*", and lists whose order says nothing are sorted.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "script.hpp"

namespace differential {

/// The value at `topics[0].partitions[name=x].errorCode`; nothing if there is none.
std::optional<document> at_path(const document& from, std::string_view path);

/// The file `allowed`: what may differ, and why.
class allowances {
public:
    allowances() = default;
    /// Throws script_error for a line without a reason.
    explicit allowances(const std::filesystem::path& file);
    [[nodiscard]] bool may_differ(const std::string& api, const std::string& path) const { return has(fields_, api, path); }
    /// Elements that only one side has: `absent ApiVersions apiKeys apiKey=29`.
    [[nodiscard]] bool absent(const std::string& api, const std::string& path, const document& element) const;
    [[nodiscard]] bool unordered(const std::string& api, const std::string& path) const { return has(lists_, api, path); }

private:
    using table = std::set<std::pair<std::string, std::string>>;
    static bool has(const table& in, const std::string& api, const std::string& path);
    struct member {
        std::string name;
        std::set<std::string> values;
    };
    std::multimap<std::pair<std::string, std::string>, member> absent_;
    table fields_, lists_;  // API or "*", and path without indices; in fields_ also the last name alone, with API "*"
};

/// The names of one run of a script.
class names {
public:
    /// `first_time`: milliseconds since 1970; `$t` in scripts. What lies within the next second is the script's own, what is later the
    /// broker's.
    explicit names(std::int64_t first_time) : first_time_{first_time} {}

    void give(const std::string& name, const document& value, std::string_view field);
    /// Notes the topic ids in an answer, as `$id.TOPIC`.
    void note_topic_ids(const document& answer);
    /// The value of `$name`, `$name+3`, `$t-1`; nothing if nobody has given it.
    [[nodiscard]] std::optional<document> value_of(std::string_view text) const;
    [[nodiscard]] std::int64_t first_time() const noexcept { return first_time_; }

    /// The answer as it is recorded. `ignored`: paths of this request alone.
    [[nodiscard]] document normal(const document& answer, const std::string& api, const allowances& allowed,
                                  const std::set<std::string>& ignored) const;

private:
    [[nodiscard]] document renamed(const document& value, const std::string& field) const;

    std::int64_t first_time_;
    std::map<std::string, document> values_;
    std::map<std::string, std::string> texts_;                             // an id, and its name
    std::map<std::pair<std::string, std::int64_t>, std::string> numbers_;  // field and value, and its name
    std::map<std::string, int> topics_;                                    // how many ids a topic's name has had
};

/// Where two documents differ: `path: Kafka X, here Y`, one line each.
std::vector<std::string> differences(const document& expected, const document& got);

}  // namespace differential
