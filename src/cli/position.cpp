#include "cli/position.hpp"

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

#define KAFKAWIRE_PLACES "start, end, an offset N, +N (behind the start), -N (before the end), "
#define KAFKAWIRE_TIMES "; TIME is 2026-11-21T05:00:00Z, seconds or milliseconds since 1970, now, or -1h"
const char* const range_grammar = KAFKAWIRE_PLACES "A:B (B not included), @TIME, @T1:T2" KAFKAWIRE_TIMES;
const char* const place_grammar = KAFKAWIRE_PLACES "@TIME" KAFKAWIRE_TIMES;
#undef KAFKAWIRE_PLACES
#undef KAFKAWIRE_TIMES

namespace {

std::optional<position> one(std::string_view text) {
    if (text == "start" || text == "beginning" || text == "earliest" || text == "oldest") return position{position::kind::start, 0};
    if (text == "end" || text == "latest" || text == "newest") return position{position::kind::end, 0};
    if (text.starts_with('+') || text.starts_with('-')) {
        const auto n = number<std::int64_t>(text.substr(1));
        if (!n || *n < 0) return {};
        return position{text[0] == '+' ? position::kind::after_start : position::kind::before_end, *n};
    }
    const auto n = number<std::int64_t>(text);
    if (!n || *n < 0) return {};
    return position{position::kind::offset, *n};
}

std::optional<position> at_time(std::string_view text, std::int64_t now) {
    const auto t = parse_time(text, now);
    return t ? std::optional{position{position::kind::time, *t}} : std::nullopt;
}

}  // namespace

position parse_place(std::string_view text, std::int64_t now) {
    const auto place = text.starts_with('@') ? at_time(text.substr(1), now) : one(text);
    if (!place) throw usage_error(fmt::format("\"{}\" is no place in a log", text), fmt::format("places are {}", place_grammar));
    return *place;
}

reading_range parse_range(std::string_view text, std::int64_t now) {
    const auto wrong = [&] { return usage_error(fmt::format("\"{}\" is no place to read from", text), fmt::format("places are {}", range_grammar)); };
    if (text.starts_with('@')) {
        const auto times = text.substr(1);
        if (const auto t = at_time(times, now)) return {*t, {}};
        // Times hold colons themselves, so each is tried as the one in the middle.
        for (auto colon = times.find(':'); colon != times.npos; colon = times.find(':', colon + 1)) {
            auto second = times.substr(colon + 1);
            if (second.starts_with('@')) second.remove_prefix(1);
            const auto from = at_time(times.substr(0, colon), now);
            const auto to = second == "end" ? std::optional{position{position::kind::end, 0}} : at_time(second, now);
            if (from && to) return {*from, to};
        }
        throw wrong();
    }
    const auto colon = text.find(':');
    if (colon == text.npos) {
        const auto from = one(text);
        if (!from) throw wrong();
        return {*from, {}};
    }
    const auto from = colon == 0 ? std::optional{position{position::kind::start, 0}} : one(text.substr(0, colon));
    if (!from) throw wrong();
    if (colon + 1 == text.size()) return {*from, {}};
    const auto to = one(text.substr(colon + 1));
    if (!to) throw wrong();
    return {*from, to};
}

}  // namespace kafkawire::cli
