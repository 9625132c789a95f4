// TOML: ekafka's sections, and files of profiles. The only source that knows toml++.
#include "config/apply.hpp"

#include <kafkawire/observe.hpp>
#include <kafkawire/partitioner.hpp>

// Headers alone, however a distribution has it built: no library to load for one parser.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>

namespace kafkawire::inline v0_1 {
namespace config {

namespace {

constexpr int deepest_table = 8;

// A value as a property has it: arrays with commas between.
struct scalar {
    std::string text;
    bool good = true;
    bool number = false;
    bool list = false;
};

scalar scalar_of(const toml::node& n) {
    if (const auto* s = n.as_string()) return {s->get()};
    if (const auto* b = n.as_boolean()) return {b->get() ? "true" : "false"};
    if (const auto* i = n.as_integer()) return {std::to_string(i->get()), true, true};
    if (const auto* f = n.as_floating_point()) return {std::to_string(f->get()), true, true};
    if (const auto* a = n.as_array()) {
        scalar all{{}, true, false, true};
        for (const auto& one : *a) {
            const auto* text = one.as_string();
            if (!text || text->get().find(',') != std::string::npos) return {{}, false, false, true};
            all.text += (all.text.empty() ? "" : ",") + text->get();
        }
        return all;
    }
    return {{}, false};
}

std::size_t line_of(const toml::node& n) { return static_cast<std::size_t>(n.source().begin.line); }
std::size_t line_of(const toml::key& k) { return static_cast<std::size_t>(k.source().begin.line); }

// Entries with the names of nested tables before theirs: sasl.mechanism.
struct entry {
    property p;
    scalar value;
};
void flatten(const toml::table& t, const std::string& before, std::string_view file, std::vector<entry>& to, int depth = 0) {
    for (const auto& [key, node] : t) {
        auto name = before + std::string{key.str()};
        if (const auto* inner = node.as_table(); inner && depth < deepest_table) {
            flatten(*inner, name + '.', file, to, depth + 1);
            continue;
        }
        auto value = scalar_of(node);
        to.push_back({{std::move(name), value.text, std::string{file}, line_of(key)}, std::move(value)});
    }
}

class toml_reader {
public:
    toml_reader(std::string_view file, std::string_view section, bool unfinished) : file_{file}, section_{section} { s_.unfinished = unfinished; }

    settings read(const toml::table& root) {
        const auto* top = root[section_].as_table();
        if (!top) {
            tell_missing(root);
            return std::move(s_);
        }
        read_shared(*top);
        if (const auto* t = table_in(*top, "producers"))
            for (const auto& [name, node] : *t) read_producer(std::string{name.str()}, node);
        if (const auto* t = table_in(*top, "consumers"))
            for (const auto& [name, node] : *t) read_consumer(std::string{name.str()}, node);
        if (const auto* t = table_in(root, section_ + "ConsumerServers"))
            for (const auto& [name, node] : *t) read_server(std::string{name.str()}, node);
        finish_client(s_);
        sort_problems(s_);
        return std::move(s_);
    }

private:
    void tell_missing(const toml::table& root) {
        std::vector<std::string_view> names;
        for (const auto& [key, node] : root) names.push_back(key.str());
        const auto nearest = nearest_name(names, section_);
        tell(s_, {{}, {}, std::string{file_}}, "there is no section [" + section_ + "]", nearest.empty() ? "" : "is [" + std::string{nearest} + "] meant to be it?");
    }

    const toml::table* table_in(const toml::table& t, std::string_view name) {
        const auto* node = t.get(name);
        if (!node) return nullptr;
        if (!node->is_table()) tell(s_, {std::string{name}, {}, std::string{file_}, line_of(*node)}, std::string{name} + " is no section; [" + section_ + "." + std::string{name} + ".NAME] would be right");
        return node->as_table();
    }

