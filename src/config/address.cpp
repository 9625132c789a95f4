// Addresses: everything in one line, as tRPC has it; and the files in which they stand.
#include "config/apply.hpp"

#include <algorithm>
#include <mutex>

namespace kafkawire::inline v0_1 {
namespace config {

namespace {

constexpr std::size_t most_parameters = 200;

struct registered_addresses {
    std::mutex lock;
    std::map<std::string, consumer_settings, std::less<>> consumers;
    std::map<std::string, producer_settings, std::less<>> producers;
};
registered_addresses& registry() {
    static registered_addresses one;
    return one;
}

int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

// %XX and + (a blank) undone; false: a percent sign without two digits.
bool decoded(std::string_view text, std::string& to) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            to += ' ';
        } else if (text[i] == '%') {
            if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return false;
            to += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            to += text[i];
        }
    }
    return true;
}

struct taken_apart {
    std::string hosts;
    std::vector<property> parameters;
};

taken_apart take_apart(settings& s, std::string_view address, const property& where) {
    taken_apart a;
    if (address.starts_with("kafka://")) address.remove_prefix(8);
    const auto question = std::min(address.find('?'), address.size());
    a.hosts = address.substr(0, question);
    auto rest = address.substr(std::min(address.size(), question + 1));
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto one = rest.substr(0, end);
        rest.remove_prefix(std::min(rest.size(), end + 1));
        if (one.empty()) continue;
        const auto equals = std::min(one.find('='), one.size());
        auto p = where;
        p.value.clear();
        p.name.clear();
        std::string value;
        if (!decoded(one.substr(0, equals), p.name) || !decoded(one.substr(std::min(one.size(), equals + 1)), value)) {
            p.name = std::string{one.substr(0, equals)}.substr(0, 100);
            tell(s, p, p.name + " has a percent sign without two hexadecimal digits behind it", "a percent sign itself is written %25");
            continue;
        }
        p.value = std::move(value);
        if (const auto before = std::find_if(a.parameters.begin(), a.parameters.end(), [&](const property& q) { return q.name == p.name; }); before != a.parameters.end()) {
            tell(s, p, p.name.substr(0, 100) + " is there twice; the first one counts", {}, true);
            continue;
        }
        if (a.parameters.size() == most_parameters) {
            tell(s, where, "there are more than 200 parameters in it");
            break;
        }
        a.parameters.push_back(std::move(p));
    }
    return a;
}

// Hosts, or with discover the name of a service.
void take_hosts(settings& s, const owner& o, const taken_apart& a, const property& where, connection_settings& c) {
    const bool found_by_others = std::any_of(a.parameters.begin(), a.parameters.end(), [](const property& p) { return p.name == "discover" && !p.value.empty(); });
    auto p = where;
    p.name = "address";
    p.value = a.hosts;
    if (found_by_others) {
        c.service = a.hosts;
        s.origins.push_back({o.name, "service", "address", p.file, p.line, false});
        if (a.hosts.empty()) tell(s, p, "there is no name of a service before the question mark", "with discover the address begins with it");
        return;
    }
    if (a.hosts.empty()) return tell(s, p, "there are no brokers in it", "host:port, with commas between, would be right");
    void* object = nullptr;
    const auto* schema = find_option(o, "bootstrap", &object);
    if (const auto e = set_option({schema, 1}, object, "bootstrap", a.hosts)) {
        tell(s, p, "its brokers are " + shown_text({}, a.hosts) + e.text.substr(std::min(e.text.size(), std::string_view{"bootstrap is \"\""}.size() + a.hosts.size())));
        return;
    }
    s.origins.push_back({o.name, schema->name, "address", p.file, p.line, false});
}

void take_parameters(settings& s, const owner& o, const taken_apart& a, std::string_view kind) {
    for (const auto& p : a.parameters) {
        if (apply(s, o, p)) continue;
        if (const auto* f = find_foreign(p.name)) tell(s, p, p.name + (f->refused ? " is not supported: it " : " has no effect: it ") + std::string{f->there} + "; here " + std::string{f->here}, {}, !f->refused);
        else tell_unknown(s, std::span{&o, 1}, p, "parameter of " + std::string{kind});
    }
}

