#include "cli/duration.hpp"

#include "cli/text.hpp"

#include <cmath>
#include <cstdio>

namespace kafkawire::cli {

namespace {

// A fixed number of digits at the front of `rest`, which shrinks by them.
std::optional<int> digits(std::string_view& rest, std::size_t n) {
    if (rest.size() < n) return {};
    const auto v = number<unsigned>(rest.substr(0, n));
    if (!v) return {};
    rest.remove_prefix(n);
    return static_cast<int>(*v);
}

bool take(std::string_view& rest, char c) {
    if (rest.empty() || rest[0] != c) return false;
    rest.remove_prefix(1);
    return true;
}

// "Z", "+02:00", "-0330" or nothing, in minutes east.
std::optional<int> zone(std::string_view rest) {
    if (rest.empty() || rest == "Z" || rest == "z") return 0;
    const int sign = rest[0] == '+' ? 1 : rest[0] == '-' ? -1 : 0;
    if (!sign) return {};
    rest.remove_prefix(1);
    const auto hours = digits(rest, 2);
    take(rest, ':');
    const auto minutes = rest.empty() ? std::optional{0} : digits(rest, 2);
    if (!hours || !minutes || !rest.empty() || *hours > 18 || *minutes > 59) return {};
    return sign * (*hours * 60 + *minutes);
}

std::optional<std::int64_t> iso(std::string_view rest) {
    using namespace std::chrono;
    const auto y = digits(rest, 4);
    if (!y || !take(rest, '-')) return {};
    const auto m = digits(rest, 2);
    if (!m || !take(rest, '-')) return {};
    const auto d = digits(rest, 2);
    if (!d) return {};
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return {};
    std::int64_t ms = duration_cast<milliseconds>(sys_days{date}.time_since_epoch()).count();
    if (rest.empty()) return ms;
    if (!take(rest, 'T') && !take(rest, ' ')) return {};
    const auto hour = digits(rest, 2);
    if (!hour || *hour > 23 || !take(rest, ':')) return {};
    const auto minute = digits(rest, 2);
    if (!minute || *minute > 59) return {};
    ms += (*hour * 60 + *minute) * 60'000ll;
    if (take(rest, ':')) {
        const auto second = digits(rest, 2);
        if (!second || *second > 59) return {};
        ms += *second * 1000ll;
        if (take(rest, '.')) {
            int scale = 100;
            if (rest.empty() || rest[0] < '0' || rest[0] > '9') return {};
            while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
                ms += (rest[0] - '0') * scale;
                scale /= 10;
                rest.remove_prefix(1);
            }
        }
    }
    const auto east = zone(rest);
    if (!east) return {};
    return ms - *east * 60'000ll;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) ++end;
    const auto value = number<double>(text.substr(0, end));
    if (!value) return {};
    const auto unit = text.substr(end);
    double scale = 0;
    if (unit == "ms") scale = 1;
    else if (unit.empty() || unit == "s") scale = 1000;
    else if (unit == "m") scale = 60'000;
    else if (unit == "h") scale = 3'600'000;
    else if (unit == "d") scale = 86'400'000;
    else return {};
    const double ms = *value * scale;
    if (!(ms < 9e15)) return {};
    return std::chrono::milliseconds{std::llround(ms)};
}

std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now) {
    if (text == "now") return now;
    if (text.starts_with('-')) {
        const auto back = parse_duration(text.substr(1));
        return back ? std::optional{now - back->count()} : std::nullopt;
    }
    if (const auto n = number<std::int64_t>(text)) return text.size() >= 12 ? *n : *n * 1000;
    return iso(text);
}

std::int64_t wall_clock() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string iso_time(std::int64_t milliseconds) {
    using namespace std::chrono;
    const sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds{milliseconds}};
    // Records carry any 64-bit number as their time; beyond the years that a calendar can say, the number itself is all there is to say.
    if (milliseconds < -62'135'596'800'000 || milliseconds > 253'402'300'799'999) return std::to_string(milliseconds);
    const auto day_start = floor<days>(at);
    const year_month_day date{day_start};
    const hh_mm_ss time{at - day_start};
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return text;
}

}  // namespace kafkawire::cli
