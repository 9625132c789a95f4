#include <kafkawire/bootstrap.hpp>
#include <kafkawire/options.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace kafkawire::inline v0_1 {

namespace {

error bad(std::string text, std::string hint = {}) {
    error e;
    e.code = errc::bad_configuration;
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}

struct unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr unit durations[] = {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr unit sizes[] = {{"b", 1}, {"k", 1024}, {"kib", 1024}, {"m", 1 << 20}, {"mib", 1 << 20}, {"g", 1 << 30}, {"gib", 1 << 30}, {"kb", 1000}, {"mb", 1'000'000}, {"gb", 1'000'000'000}};

std::string lower(std::string_view text) {
    std::string s{text};
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c); });
    return s;
}

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// "30 s" with units, or a plain number; false if it is neither or too large for 64 bits.
bool read_number(std::string_view text, std::span<const unit> units, std::int64_t& to) {
    text = trimmed(text);
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), to);
    if (ec != std::errc{}) return false;
    const auto name = lower(trimmed(text.substr(static_cast<std::size_t>(end - text.data()))));
    if (name.empty()) return true;
    for (const auto& u : units)
        if (u.name == name) return !__builtin_mul_overflow(to, u.factor, &to);
    return false;
}

std::int64_t number_at(const option_schema& o, const void* at) {
    if (o.kind == option_kind::duration) return static_cast<const std::chrono::milliseconds*>(at)->count();
    if (o.width == 2) return *static_cast<const std::uint16_t*>(at);
    if (o.width == 4) return *static_cast<const std::uint32_t*>(at);
    std::int64_t v = 0;
    std::memcpy(&v, at, std::min(o.width, sizeof v));
    return v;
}

void put_number(const option_schema& o, void* at, std::int64_t v) {
    if (o.kind == option_kind::duration) *static_cast<std::chrono::milliseconds*>(at) = std::chrono::milliseconds{v};
    else if (o.width == 2) *static_cast<std::uint16_t*>(at) = static_cast<std::uint16_t>(v);
    else if (o.width == 4) *static_cast<std::uint32_t*>(at) = static_cast<std::uint32_t>(v);
    else std::memcpy(at, &v, std::min(o.width, sizeof v));
}

std::string number_text(option_kind kind, std::int64_t v) {
    if (kind == option_kind::duration) return v >= 1000 && v % 1000 == 0 ? std::to_string(v / 1000) + " s" : std::to_string(v) + " ms";
    if (kind == option_kind::size && v > 0 && v % (1 << 20) == 0) return std::to_string(v >> 20) + " MiB";
    if (kind == option_kind::size && v > 0 && v % 1024 == 0) return std::to_string(v >> 10) + " KiB";
    return std::to_string(v);
}

std::string range_text(const option_schema& o) {
    return number_text(o.kind, o.words.lowest) + " to " + number_text(o.kind, o.words.highest);
}

void* at(const option_schema& o, const void* object) { return o.get(const_cast<void*>(object)); }

error out_of_range(const option_schema& o, std::int64_t v) {
    return bad(std::string{o.name} + " is " + number_text(o.kind, v) + "; " + range_text(o) + " would be right");
}

error check(const option_schema& o, const void* object) {
    if (o.kind == option_kind::boolean) return {};
    if (o.kind == option_kind::text) {
        const auto& value = *static_cast<const std::string*>(at(o, object));
        const auto wrong = o.check ? o.check(value) : std::string{};
        return wrong.empty() ? error{} : bad(std::string{o.name} + " is \"" + value + "\": " + wrong);
    }
    const auto v = number_at(o, at(o, object));
    return v < o.words.lowest || v > o.words.highest ? out_of_range(o, v) : error{};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row.back();
}

error unknown(std::span<const option_schema> table, std::string_view name) {
    if (name.size() > 100) name = name.substr(0, 100);
    std::string_view nearest;
    std::size_t distance = name.size() / 3 + 2;
    const auto consider = [&](std::string_view candidate) {
        const auto d = candidate.empty() ? distance : edit_distance(candidate, name);
        if (d < distance) nearest = candidate, distance = d;
    };
    for (const auto& o : table) {
        consider(o.name);
        for (const auto a : o.words.aliases) consider(a);
    }
    return bad("there is no option " + std::string{name}, nearest.empty() ? "" : "did you mean " + std::string{nearest} + "?");
}

}  // namespace

error check_options(std::span<const option_schema> table, const void* object) {
    for (const auto& o : table)
        if (auto e = check(o, object)) return e;
    return {};
}

