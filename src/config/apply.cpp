#include "config/apply.hpp"

#include <kafkawire/config/discovery.hpp>
#include <kafkawire/observe.hpp>

#include <algorithm>

#include <unistd.h>

namespace kafkawire::inline v0_1 {
namespace config {

namespace {

// Letters and digits alone, small: "bootstrap.servers" and BOOTSTRAP_SERVERS are the same.
std::string plain(std::string_view name) {
    std::string s;
    for (const char c : name)
        if (c != '.' && c != '_' && c != '-') s += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return s;
}

// More than so many are not told: the first ones say what is the matter, and a file may be all wrong.
constexpr std::size_t most_problems = 100;

constexpr std::string_view variable_prefix = "KAFKAWIRE_";

bool same_name(const owner& o, std::string_view known, std::string_view name) {
    if (known.empty()) return false;
    if (known == name) return true;
    if (name.starts_with(variable_prefix)) return plain(known) == plain(name.substr(variable_prefix.size()));
    return o.in == dialect::toml && camel_case(known) == name;
}

bool word_part(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// The library tells of options by their own names; people know those that they wrote.
std::string in_their_words(const settings& s, const owner& o, std::string text) {
    for (const auto& from : s.origins) {
        if (from.owner != o.name || from.name == from.option) continue;
        for (std::size_t at = 0; (at = text.find(from.option, at)) != std::string::npos;) {
            const auto behind = at + from.option.size();
            const bool whole = (at == 0 || !word_part(text[at - 1])) && text.compare(behind, 4, " is ") == 0;
            if (!whole) {
                at = behind;
                continue;
            }
            text.replace(at, from.option.size(), from.name);
            at += from.name.size();
        }
    }
    return text;
}

void tell_invalid(settings& s, const owner& o, const error& e) {
    const origin* first = nullptr;
    for (const auto& from : s.origins) {
        if (from.owner != o.name || from.by_dialect) continue;
        const auto at = e.text.find(from.option);
        if (at != std::string::npos && (at == 0 || !word_part(e.text[at - 1])) && (!first || from.line > first->line)) first = &from;
    }
    problem p;
    if (first) p.file = first->file, p.line = first->line, p.name = first->name;
    p.text = in_their_words(s, o, e.text.empty() ? e.code.message() : e.text);
    if (o.name.find(' ') != std::string::npos) p.text = o.name + ": " + p.text;
    p.hint = e.hint;
    s.problems.push_back(std::move(p));
}

bool written(const settings& s, const owner& o, std::string_view option) { return origin_of(s, o.name, option) != nullptr; }

// read and write timeouts are a request's time together.
void finish_times(settings& s, const owner& o, client_options& client, const connection_settings& c) {
    if (!c.read_timeout && !c.write_timeout) return;
    const auto sum = c.read_timeout.value_or(std::chrono::milliseconds{0}) + c.write_timeout.value_or(std::chrono::milliseconds{0});
    client.request_timeout = std::min(sum, std::chrono::milliseconds{std::numeric_limits<std::int32_t>::max()});
    const auto* read = origin_of(s, o.name, "read_timeout", true);
    origin from = read ? *read : origin{};
    from.option = "request_timeout";
    from.name = "readTimeout + writeTimeout";
    if (o.in == dialect::address) from.name = "netReadTimeout + netWriteTimeout";
    if (read) s.origins.push_back(std::move(from));
}

void finish_connection(settings& s, const owner& o, client_options& client, const connection_settings& c) {
    if (!c.discover.empty() && !c.service.empty()) client.bootstrap = discovery_address(c.discover, c.service, c.service_namespace);
    // Of an address without a name in front that is said already.
    if (!c.discover.empty() && c.service.empty() && o.in != dialect::address)
        tell_about(s, o, "discover", "discover is " + shown_text({}, c.discover) + ", and service is not set: it is what is looked up", "add service=NAME");
    if (!c.service_namespace.empty() && c.discover.empty())
        tell_about(s, o, "service_namespace", "namespace is \"" + c.service_namespace + "\", and discover is not set: a namespace is a resolver's", "add discover=NAME, the resolver that knows it");
}

// Held to a release as librdkafka is: where brokers are not to be asked.
void finish_version(client_options& client, const connection_settings& c) {
    if (!c.ask_versions && client.broker_version.empty()) client.broker_version = c.fallback_version.empty() ? "0.10.0" : c.fallback_version;
}

// What it is called where it is seen, and whether its requests are. May be done again, when something else was laid over it.
void finish_seeing(const owner& o, client_options& client, const connection_settings& c) {
    if (o.name.find(' ') != std::string::npos) client.name = o.name;
    const auto printer = debug_to_stderr();
    if (c.debug || debug_is_asked_for(environ)) {
        if (!client.observer) client.observer = printer;
    } else if (client.observer == printer) {
        client.observer.reset();
    }
}

// The one of two bounds that was written moves the one that was not.
void finish_pauses(const settings& s, const owner& o, std::chrono::milliseconds& shortest, std::chrono::milliseconds& longest) {
    if (!written(s, o, "retry_backoff_max")) longest = std::max(shortest, longest);
    else if (!written(s, o, "retry_backoff")) shortest = std::min(shortest, longest);
}

// What is wrong with the options that all share is told of the client alone.
void check_client(settings& s, const owner& o, const client_options& mine) {
    if (s.unfinished) return;
    if (const auto warning = warning_of(mine); !warning.empty() && warning_of(s.client).empty()) tell(s, {}, o.name + ": " + warning, {}, true);
    if (const auto e = validate(mine); e && e.text != validate(s.client).text) tell_invalid(s, o, e);
}

}  // namespace

owner owner_of(producer_settings& p, std::string_view name) {
    return {name.empty() ? "producer" : "producer " + std::string{name}, {part_of(p.options), part_of(p.sending), part_of(p.connection), part_of(p.client)}};
}
owner owner_of(consumer_settings& c, std::string_view name) {
    return {name.empty() ? "consumer" : "consumer " + std::string{name},
            {part_of(c.options), part_of(c.reading), part_of(c.handling), part_of(c.connection), part_of(c.client)}};
}
owner owner_of(server_settings& s, std::string_view name) { return {"server " + std::string{name}, {part_of(s)}}; }
owner client_owner(settings& s) { return {"client", {part_of(s.client), part_of(s.connection)}}; }

const option_schema* find_option(const owner& o, std::string_view option, void** object) {
    for (const auto& p : o.parts)
        for (const auto& schema : p.table)
            if (schema.name == option || std::find(schema.words.aliases.begin(), schema.words.aliases.end(), option) != schema.words.aliases.end()) {
                if (object) *object = p.object;
                return &schema;
            }
    return nullptr;
}

target find_target(const owner& o, std::string_view name) {
    target t;
    if (name.empty()) return t;
    const auto take = [&](const row& r) {
        t.by = &r;
        for (const auto option : r.sets)
            if (const auto* schema = option.empty() ? nullptr : find_option(o, option)) t.options.push_back(schema->name);
        // A row whose options are all another owner's, or this library's without them, is no name of this owner.
        if (t.options.empty()) t.by = nullptr;
        return t.by != nullptr;
    };
    for (const auto& r : o.rows)
        if (same_name(o, r.name, name) && take(r)) return t;
    for (const auto& r : property_rows())
        if (o.in != dialect::automatic && same_name(o, r.name, name) && take(r)) return t;
    for (const auto& p : o.parts)
        for (const auto& schema : p.table) {
            const auto& aliases = schema.words.aliases;
            if (same_name(o, schema.name, name) || std::any_of(aliases.begin(), aliases.end(), [&](auto a) { return same_name(o, a, name); })) t.options.push_back(schema.name);
        }
    return t;
}

const origin* origin_of(const settings& s, std::string_view owner, std::string_view option, bool defaults) {
    for (auto i = s.origins.rbegin(); i != s.origins.rend(); ++i)
        if (i->owner == owner && i->option == option && (defaults || !i->by_dialect)) return &*i;
    return nullptr;
}

bool looks_secret(std::string_view name) noexcept {
    const auto n = plain(name);
    for (const auto word : {"passw", "secret", "token", "keypem", "sslkey", "jaas", "pasw", "psswd", "credential"})
        if (n.find(word) != std::string::npos) return true;
    return false;
}

bool is_secret(const option_schema& o) noexcept { return o.kind == option_kind::secret; }

std::string shown_text(std::string_view name, std::string_view value) {
    if (looks_secret(name)) return "(hidden)";
    std::string s = "\"";
    for (const char c : value.substr(0, 100)) {
        if (c == '\n') s += "\\n";
        else if (c == '\t') s += "\\t";
        else if (static_cast<unsigned char>(c) < 32 || c == 127) s += '?';
        else s += c;
    }
    return s + (value.size() > 100 ? "...\"" : "\"");
}

void tell(settings& s, const property& p, std::string text, std::string hint, bool warning) {
    if (s.problems.size() < most_problems) s.problems.push_back({p.file, p.line, p.name, std::move(text), std::move(hint), warning});
}

void tell_about(settings& s, const owner& o, std::string_view option, std::string text, std::string hint) {
    problem p;
    if (const auto* from = origin_of(s, o.name, option)) p.file = from->file, p.line = from->line, p.name = from->name;
    p.text = o.name.find(' ') == std::string::npos ? std::move(text) : o.name + ": " + text;
    p.hint = std::move(hint);
    s.problems.push_back(std::move(p));
}

bool apply(settings& s, const owner& o, const property& p, bool by_dialect) {
    const auto t = find_target(o, p.name);
    if (!t.found()) return false;
    auto value = p.value;
    std::string wrong;
    const bool secret = looks_secret(p.name) || std::any_of(t.options.begin(), t.options.end(), [](auto option) { return looks_secret(option); });
    const auto given = p.name + " is " + (secret ? "(hidden)" : shown_text({}, p.value));
    if (t.by && t.by->how) value = t.by->how(p.value, wrong);
    if (!wrong.empty()) {
        tell(s, p, given + wrong);
        return true;
    }
    for (const auto option : t.options) {
        void* object = nullptr;
        const auto* schema = find_option(o, option, &object);
        if (!schema) continue;
        auto text = value;
        if (o.in == dialect::toml && schema->kind == option_kind::duration) {
            std::int64_t ms = 0;
            if (parse_go_duration(text, ms)) text = std::to_string(ms);
        }
        if (const auto e = set_option({schema, 1}, object, schema->name, text)) {
            // The library shows name and value as it was given them; people see what they wrote.
            auto said = e.text.substr(e.text.starts_with(schema->name) ? schema->name.size() : 0);
            const auto quoted = " is \"" + text + '"';
            if (said.starts_with(quoted)) said.erase(0, quoted.size());
            else if (const auto rest = said.find(';'); rest != std::string::npos) said.erase(0, rest);
            tell(s, p, given + said, e.hint);
            return true;
        }
        s.origins.push_back({o.name, schema->name, p.name, p.file, p.line, by_dialect});
    }
    return true;
}

void apply_defaults(settings& s, const owner& o) {
    for (const auto& r : o.rows)
        if (!r.otherwise.empty()) apply(s, o, {std::string{r.name}, std::string{r.otherwise}}, true);
}

void tell_unknown(settings& s, std::span<const owner> owners, const property& p, std::string_view what) {
    if (s.problems.size() >= most_problems) return;
    std::vector<std::string> names;
    const bool variable = p.name.starts_with(variable_prefix);
    bool toml = false;
    const auto add = [&](std::string_view n) {
        if (n.empty() || n.ends_with('.')) return;
        names.push_back(variable ? variable_name(n) : std::string{n});
        if (toml) names.push_back(camel_case(n));
    };
    for (const auto& o : owners) {
        toml = o.in == dialect::toml;
        for (const auto& r : o.rows)
            if (find_target(o, r.name).found()) add(r.name);
        for (const auto& part : o.parts)
            for (const auto& schema : part.table) {
                add(schema.name);
                for (const auto a : schema.words.aliases) add(a);
            }
        for (const auto& r : property_rows())
            if (find_target(o, r.name).found()) add(r.name);
    }
    std::vector<std::string_view> views(names.begin(), names.end());
    const auto nearest = nearest_name(views, p.name);
    const auto value = looks_secret(nearest) ? std::string{"(hidden)"} : shown_text(p.name, p.value);
    tell(s, p, "there is no " + std::string{what} + " " + (p.name.empty() ? "without a name" : p.name.substr(0, 100)) + " (it is " + value + ")",
         nearest.empty() ? "" : "did you mean " + std::string{nearest} + "?");
}

void finish_client(settings& s) {
    const auto o = client_owner(s);
    finish_times(s, o, s.client, s.connection);
    finish_connection(s, o, s.client, s.connection);
    finish_version(s.client, s.connection);
    finish_seeing(o, s.client, s.connection);
    if (s.unfinished) return;
    if (const auto e = validate(s.client)) tell_invalid(s, o, e);
    if (const auto warning = warning_of(s.client); !warning.empty()) tell(s, {}, warning, {}, true);
}

void finish(settings& s, const owner& o, producer_settings& p) {
    finish_times(s, o, p.client, p.connection);
    finish_connection(s, o, p.client, p.connection);
    finish_version(p.client, p.connection);
    finish_seeing(o, p.client, p.connection);
    auto& a = p.options;
    // Who asks for large batches asks for the room they need, unless that is said too.
    if (!written(s, o, "request_bytes")) a.request_bytes = std::max(a.request_bytes, a.batch_bytes);
    if (!written(s, o, "send_buffer")) a.send_buffer = std::max<std::uint64_t>(a.send_buffer, a.batch_bytes);
    finish_pauses(s, o, a.retry_backoff, a.retry_backoff_max);
    check_client(s, o, p.client);
    if (const auto e = validate(a)) tell_invalid(s, o, e);
}

void finish(settings& s, const owner& o, consumer_settings& c) {
    finish_times(s, o, c.client, c.connection);
    finish_connection(s, o, c.client, c.connection);
    finish_version(c.client, c.connection);
    finish_seeing(o, c.client, c.connection);
    auto& a = c.options;
    if (c.reading.start_offset && *c.reading.start_offset < 0) {
        a.auto_offset_reset = *c.reading.start_offset == -1 ? offset_reset::latest : offset_reset::earliest;
    } else if (c.reading.start_offset && !a.group.empty()) {
        tell_about(s, o, "start_offset", in_their_words(s, o, "start_offset is " + std::to_string(*c.reading.start_offset)) + ", and there is a group, whose offsets count", "-2 (the first) or -1 (the last) would be right");
    }
    if (c.reading.commit_interval.count() > 0) {
        a.auto_commit = !a.group.empty();
        a.auto_mark = a.group.empty();
        a.auto_commit_interval = c.reading.commit_interval;
    }
    if (c.reading.watch_partitions) c.client.metadata_max_age = c.reading.watch_interval;
    if (!written(s, o, "fetch_max_bytes")) a.fetch_max_bytes = std::max(a.fetch_max_bytes, a.partition_bytes);
    if (!written(s, o, "fetch_buffer")) a.fetch_buffer = std::max<std::uint64_t>(a.fetch_buffer, a.fetch_max_bytes);
    finish_pauses(s, o, a.retry_backoff, a.retry_backoff_max);
    if (a.fetch_min_bytes > a.fetch_max_bytes)
        tell_about(s, o, "fetch_min_bytes",
                   in_their_words(s, o, "fetch_min_bytes is " + std::to_string(a.fetch_min_bytes) + ", and fetch_max_bytes is " + std::to_string(a.fetch_max_bytes)) + ": no answer would be enough");
    const auto& h = c.handling;
    if (h.batch == 0 && origin_of(s, o.name, "batch_flush"))
        tell_about(s, o, "batch_flush", in_their_words(s, o, "batch_flush is " + std::to_string(h.batch_flush.count())) + ", and batch is not set: messages are handed out one by one", "add batch=100, for example");
    if (const auto e = validate(h)) tell_invalid(s, o, e);
    check_client(s, o, c.client);
    if (const auto e = validate(a)) tell_invalid(s, o, e);
}

void sort_problems(settings& s) {
    const auto place = [](const problem& p) { return p.line == 0 ? std::numeric_limits<std::size_t>::max() : p.line; };
    std::stable_sort(s.problems.begin(), s.problems.end(), [&](const problem& a, const problem& b) { return place(a) < place(b); });
}

}  // namespace config
}  // namespace kafkawire::inline v0_1