// The form has a mechanism and no protocol: who writes the one alone means it over plain text.
void take_security(settings& s, const owner& o, const property& where) {
    const auto* protocol = find_option(o, "security.protocol");
    const auto set = [&](std::string_view name) {
        const auto* schema = find_option(o, name);
        return schema && origin_of(s, o.name, schema->name);
    };
    if (protocol && set("sasl.mechanism") && !set("security.protocol")) {
        auto p = where;
        p.name = "security.protocol";
        p.value = "sasl_plaintext";
        apply(s, o, p, true);
    }
    for (const auto& [option, name] : {std::pair{"sasl.username", "user"}, std::pair{"sasl.password", "password"}})
        if (set(option) && !set("sasl.mechanism")) return tell_about(s, o, find_option(o, option)->name, std::string{name} + " is set, and mechanism is not", "add mechanism=SCRAM-SHA-512, or SCRAM-SHA-256");
}

// How it is registered.
std::string_view without_scheme(std::string_view address) {
    if (address.starts_with("kafka://")) address.remove_prefix(8);
    return address;
}

void producer_address(settings& s, std::string_view address, std::string_view name, const property& where) {
    {
        const std::lock_guard held{registry().lock};
        if (const auto known = registry().producers.find(without_scheme(address)); known != registry().producers.end()) {
            s.producers[std::string{name}] = known->second;
            return;
        }
    }
    const auto a = take_apart(s, address, where);
    auto& to = s.producers[std::string{name}];
    auto o = owner_of(to, name);
    o.in = dialect::address;
    o.rows = address_producer_rows();
    apply_defaults(s, o);
    take_hosts(s, o, a, where, to.connection);
    take_parameters(s, o, a, "a producer's address");
    take_security(s, o, where);
    finish(s, o, to);
}

void consumer_address(settings& s, std::string_view address, std::string_view name, const property& where) {
    {
        const std::lock_guard held{registry().lock};
        if (const auto known = registry().consumers.find(address); known != registry().consumers.end()) {
            s.consumers[std::string{name}] = known->second;
            return;
        }
    }
    const auto a = take_apart(s, address, where);
    auto& to = s.consumers[std::string{name}];
    // A handler's success is what confirms; what is confirmed is committed every second.
    to.options.auto_commit = true;
    to.options.auto_mark = false;
    to.options.auto_commit_interval = std::chrono::seconds{1};
    auto o = owner_of(to, name);
    o.in = dialect::address;
    o.rows = address_consumer_rows();
    apply_defaults(s, o);
    take_hosts(s, o, a, where, to.connection);
    take_parameters(s, o, a, "a consumer's address");
    take_security(s, o, where);
    const auto missing = [&](std::string_view what, std::string hint) {
        auto p = where;
        p.name = what;
        tell(s, p, (name.empty() ? std::string{"the address"} : "consumer " + std::string{name}) + " has no " + std::string{what}, std::move(hint));
    };
    if (to.options.topics.empty()) missing("topics", "add topics=NAME, or several with commas between");
    // That is said once: what the library would say of topics and commits without a group is the same again.
    const bool grouped = !to.options.group.empty();
    if (!grouped) {
        missing("group", "add group=NAME: its members share the topics");
        to.options.group = "?";
    }
    if (to.options.partition_bytes > to.options.fetch_max_bytes && origin_of(s, o.name, "partition_bytes")) {
        const auto text = "fetchDefault is " + std::to_string(to.options.partition_bytes) + ", and fetchMax is " + std::to_string(to.options.fetch_max_bytes) + "; at most that would be right";
        tell_about(s, o, "partition_bytes", text);
        to.options.partition_bytes = to.options.fetch_max_bytes;
    } else {
        to.options.partition_bytes = std::min(to.options.partition_bytes, to.options.fetch_max_bytes);
    }
    finish(s, o, to);
    if (!grouped) to.options.group.clear();
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

// A line without its comment: a # at the beginning or behind a blank.
std::string_view without_comment(std::string_view line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (quote) {
            if (line[i] == quote) quote = 0;
        } else if (line[i] == '\'' || line[i] == '"') {
            quote = line[i];
        } else if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
            return line.substr(0, i);
        }
    }
    return line;
}

