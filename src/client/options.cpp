#include <kafkawire/bootstrap.hpp>
#include <kafkawire/options.hpp>
#include <kafkawire/protocol/releases.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace kafkawire::inline v0_1 {

namespace {

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

// "a, b" taken apart; what is empty is left out.
std::vector<std::string> read_list(std::string_view text) {
    std::vector<std::string> all;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        if (const auto one = trimmed(text.substr(0, comma)); !one.empty()) all.emplace_back(one);
        text.remove_prefix(std::min(text.size(), comma + 1));
    }
    return all;
}

std::string list_text(const std::vector<std::string>& list) {
    std::string text;
    for (const auto& one : list) text += (text.empty() ? "" : ",") + one;
    return text;
}

// Numbers and choices of one, two, four and eight bytes, as they lie in their struct.
template <class Signed>
std::int64_t load(const void* at, bool negative) {
    Signed v;
    std::memcpy(&v, at, sizeof v);
    return negative ? static_cast<std::int64_t>(v) : static_cast<std::int64_t>(static_cast<std::make_unsigned_t<Signed>>(v));
}
template <class Signed>
void store(void* at, std::int64_t v) {
    const auto narrow = static_cast<Signed>(v);
    std::memcpy(at, &narrow, sizeof narrow);
}

std::int64_t number_at(const option_schema& o, const void* at) {
    if (o.kind == option_kind::duration) return static_cast<const std::chrono::milliseconds*>(at)->count();
    switch (o.width) {
        case 1: return load<std::int8_t>(at, o.negative);
        case 2: return load<std::int16_t>(at, o.negative);
        case 4: return load<std::int32_t>(at, o.negative);
        default: return load<std::int64_t>(at, o.negative);
    }
}

void put_number(const option_schema& o, void* at, std::int64_t v) {
    if (o.kind == option_kind::duration) *static_cast<std::chrono::milliseconds*>(at) = std::chrono::milliseconds{v};
    else if (o.width == 1) store<std::int8_t>(at, v);
    else if (o.width == 2) store<std::int16_t>(at, v);
    else if (o.width == 4) store<std::int32_t>(at, v);
    else store<std::int64_t>(at, v);
}

std::string number_text(option_kind kind, std::int64_t v) {
    if (kind == option_kind::duration) return v >= 1000 && v % 1000 == 0 ? std::to_string(v / 1000) + " s" : std::to_string(v) + " ms";
    if (kind == option_kind::size && v > 0 && v % (1 << 20) == 0) return std::to_string(v >> 20) + " MiB";
    if (kind == option_kind::size && v > 0 && v % 1024 == 0) return std::to_string(v >> 10) + " KiB";
    return std::to_string(v);
}

// The names of the choices, one for each value: "all, 0 or 1".
std::string choice_list(const option_schema& o) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < o.words.choices.size(); ++i) {
        const auto& c = o.words.choices[i];
        const auto same = [&](const option_choice& before) { return before.value == c.value; };
        if (std::none_of(o.words.choices.begin(), o.words.choices.begin() + static_cast<std::ptrdiff_t>(i), same)) names.push_back(c.name);
    }
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + std::string{names[i]};
    return text;
}

const option_choice* find_choice(const option_schema& o, std::int64_t value) {
    for (const auto& c : o.words.choices)
        if (c.value == value) return &c;
    return nullptr;
}

std::string value_text(const option_schema& o, std::int64_t v) {
    const auto* named = find_choice(o, v);
    return named ? std::string{named->name} : number_text(o.kind, v);
}

std::string range_text(const option_schema& o) {
    const auto range = number_text(o.kind, o.words.lowest) + " to " + number_text(o.kind, o.words.highest);
    if (o.kind == option_kind::choice) return choice_list(o);
    return o.words.choices.empty() ? range : choice_list(o) + " or " + range;
}

void* at(const option_schema& o, const void* object) { return o.get(const_cast<void*>(object)); }

bool in_range(const option_schema& o, std::int64_t v) {
    return find_choice(o, v) || (o.kind != option_kind::choice && v >= o.words.lowest && v <= o.words.highest);
}

error out_of_range(const option_schema& o, std::int64_t v) {
    return configuration_error(std::string{o.name} + " is " + number_text(o.kind, v) + "; " + range_text(o) + " would be right");
}