    // What is wrong with how a value is written, for what it is to set. False: it was told.
    bool fits(const owner& o, const entry& e) {
        const auto t = find_target(o, e.p.name);
        const auto* schema = t.options.empty() ? nullptr : find_option(o, t.options.front());
        const bool many = schema && (schema->kind == option_kind::list || schema->name == "bootstrap");
        if (!e.value.good) {
            tell(s_, e.p, e.p.name + (e.value.list && many ? " has something in it that is no text, or a comma in a text; [\"a\", \"b\"] would be right" : e.value.list ? " is a list; a single value would be right" : " is a table or a date; a single value would be right"));
            return false;
        }
        if (e.value.list && !many) {
            tell(s_, e.p, e.p.name + " is a list; a single value would be right");
            return false;
        }
        std::int64_t ms = 0;
        if (!schema || schema->kind != option_kind::duration || e.p.value == "0") return true;
        if (e.value.number || !parse_go_duration(e.p.value, ms)) {
            tell(s_, e.p, e.p.name + " is " + (e.value.number ? e.p.value : shown_text(e.p.name, e.p.value)) + "; a text with its unit would be right, as \"3s\" or \"10ms\"");
            return false;
        }
        return true;
    }

    void set(const owner& o, const entry& e, std::string_view where) {
        if (!find_target(o, e.p.name).found()) {
            if (const auto* f = find_foreign(e.p.name)) return tell(s_, e.p, e.p.name + (f->refused ? " is not supported: it " : " has no effect: it ") + std::string{f->there} + "; here " + std::string{f->here}, {}, !f->refused);
            return tell_unknown(s_, std::span{&o, 1}, e.p, "key in " + std::string{where});
        }
        if (fits(o, e)) apply(s_, o, e.p);
    }

    void read_shared(const toml::table& top) {
        auto o = client_owner(s_);
        o.in = dialect::toml;
        o.rows = toml_section_rows();
        apply_defaults(s_, o);
        for (const auto& [key, node] : top) {
            const auto name = key.str();
            if (name == "producers" || name == "consumers" || name == "client") continue;
            std::vector<entry> entries;
            if (const auto* inner = node.as_table()) flatten(*inner, std::string{name} + '.', file_, entries);
            else entries.push_back({{std::string{name}, scalar_of(node).text, std::string{file_}, line_of(key)}, scalar_of(node)});
            const bool ours = std::any_of(entries.begin(), entries.end(), [&](const entry& e) { return find_target(o, e.p.name).found(); });
            if (node.is_table() && !ours) {
                static constexpr std::string_view known[] = {"client", "producers", "consumers"};
                const auto nearest = nearest_name(known, name);
                tell(s_, {std::string{name}, {}, std::string{file_}, line_of(key)}, "there is no section [" + section_ + "." + std::string{name} + "]", nearest.empty() ? "" : "did you mean [" + section_ + "." + std::string{nearest} + "]?");
                continue;
            }
            for (const auto& e : entries) set(o, e, "[" + section_ + "]");
        }
        std::vector<entry> entries;
        if (const auto* t = table_in(top, "client")) flatten(*t, {}, file_, entries);
        // The time of what is no producer's or consumer's is not theirs; the rest of [kafka.client] is everybody's.
        o.rows = toml_client_rows();
        for (const auto& e : entries)
            if (e.p.name != "timeout") set(o, e, "[" + section_ + ".client]");
        shared_ = s_.client;
        shared_connection_ = s_.connection;
        for (const auto& from : s_.origins) shared_origins_.push_back(from);
        for (const auto& e : entries)
            if (e.p.name == "timeout") set(o, e, "[" + section_ + ".client]");
    }

    // What the sections have in common: they begin with what all share, and take their own keys.
    template <class Settings>
    owner begin(Settings& to, std::string_view name, std::span<const row> rows) {
        to.client = shared_;
        to.connection = shared_connection_;
        auto o = owner_of(to, name);
        o.in = dialect::toml;
        o.rows = rows;
        for (auto from : shared_origins_) {
            from.owner = o.name;
            s_.origins.push_back(std::move(from));
        }
        apply_defaults(s_, o);
        return o;
    }