std::string_view unquoted(std::string_view text) {
    if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front()) return text.substr(1, text.size() - 2);
    return text;
}

// "key: value", with a dash before it or not; an address has its first colon behind a host, and no blank behind that.
bool yaml_pair(std::string_view line, std::string_view& key, std::string_view& value) {
    if (line.starts_with("- ")) line = trimmed(line.substr(2));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || (colon + 1 < line.size() && line[colon + 1] != ' ' && line[colon + 1] != '\t')) return false;
    key = line.substr(0, colon);
    value = unquoted(trimmed(line.substr(colon + 1)));
    return true;
}

void address_line(settings& s, std::string_view key, std::string_view address, const std::string& name, const property& where) {
    const bool producer = key == "target" || (key.empty() && address.starts_with("kafka://") && address.find("topics=") == std::string_view::npos);
    const bool twice = producer ? s.producers.contains(name) : s.consumers.contains(name);
    if (twice) return tell(s, where, std::string{producer ? "producer" : "consumer"} + (name.empty() ? " without a name" : " " + name) + " is there twice", "give each a name of its own: - name: ...");
    if (producer) producer_address(s, address, name, where);
    else consumer_address(s, address, name, where);
}

// A service of the file, as far as it is read.
struct service {
    std::string name, target, address, protocol;
    std::size_t target_line = 0, address_line = 0;
};

void take_service(settings& s, service& one, std::string_view file) {
    // Other protocols' services are not ours.
    if (!one.target.empty() && one.target.starts_with("kafka://")) address_line(s, "target", one.target, one.name, {"target", {}, std::string{file}, one.target_line});
    if (!one.address.empty() && (one.protocol == "kafka" || one.protocol.empty())) address_line(s, "address", one.address, one.name, {"address", {}, std::string{file}, one.address_line});
    one = {};
}

}  // namespace

void register_address(std::string address, consumer_settings consumer) {
    const std::lock_guard held{registry().lock};
    registry().consumers[std::move(address)] = std::move(consumer);
}

void register_address(std::string address, producer_settings producer) {
    const std::lock_guard held{registry().lock};
    registry().producers[std::string{without_scheme(address)}] = std::move(producer);
}

settings read_producer_address(std::string_view address, std::string_view name) {
    settings s;
    producer_address(s, address, name, {});
    return s;
}

settings read_consumer_address(std::string_view address, std::string_view name) {
    settings s;
    consumer_address(s, address, name, {});
    return s;
}

settings read_addresses(std::string_view text, std::string_view file) { return address_settings(text, file, false); }

settings address_settings(std::string_view text, std::string_view file, bool unfinished) {
    settings s;
    s.unfinished = unfinished;
    service one;
    std::size_t plain = 0;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto whole = trimmed(without_comment(text.substr(0, end)));
        text.remove_prefix(std::min(text.size(), end + 1));
        if (whole.empty()) continue;
        std::string_view key, value;
        if (!yaml_pair(whole, key, value)) {
            // An address by itself has no name, so that several are told apart by their number.
            ++plain;
            address_line(s, {}, unquoted(whole), plain == 1 ? "" : std::to_string(plain), {"address", {}, std::string{file}, line});
            continue;
        }
        if (whole.starts_with("- ")) take_service(s, one, file);
        if (key == "name") one.name = value;
        if (key == "protocol") one.protocol = value;
        if (key == "target") one.target = value, one.target_line = line;
        if (key == "address") one.address = value, one.address_line = line;
    }
    take_service(s, one, file);
    if (s.producers.empty() && s.consumers.empty()) tell(s, {{}, {}, std::string{file}}, "there is no address in it", "target: kafka://host:port?topic=..., or address: host:port?topics=...&group=...");
    sort_problems(s);
    return s;
}

}  // namespace config
}  // namespace kafkawire::inline v0_1