error set_option(std::span<const option_schema> table, void* object, std::string_view name, std::string_view value) {
    const auto o = std::find_if(table.begin(), table.end(), [&](const option_schema& s) {
        return s.name == name || (!name.empty() && std::find(s.words.aliases.begin(), s.words.aliases.end(), name) != s.words.aliases.end());
    });
    if (o == table.end()) return unknown(table, name);
    const auto given = std::string{o->name} + " is \"" + std::string{value} + '"';
    if (o->kind == option_kind::text) {
        if (const auto wrong = o->check ? o->check(value) : std::string{}; !wrong.empty()) return bad(given + ": " + wrong);
        *static_cast<std::string*>(o->get(object)) = value;
        return {};
    }
    if (o->kind == option_kind::boolean) {
        const auto v = lower(trimmed(value));
        const bool yes = v == "true" || v == "yes" || v == "on" || v == "1", no = v == "false" || v == "no" || v == "off" || v == "0";
        if (!yes && !no) return bad(given + "; true or false would be right");
        *static_cast<bool*>(o->get(object)) = yes;
        return {};
    }
    const auto units = o->kind == option_kind::duration ? std::span<const unit>{durations} : o->kind == option_kind::size ? std::span<const unit>{sizes} : std::span<const unit>{};
    std::int64_t v = 0;
    if (!read_number(value, units, v)) return bad(given + "; " + range_text(*o) + " would be right");
    if (v < o->words.lowest || v > o->words.highest) return out_of_range(*o, v);
    put_number(*o, o->get(object), v);
    return {};
}

std::string option_text(const option_schema& o, const void* object) {
    if (o.kind == option_kind::text) return *static_cast<const std::string*>(at(o, object));
    if (o.kind == option_kind::boolean) return *static_cast<const bool*>(at(o, object)) ? "true" : "false";
    return number_text(o.kind, number_at(o, at(o, object)));
}

std::string option_manual(std::span<const option_schema> table, const void* defaults) {
    std::string text = "| option | default | range | also known as | what it does |\n| --- | --- | --- | --- | --- |\n";
    for (const auto& o : table) {
        const bool ranged = o.kind != option_kind::text && o.kind != option_kind::boolean;
        text += "| " + std::string{o.name} + " | " + option_text(o, defaults) + " | " + (ranged ? range_text(o) : "") + " | ";
        bool first = true;
        for (const auto a : o.words.aliases) {
            if (a.empty()) continue;
            text += (first ? "" : ", ") + std::string{a};
            first = false;
        }
        text += " | " + std::string{o.words.text} + " |\n";
    }
    return text;
}

std::string parse_bootstrap(std::string_view text, std::vector<bootstrap_address>& to) {
    to.clear();
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        auto one = trimmed(text.substr(0, comma));
        text.remove_prefix(std::min(text.size(), comma + 1));
        if (one.empty()) continue;
        const auto shown = '"' + std::string{one} + '"';
        if (const auto scheme = one.find("://"); scheme != std::string_view::npos) return shown + " has a scheme; host:port is enough";
        bootstrap_address a;
        auto port = one.rfind(':');
        if (one.front() == '[') {
            const auto end = one.find(']');
            if (end == std::string_view::npos) return shown + " has no closing bracket";
            a.host = one.substr(1, end - 1);
            port = end + 1 < one.size() ? end + 1 : std::string_view::npos;
            if (port != std::string_view::npos && one[port] != ':') return shown + ": a colon and a port may follow the bracket";
        } else if (port != std::string_view::npos && one.find(':') != port) {
            return shown + ": an IPv6 address stands in brackets, [::1]:9092";
        } else {
            a.host = one.substr(0, port);
        }
        if (a.host.empty()) return shown + " has no host";
        if (a.host.find_first_of(" \t/@") != std::string::npos) return shown + " is not host:port";
        if (port != std::string_view::npos) {
            const auto digits = one.substr(port + 1);
            const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), a.port);
            if (ec != std::errc{} || end != digits.data() + digits.size() || a.port == 0) return shown + " has no port from 1 to 65535 after its colon";
        }
        to.push_back(std::move(a));
    }
    return to.empty() ? "at least one host:port is needed" : "";
}

std::string check_bootstrap(std::string_view text) {
    std::string_view rest;
    if (const auto scheme = net::find_bootstrap_scheme(text, rest)) return scheme->check(rest);
    std::vector<bootstrap_address> ignored;
    return parse_bootstrap(text, ignored);
}

std::string check_client_id(std::string_view text) { return text.size() > 32'767 ? "at most 32767 bytes fit on the wire" : ""; }

}  // namespace kafkawire::inline v0_1