error check(const option_schema& o, const void* object) {
    const auto* value = at(o, object);
    if (o.kind == option_kind::boolean || o.kind == option_kind::secret || !value) return {};
    if (o.kind == option_kind::text) {
        const auto& text = *static_cast<const std::string*>(value);
        const auto wrong = o.check ? o.check(text) : std::string{};
        return wrong.empty() ? error{} : configuration_error(std::string{o.name} + " is \"" + text + "\": " + wrong);
    }
    if (o.kind == option_kind::list) {
        for (const auto& one : *static_cast<const std::vector<std::string>*>(value))
            if (const auto wrong = o.check ? o.check(one) : std::string{}; !wrong.empty()) return configuration_error(std::string{o.name} + " has \"" + one + "\": " + wrong);
        return {};
    }
    const auto v = number_at(o, value);
    return in_range(o, v) ? error{} : out_of_range(o, v);
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
    std::vector<std::string_view> names;
    for (const auto& o : table) {
        names.push_back(o.name);
        names.insert(names.end(), o.words.aliases.begin(), o.words.aliases.end());
    }
    const auto nearest = nearest_name(names, name);
    return configuration_error("there is no option " + std::string{name}, nearest.empty() ? "" : "did you mean " + std::string{nearest} + "?");
}

}  // namespace

std::string_view nearest_name(std::span<const std::string_view> names, std::string_view name) {
    name = name.substr(0, 100);
    std::string_view nearest;
    std::size_t distance = name.size() / 3 + 2;
    for (const auto candidate : names) {
        const auto d = candidate.empty() ? distance : edit_distance(candidate, name);
        if (d < distance) nearest = candidate, distance = d;
    }
    return nearest;
}

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
    if (o->kind == option_kind::secret) {
        *static_cast<secret*>(o->make(object)) = secret{value};
        return {};
    }
    const auto given = std::string{o->name} + " is \"" + std::string{value} + '"';
    if (o->kind == option_kind::text) {
        if (const auto wrong = o->check ? o->check(value) : std::string{}; !wrong.empty()) return configuration_error(given + ": " + wrong);
        *static_cast<std::string*>(o->make(object)) = value;
        return {};
    }
    if (o->kind == option_kind::list) {
        auto all = read_list(value);
        for (const auto& one : all)
            if (const auto wrong = o->check ? o->check(one) : std::string{}; !wrong.empty()) return configuration_error(given + ", with \"" + one + "\": " + wrong);
        *static_cast<std::vector<std::string>*>(o->make(object)) = std::move(all);
        return {};
    }
    if (o->kind == option_kind::boolean) {
        const auto v = lower(trimmed(value));
        const bool yes = v == "true" || v == "yes" || v == "on" || v == "1", no = v == "false" || v == "no" || v == "off" || v == "0";
        if (!yes && !no) return configuration_error(given + "; true or false would be right");
        *static_cast<bool*>(o->make(object)) = yes;
        return {};
    }
    const auto name_of_choice = lower(trimmed(value));
    for (const auto& c : o->words.choices) {
        if (c.name != name_of_choice) continue;
        put_number(*o, o->make(object), c.value);
        return {};
    }
    if (o->kind == option_kind::choice) return configuration_error(given + "; " + range_text(*o) + " would be right");
    const auto units = o->kind == option_kind::duration ? std::span<const unit>{durations} : o->kind == option_kind::size ? std::span<const unit>{sizes} : std::span<const unit>{};
    std::int64_t v = 0;
    if (!read_number(value, units, v)) return configuration_error(given + "; " + range_text(*o) + " would be right");
    if (v < o->words.lowest || v > o->words.highest) return out_of_range(*o, v);
    put_number(*o, o->make(object), v);
    return {};
}

std::string option_text(const option_schema& o, const void* object) {
    const auto* value = at(o, object);
    if (!value) return {};
    if (o.kind == option_kind::text) return *static_cast<const std::string*>(value);
    if (o.kind == option_kind::secret) return static_cast<const secret*>(value)->empty() ? "" : "(hidden)";
    if (o.kind == option_kind::boolean) return *static_cast<const bool*>(value) ? "true" : "false";
    if (o.kind == option_kind::list) return list_text(*static_cast<const std::vector<std::string>*>(value));
    return value_text(o, number_at(o, value));
}

std::string option_manual(std::span<const option_schema> table, const void* defaults) {
    std::string text = "| option | default | range | also known as | what it does |\n| --- | --- | --- | --- | --- |\n";
    for (const auto& o : table) {
        const bool ranged = o.kind != option_kind::text && o.kind != option_kind::boolean && o.kind != option_kind::list && o.kind != option_kind::secret;
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

std::string check_broker_version(std::string_view text) {
    return text.empty() || protocol::parse_release(text) ? "" : "a release of Kafka would be right, as 2.8, 3.9.1 or 0.10.2.0";
}

std::string check_client_id(std::string_view text) { return text.size() > 32'767 ? "at most 32767 bytes fit on the wire" : ""; }

}  // namespace kafkawire::inline v0_1