    const toml::table* section_table(std::string_view kind, const std::string& name, const toml::node& node) {
        if (!node.is_table()) tell(s_, {name, {}, std::string{file_}, line_of(node)}, name + " is no section; [" + section_ + "." + std::string{kind} + ".NAME] would be right");
        return node.as_table();
    }

    void read_producer(const std::string& name, const toml::node& node) {
        const auto* t = section_table("producers", name, node);
        if (!t) return;
        auto& to = s_.producers[name];
        const auto o = begin(to, name, toml_producer_rows());
        std::vector<entry> entries;
        flatten(*t, {}, file_, entries);
        for (const auto& e : entries)
            if (e.p.name != "balancer" || !e.value.good || e.value.list || !take_balancer(o, to, e)) set(o, e, "[" + section_ + ".producers." + name + "]");
        finish(s_, o, to);
    }

    // A name that nobody knows yet is one that the program is going to register.
    bool take_balancer(const owner& o, producer_settings& to, const entry& e) {
        std::string wrong;
        const auto t = find_target(o, "balancer");
        if (e.p.value.empty() || !t.by || check_partitioner(t.by->how(e.p.value, wrong)).empty()) return false;
        to.sending.balancer = e.p.value;
        s_.origins.push_back({o.name, "balancer", e.p.name, e.p.file, e.p.line, false});
        static constexpr std::string_view known[] = {"hash", "roundRobin", "leastBytes", "crc32", "murmur2"};
        const auto nearest = nearest_name(known, e.p.value);
        tell(s_, e.p, "balancer is " + shown_text({}, e.p.value) + ", which the program must register: it is none of hash, roundRobin, leastBytes, crc32 and murmur2", nearest.empty() ? "" : "did you mean " + std::string{nearest} + "?", true);
        return true;
    }

    void read_consumer(const std::string& name, const toml::node& node) {
        const auto* t = section_table("consumers", name, node);
        if (!t) return;
        auto& to = s_.consumers[name];
        const auto o = begin(to, name, toml_consumer_rows());
        std::vector<entry> entries;
        flatten(*t, {}, file_, entries);
        for (const auto& e : entries) set(o, e, "[" + section_ + ".consumers." + name + "]");
        if (to.reading.topic.empty() && to.options.topics.empty())
            tell(s_, {"topic", {}, std::string{file_}, line_of(node)}, o.name + " has no topic", "add topic = \"...\": a consumer reads one");
        if (!to.options.group.empty() && to.reading.partition) {
            const auto* partition = origin_of(s_, o.name, "partition");
            const auto* group = origin_of(s_, o.name, "group");
            const auto* later = group && partition && group->line > partition->line ? group : partition;
            tell(s_, {later ? later->name : "partition", {}, std::string{file_}, later ? later->line : 0},
                 o.name + ": partition is " + std::to_string(*to.reading.partition) + ", and groupID is " + shown_text({}, to.options.group) + ": members of a group are given their partitions", "leave out one of the two");
        }
        if (!to.options.group.empty() && to.options.topics.empty() && !to.reading.topic.empty()) to.options.topics = {to.reading.topic};
        if (to.options.group.empty() && !to.reading.partition) to.reading.partition = 0;
        finish(s_, o, to);
    }

