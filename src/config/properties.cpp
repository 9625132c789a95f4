// Properties: Java's file syntax, maps, environment variables; and what is common to all results.
#include "config/apply.hpp"

#include <algorithm>
#include <fstream>

namespace kafkawire::inline v0_1 {
namespace config {

namespace {

constexpr std::size_t largest_file = 1u << 20;

bool blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void put_utf8(std::string& to, std::uint32_t c) {
    if (c < 0x80) {
        to += static_cast<char>(c);
    } else if (c < 0x800) {
        to += static_cast<char>(0xc0 | (c >> 6));
        to += static_cast<char>(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        to += static_cast<char>(0xe0 | (c >> 12));
        to += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
        to += static_cast<char>(0x80 | (c & 0x3f));
    } else {
        to += static_cast<char>(0xf0 | (c >> 18));
        to += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
        to += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
        to += static_cast<char>(0x80 | (c & 0x3f));
    }
}

std::optional<std::uint32_t> hex4(std::string_view text) {
    if (text.size() < 4) return {};
    std::uint32_t v = 0;
    for (const char c : text.substr(0, 4)) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return {};
        v = v * 16 + static_cast<std::uint32_t>(digit);
    }
    return v;
}

// A \uXXXX, the backslash and the u gone; two of them may be one character. False: it is none.
bool take_unicode(std::string_view& rest, std::string& to) {
    const auto first = hex4(rest);
    if (!first) return false;
    rest.remove_prefix(4);
    auto c = *first;
    if (c >= 0xd800 && c < 0xdc00 && rest.starts_with("\\u")) {
        const auto second = hex4(rest.substr(2));
        if (second && *second >= 0xdc00 && *second < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (*second - 0xdc00);
            rest.remove_prefix(6);
        }
    }
    put_utf8(to, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    return true;
}

// A name (up to a separator) or a value (all of it), escapes undone. False: an escape that is none.
bool take_text(std::string_view& rest, bool name, std::string& to) {
    while (!rest.empty()) {
        const char c = rest.front();
        if (name && (blank(c) || c == '=' || c == ':')) break;
        rest.remove_prefix(1);
        if (c != '\\' || rest.empty()) {
            if (c != '\\') to += c;
            continue;
        }
        const char e = rest.front();
        rest.remove_prefix(1);
        if (e == 'u') {
            if (!take_unicode(rest, to)) return false;
        } else {
            to += e == 't' ? '\t' : e == 'n' ? '\n' : e == 'r' ? '\r' : e == 'f' ? '\f' : e;
        }
    }
    return true;
}

// Lines of the file; `line` counts them.
std::string_view take_line(std::string_view& rest, std::size_t& line) {
    ++line;
    const auto end = std::min(rest.find('\n'), rest.size());
    auto one = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    if (one.ends_with('\r')) one.remove_suffix(1);
    return one;
}

bool goes_on(std::string_view line) {
    std::size_t slashes = 0;
    while (slashes < line.size() && line[line.size() - 1 - slashes] == '\\') ++slashes;
    return slashes % 2 == 1;
}

std::string_view unindented(std::string_view line) {
    while (!line.empty() && blank(line.front())) line.remove_prefix(1);
    return line;
}

void take_entry(std::string_view logical, property p, std::vector<property>& to, std::vector<problem>& problems) {
    auto rest = logical;
    const bool good = take_text(rest, true, p.name);
    rest = unindented(rest);
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) rest = unindented(rest.substr(1));
    if (!good || !take_text(rest, false, p.value)) {
        const auto name = p.name.substr(0, 100);
        problems.push_back({p.file, p.line, name, name + " has \\u without four hexadecimal digits behind it", "a backslash itself is written \\\\", false});
        return;
    }
    while (!p.value.empty() && blank(p.value.back())) p.value.pop_back();
    to.push_back(std::move(p));
}

void tell_foreign(settings& s, const foreign_property& f, const property& p) {
    tell(s, p, p.name.substr(0, 100) + (f.refused ? " is not supported: it " : " has no effect: it ") + std::string{f.there} + "; here " + std::string{f.here}, {}, !f.refused);
}

// What those clients do unless they are told otherwise, where it is not what we do.
struct habit {
    std::string_view name, librdkafka, java;
};
constexpr habit habits[] = {
    {"enable.auto.commit", "true", "true"}, {"enable.idempotence", "false", "true"},        {"partitioner", "consistent_random", "murmur2"},
    {"isolation.level", "read_committed", "read_uncommitted"}, {"partition.assignment.strategy", "range,roundrobin", "range,cooperative-sticky"}, {"message.send.max.retries", "2147483647", "2147483647"},
};

std::vector<owner> owners_of(settings& s) {
    std::vector<owner> all{client_owner(s)};
    for (auto& [name, p] : s.producers) all.push_back(owner_of(p, name));
    for (auto& [name, c] : s.consumers) all.push_back(owner_of(c, name));
    return all;
}

void set_properties(settings& s, std::span<const property> entries) {
    const auto owners = owners_of(s);
    for (const auto& p : entries) {
        bool known = false;
        const auto wrong = s.problems.size();
        for (const auto& o : owners) {
            if (s.problems.size() == wrong) known = apply(s, o, p) || known;
        }
        if (known) continue;
        const auto* f = find_foreign(p.name);
        if (f) tell_foreign(s, *f, p);
        else if (p.name.starts_with("KAFKAWIRE_")) continue;
        else tell_unknown(s, owners, p, "property");
    }
}

void finish_all(settings& s) {
    finish_client(s);
    const auto before = s.problems.size();
    for (auto& [name, p] : s.producers) {
        // Committed is for groups only: what the client commits by habit it does not without one.
        finish(s, owner_of(p, name), p);
    }
    for (auto& [name, c] : s.consumers) {
        const auto o = owner_of(c, name);
        if (c.options.group.empty() && !origin_of(s, o.name, "auto_commit")) c.options.auto_commit = false;
        finish(s, o, c);
    }
    // What is wrong with the client's options is wrong with everybody's: once is enough.
    for (std::size_t i = s.problems.size(); i-- > before;)
        for (std::size_t j = 0; j < i; ++j)
            if (s.problems[j].line == s.problems[i].line && s.problems[j].name == s.problems[i].name && s.problems[j].text == s.problems[i].text) {
                s.problems.erase(s.problems.begin() + static_cast<std::ptrdiff_t>(i));
                break;
            }
    sort_problems(s);
}

void tell_repeated(settings& s, std::span<const property> entries) {
    std::map<std::string_view, const property*> seen;
    for (const auto& p : entries) {
        const auto [before, fresh] = seen.emplace(p.name, &p);
        if (fresh) continue;
        if (before->second->file == p.file && p.line != 0)
            tell(s, p, p.name.substr(0, 100) + " is there twice; this one counts, not that of line " + std::to_string(before->second->line), {}, true);
        before->second = &p;
    }
}

}  // namespace

std::string problem::message() const {
    std::string s = file;
    if (line != 0) s += ':' + std::to_string(line);
    if (!s.empty()) s += ": ";
    s += text;
    return hint.empty() ? s : s + "; " + hint;
}

bool settings::ok() const noexcept {
    return std::all_of(problems.begin(), problems.end(), [](const problem& p) { return p.warning; });
}

kafkawire::error settings::error() const {
    kafkawire::error e;
    for (const auto& p : problems) {
        if (p.warning) continue;
        e.code = errc::bad_configuration;
        e.text += (e.text.empty() ? "" : "\n") + p.message();
    }
    return e;
}

std::vector<property> parse_properties(std::string_view text, std::string_view file, std::vector<problem>& problems) {
    std::vector<property> all;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    for (std::size_t line = 0; !text.empty();) {
        auto one = unindented(take_line(text, line));
        if (one.empty() || one.front() == '#' || one.front() == '!') continue;
        property p;
        p.file = file;
        p.line = line;
        std::string logical{one};
        while (goes_on(logical)) {
            logical.pop_back();
            if (text.empty()) break;
            logical += unindented(take_line(text, line));
        }
        take_entry(logical, std::move(p), all, problems);
    }
    return all;
}

settings read_properties(std::span<const property> entries, defaults_of whose) {
    settings s;
    s.producers.try_emplace("");
    s.consumers.try_emplace("");
    if (whose != defaults_of::kafkawire)
        for (const auto& h : habits)
            for (const auto& o : owners_of(s)) apply(s, o, {std::string{h.name}, std::string{whose == defaults_of::java ? h.java : h.librdkafka}}, true);
    tell_repeated(s, entries);
    set_properties(s, entries);
    finish_all(s);
    return s;
}

settings read_properties(const std::map<std::string, std::string>& entries, defaults_of whose) {
    std::vector<property> all;
    for (const auto& [name, value] : entries) all.push_back({name, value});
    return read_properties(all, whose);
}

settings read_properties(std::string_view text, std::string_view file, defaults_of whose) {
    std::vector<problem> problems;
    const auto entries = parse_properties(text, file, problems);
    auto s = read_properties(entries, whose);
    s.problems.insert(s.problems.begin(), problems.begin(), problems.end());
    sort_problems(s);
    return s;
}

void apply_properties(settings& to, std::span<const property> entries) {
    set_properties(to, entries);
    finish_all(to);
}

std::vector<property> parse_environment(const char* const* variables, std::vector<problem>& problems) {
    constexpr std::string_view prefix = "KAFKAWIRE_";
    std::vector<property> all;
    settings known;
    known.producers.try_emplace("");
    known.consumers.try_emplace("");
    const auto owners = owners_of(known);
    for (; variables && *variables; ++variables) {
        const std::string_view one = *variables;
        const auto equals = one.find('=');
        // What the tests of programs are told by is no option; a variable that is set to nothing is as good as none.
        if (!one.starts_with(prefix) || equals == std::string_view::npos || one.starts_with("KAFKAWIRE_TEST_") || equals + 1 == one.size()) continue;
        property p{std::string{one.substr(0, equals)}, std::string{one.substr(equals + 1)}, "environment"};
        if (std::any_of(owners.begin(), owners.end(), [&](const owner& o) { return find_target(o, p.name).found(); })) {
            all.push_back(std::move(p));
            continue;
        }
        settings told;
        tell_unknown(told, owners, p, "variable");
        // Others may have variables of such names; only one that is nearly ours is worth a word.
        for (auto& t : told.problems)
            if (t.warning = true; !t.hint.empty()) problems.push_back(std::move(t));
    }
    return all;
}

settings read_environment(const char* const* variables) {
    std::vector<problem> problems;
    const auto entries = parse_environment(variables, problems);
    auto s = read_properties(entries);
    s.problems.insert(s.problems.end(), problems.begin(), problems.end());
    return s;
}

dialect dialect_of(std::string_view file) noexcept {
    for (const auto end : {".properties", ".conf", ".cfg", ".config"})
        if (file.ends_with(end)) return dialect::properties;
    if (file.ends_with(".toml")) return dialect::toml;
    for (const auto end : {".yaml", ".yml", ".addresses"})
        if (file.ends_with(end)) return dialect::address;
    return dialect::automatic;
}

settings read_file(const std::string& path, dialect in, bool unfinished) {
    settings wrong;
    const auto refused = [&](std::string text, std::string hint) {
        wrong.problems.push_back({path, 0, {}, std::move(text), std::move(hint), false});
        return wrong;
    };
    if (in == dialect::automatic) in = dialect_of(path);
    if (in == dialect::automatic || in == dialect::environment)
        return refused("its name does not say how it is written", "call it .properties, .toml or .yaml, or name the dialect: properties, toml or address");
    std::ifstream file{path, std::ios::binary};
    std::string text;
    if (file) {
        text.resize(largest_file + 1);
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    }
    if (!file.eof()) {
        if (text.size() > largest_file) return refused("it is larger than a megabyte", "a configuration would be smaller");
        return refused("it cannot be read", "check the path and its permissions");
    }
    if (in == dialect::toml) return toml_settings(text, path, "kafka", unfinished);
    if (in == dialect::address) return address_settings(text, path, unfinished);
    settings s;
    s.unfinished = unfinished;
    s.producers.try_emplace("");
    s.consumers.try_emplace("");
    const auto entries = parse_properties(text, path, s.problems);
    tell_repeated(s, entries);
    apply_properties(s, entries);
    return s;
}

error check_batch_handler(const consumer_settings& s) {
    if (s.handling.batch > 0) return {};
    return configuration_error("a handler of batches was registered, and batch is 0: messages are handed out one by one",
        "add batch=100 to the configuration, for example, or register a handler of single messages");
}

}  // namespace config
}  // namespace kafkawire::inline v0_1
