// Where to begin and end reading a partition: the grammar of `consume -o`.
#pragma once
#include <kafkawire/version.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kafkawire::cli {

/// A place in a partition's log, yet to be found.
struct position {
    enum class kind {
        start,         ///< the first offset that is there
        end,           ///< behind the last one, as it is when asked
        offset,        ///< value
        after_start,   ///< value offsets behind the start
        before_end,    ///< value offsets before the end
        time,          ///< the first record at or after value (milliseconds since 1970)
    };
    kind what = kind::end;
    std::int64_t value = 0;
    friend bool operator==(const position&, const position&) = default;
};

/// From where, and up to where (the end itself is not read); without `to`: for ever.
struct reading_range {
    position from;
    std::optional<position> to;
    friend bool operator==(const reading_range&, const reading_range&) = default;
};

/// start | end | N | +N | -N | A:B | A: | :B | @TIME | @T1:T2, where times are as in parse_time(). Raises a usage failure that holds the grammar.
[[nodiscard]] reading_range parse_range(std::string_view text, std::int64_t now);

/// One place, without a range: start | end | N | +N | -N | @TIME. Raises a usage failure that holds its grammar.
[[nodiscard]] position parse_place(std::string_view text, std::int64_t now);

extern const char* const range_grammar;
extern const char* const place_grammar;

}  // namespace kafkawire::cli