    void read_server(const std::string& name, const toml::node& node) {
        const auto where = "[" + section_ + "ConsumerServers." + name + "]";
        const auto* t = node.as_table();
        if (!t) return tell(s_, {name, {}, std::string{file_}, line_of(node)}, name + " is no section; [" + section_ + "ConsumerServers.NAME] would be right");
        auto& to = s_.servers[name];
        auto o = owner_of(to, name);
        o.in = dialect::automatic;
        o.rows = toml_server_rows();
        std::vector<entry> entries;
        flatten(*t, {}, file_, entries);
        for (const auto& e : entries) set(o, e, where);
        std::vector<std::string_view> names;
        for (const auto& [consumer, settings] : s_.consumers) names.push_back(consumer);
        const property p{"consumerName", {}, std::string{file_}, origin_of(s_, o.name, "consumer_name") ? origin_of(s_, o.name, "consumer_name")->line : line_of(node)};
        if (to.consumer_name.empty()) return tell(s_, p, where + " has no consumerName", "add consumerName = \"...\", one of [" + section_ + ".consumers.NAME]");
        if (const auto its = s_.consumers.find(to.consumer_name); its != s_.consumers.end()) {
            if (!to.debug) return;
            its->second.connection.debug = true;
            if (auto& seen = its->second.client.observer; !seen) seen = debug_to_stderr();
            return;
        }
        const auto nearest = nearest_name(names, to.consumer_name);
        tell(s_, p, "consumerName is " + shown_text({}, to.consumer_name) + ", and there is no [" + section_ + ".consumers." + to.consumer_name.substr(0, 100) + "]", nearest.empty() ? "" : "did you mean " + std::string{nearest} + "?");
    }

    std::string_view file_;
    std::string section_;
    settings s_;
    client_options shared_;
    connection_settings shared_connection_;
    std::vector<origin> shared_origins_;
};

// Null: it was told.
std::optional<toml::table> parse(std::string_view text, std::string_view file, std::vector<problem>& problems) {
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& e) {
        std::string said{e.description()};
        while (!said.empty() && (said.back() == '.' || said.back() == '\n')) said.pop_back();
        problems.push_back({std::string{file}, static_cast<std::size_t>(e.source().begin.line), {}, "this is no TOML: " + said, {}, false});
        return {};
    }
}

}  // namespace

settings read_toml(std::string_view text, std::string_view file, std::string_view section) { return toml_settings(text, file, section, false); }

settings toml_settings(std::string_view text, std::string_view file, std::string_view section, bool unfinished) {
    settings wrong;
    const auto root = parse(text, file, wrong.problems);
    return root ? toml_reader{file, section, unfinished}.read(*root) : wrong;
}

std::vector<property> parse_profile(std::string_view text, std::string_view file, std::string_view name, std::vector<problem>& problems) {
    std::vector<property> all;
    const auto refuse = [&](std::size_t line, std::string said, std::string hint) { problems.push_back({std::string{file}, line, {}, std::move(said), std::move(hint), false}); };
    const auto root = parse(text, file, problems);
    if (!root) return all;
    std::size_t line = 0;
    std::string wanted{name};
    if (const auto* current = root->get("current"); wanted.empty() && current) {
        line = line_of(*current);
        if (!current->is_string()) return refuse(line, "current is no text", "the name of a profile would be right"), all;
        wanted = current->as_string()->get();
    }
    if (wanted.empty()) return all;
    const auto* profiles = (*root)["profiles"].as_table();
    const auto* mine = profiles ? (*profiles)[wanted].as_table() : nullptr;
    if (!mine) {
        std::vector<std::string_view> names;
        if (profiles)
            for (const auto& [key, node] : *profiles) names.push_back(key.str());
        const auto nearest = nearest_name(names, wanted);
        refuse(line, "there is no profile " + shown_text({}, wanted), nearest.empty() ? "it would be a section [profiles." + wanted.substr(0, 100) + "]" : "did you mean " + std::string{nearest} + "?");
        return all;
    }
    std::vector<entry> entries;
    flatten(*mine, {}, file, entries);
    for (auto& e : entries) {
        if (!e.value.good) refuse(e.p.line, e.p.name + " is a table, a date or a list of such; a text, a number, a truth value or a list of texts would be right", {});
        else all.push_back(std::move(e.p));
    }
    return all;
}

}  // namespace config
}  // namespace kafkawire::inline v0_1
