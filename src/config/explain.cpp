// What a configuration means, what a name means, and the reference: all from the describe() lists and the tables of names.
#include "config/apply.hpp"

#include <algorithm>

namespace kafkawire::inline v0_1 {
namespace config {

namespace {

struct chapter {
    std::string_view title, struct_name, what;
    std::span<const option_schema> table;
    const void* defaults;
};

template <class Options>
chapter chapter_of(std::string_view title, std::string_view struct_name, std::string_view what) {
    static const Options defaults{};
    return {title, struct_name, what, options_of<Options>(), &defaults};
}

std::vector<chapter> chapters() {
    return {
        chapter_of<client_options>("client", "kw::client_options", "How brokers are reached."),
        chapter_of<producer_options>("producer", "kw::producer_options", "How records are sent."),
        chapter_of<consumer_options>("consumer", "kw::consumer_options", "How records are read, and what a member of a group is."),
        chapter_of<connection_settings>("connection", "kw::config::connection_settings", "What a configuration says of connections beyond that."),
        chapter_of<sending_settings>("sending", "kw::config::sending_settings", "How a producer is used."),
        chapter_of<reading_settings>("reading", "kw::config::reading_settings", "How a consumer is used."),
        chapter_of<app::handler_options>("handling", "kw::app::handler_options", "How functions are called with what is read."),
        chapter_of<server_settings>("server", "kw::config::server_settings", "What a consumer server is."),
    };
}

struct tongue {
    std::string_view name, place;
    std::span<const row> rows;
    std::array<std::string_view, 3> chapters;   // whose options its rows set, beside the client's and connection's
};

const std::vector<tongue>& tongues() {
    static const std::vector<tongue> all = {
        {"properties", "", property_rows(), {"producer", "consumer", "sending"}},
        {"toml", "[kafka]", toml_section_rows(), {}},
        {"toml", "[kafka.client]", toml_client_rows(), {}},
        {"toml", "[kafka.producers.NAME]", toml_producer_rows(), {"producer", "sending"}},
        {"toml", "[kafka.consumers.NAME]", toml_consumer_rows(), {"consumer", "reading", "handling"}},
        {"toml", "[kafkaConsumerServers.NAME]", toml_server_rows(), {"server"}},
        {"address", "of a producer", address_producer_rows(), {"producer", "sending"}},
        {"address", "of a consumer", address_consumer_rows(), {"consumer", "reading", "handling"}},
    };
    return all;
}

bool means(const option_schema& o, std::string_view option) {
    return !option.empty() && (o.name == option || std::find(o.words.aliases.begin(), o.words.aliases.end(), option) != o.words.aliases.end());
}

// The row of the table that a struct has of itself: range and all.
std::string range_of(const option_schema& o, const void* defaults) {
    const auto line = option_manual({&o, 1}, defaults);
    auto rest = std::string_view{line}.substr(std::min(line.size(), line.find("| " + std::string{o.name} + " |")));
    for (int bar = 0; bar < 3 && !rest.empty(); ++bar) rest.remove_prefix(std::min(rest.size(), rest.find('|') + 1));
    rest = rest.substr(0, std::min(rest.find('|'), rest.size()));
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
    if (!rest.empty()) return std::string{rest};
    if (o.kind == option_kind::boolean) return "true or false";
    return o.kind == option_kind::list ? "texts with commas between" : "a text";
}

void add_line(std::string& to, std::string_view label, const std::string& text) {
    to += "  " + std::string{label} + std::string(13 - std::min<std::size_t>(label.size(), 12), ' ') + text + "\n";
}

std::string joined(const std::vector<std::string>& all, std::string_view between = ", ") {
    std::string s;
    for (const auto& one : all) s += (s.empty() ? "" : std::string{between}) + one;
    return s;
}

// How the dialects call an option: "batchTimeout in [kafka.producers.NAME] (there 1s unless said)".
std::vector<std::string> names_in(std::string_view dialect, const chapter& c, const option_schema& o) {
    std::vector<std::string> all;
    const auto own = c.title == "client" || c.title == "connection";
    for (const auto& t : tongues()) {
        if (t.name != dialect || (!own && std::find(t.chapters.begin(), t.chapters.end(), c.title) == t.chapters.end())) continue;
        for (const auto& r : t.rows) {
            if (std::none_of(r.sets.begin(), r.sets.end(), [&](auto set) { return means(o, set); })) continue;
            // "topic" is a producer's and a consumer's: each row sets that of its own chapter.
            auto text = std::string{r.name};
            if (!t.place.empty()) text += " " + std::string{t.place.starts_with("[") ? "in " : ""} + std::string{t.place};
            if (!r.otherwise.empty()) text += " (default " + std::string{r.otherwise} + ")";
            all.push_back(std::move(text));
        }
    }
    return all;
}

std::vector<std::string> property_names(const chapter& c, const option_schema& o) {
    std::vector<std::string> names;
    for (const auto a : o.words.aliases)
        if (!a.empty()) names.emplace_back(a);
    for (auto& n : names_in("properties", c, o))
        if (std::find(names.begin(), names.end(), n) == names.end()) names.push_back(std::move(n));
    return names;
}

void explain_option(std::string& to, const chapter& c, const option_schema& o) {
    to += std::string{o.name} + "  (" + std::string{c.struct_name} + ")\n";
    if (!o.words.text.empty()) to += "  " + std::string{o.words.text} + "\n";
    const auto value = option_text(o, c.defaults);
    add_line(to, "default", value.empty() ? "not set" : value);
    add_line(to, "range", range_of(o, c.defaults));
    if (c.title != "server") {
        auto names = property_names(c, o);
        if (names.empty()) names.emplace_back(o.name);
        add_line(to, "properties", joined(names));
    }
    auto toml = names_in("toml", c, o);
    add_line(to, "toml", toml.empty() ? camel_case(o.name) : joined(toml));
    if (c.title == "server") return;
    auto address = names_in("address", c, o);
    if (address.empty()) address.emplace_back(o.name);
    add_line(to, "address", joined(address));
    add_line(to, "environment", variable_name(o.words.aliases[0].empty() ? o.name : o.words.aliases[0]));
}

// Whether a name, of any dialect, means the option.
bool called(const chapter& c, const option_schema& o, std::string_view name) {
    if (means(o, name) || camel_case(o.name) == name || variable_name(o.name) == name) return true;
    for (const auto a : o.words.aliases)
        if (!a.empty() && variable_name(a) == name) return true;
    const auto own = c.title == "client" || c.title == "connection";
    for (const auto& t : tongues()) {
        if (!own && std::find(t.chapters.begin(), t.chapters.end(), c.title) == t.chapters.end()) continue;
        for (const auto& r : t.rows)
            if (r.name == name && std::any_of(r.sets.begin(), r.sets.end(), [&](auto set) { return means(o, set); })) return true;
    }
    return false;
}

void add_meanings(std::vector<meaning>& to, const settings& s, const owner& o, bool all) {
    for (const auto& p : o.parts)
        for (const auto& schema : p.table) {
            const auto* from = origin_of(s, o.name, schema.name, true);
            if (!from && !all) continue;
            meaning m{o.name, std::string{schema.name}, shown_value(schema, p.object), {}};
            if (from && from->by_dialect) m.from = "default of " + from->name;
            else if (from) m.from = (from->line ? from->file + ":" + std::to_string(from->line) + ", " : from->file.empty() ? "" : from->file + ", ") + from->name;
            // What a producer has from all alike is said once.
            const bool said = o.name != "client" && std::any_of(to.begin(), to.end(), [&](const meaning& before) {
                return before.owner == "client" && before.option == m.option && before.value == m.value && before.from == m.from;
            });
            if (!said) to.push_back(std::move(m));
        }
}

void add_rows(std::string& to, const tongue& t) {
    to += "| name | sets | default | note |\n| --- | --- | --- | --- |\n";
    for (const auto& r : t.rows) {
        std::vector<std::string> sets;
        for (const auto one : r.sets)
            if (!one.empty()) sets.emplace_back(one);
        to += "| " + std::string{r.name} + " | " + joined(sets) + " | " + std::string{r.otherwise} + " | " + std::string{r.text} + " |\n";
    }
}

}  // namespace

std::string shown_value(const option_schema& o, const void* object) {
    const auto text = option_text(o, object);
    return is_secret(o) && !text.empty() ? "(hidden)" : text;
}

std::vector<meaning> meanings(const settings& s, bool all) {
    auto copy = s;
    std::vector<meaning> rows;
    // In a file of addresses nothing belongs to no producer and no consumer.
    const bool shared = std::any_of(s.origins.begin(), s.origins.end(), [](const origin& o) { return o.owner == "client"; });
    if (shared || all) add_meanings(rows, s, client_owner(copy), all);
    for (auto& [name, p] : copy.producers) add_meanings(rows, s, owner_of(p, name), all);
    for (auto& [name, c] : copy.consumers) add_meanings(rows, s, owner_of(c, name), all);
    for (auto& [name, server] : copy.servers) add_meanings(rows, s, owner_of(server, name), all);
    return rows;
}

std::string explain(std::string_view name, std::string& nearest) {
    std::string text;
    const auto all = chapters();
    for (const auto& c : all)
        for (const auto& o : c.table)
            if (called(c, o, name)) {
                if (!text.empty()) text += "\n";
                explain_option(text, c, o);
            }
    if (!text.empty()) return text;
    if (const auto* f = find_foreign(name))
        return std::string{name} + "\n  Of other clients: it " + std::string{f->there} + ". Here " + std::string{f->here} + ".\n" + (f->refused ? "  A configuration with it is refused.\n" : "  It has no effect, and a configuration with it is told so.\n");
    for (const auto& t : tongues())
        for (const auto& r : t.rows)
            if (r.name == name) return std::string{name} + " (" + std::string{t.name} + " " + std::string{t.place} + ")\n  " + std::string{r.text} + "\n";
    std::vector<std::string> names;
    for (const auto& c : all)
        for (const auto& o : c.table) {
            names.emplace_back(o.name);
            for (const auto a : o.words.aliases)
                if (!a.empty()) names.emplace_back(a);
        }
    for (const auto& t : tongues())
        for (const auto& r : t.rows) names.emplace_back(r.name);
    for (const auto& f : foreign_properties())
        if (!f.name.ends_with('.')) names.emplace_back(f.name);
    std::vector<std::string_view> views(names.begin(), names.end());
    nearest = nearest_name(views, name);
    return {};
}

std::string manual() {
    std::string text = "# Options\n\nMade by `kafka-cli config explain --all --markdown` from the declarations in the headers. Each option is taken by its own name and by the names under *also known as*\n"
                       "in every dialect; in TOML in camelCase too, in the environment as `KAFKAWIRE_` and the name in capitals. Lengths of time are `5ms`, `30 s`, `2m` or plain milliseconds (in TOML\n"
                       "always with a unit), sizes `64 KiB`, `1 MiB` or plain bytes. Secrets are never shown.\n";
    for (const auto& c : chapters()) text += "\n## " + std::string{c.struct_name} + "\n\n" + std::string{c.what} + "\n\n" + option_manual(c.table, c.defaults);
    text += "\n## Names of the dialects\n\nA default here is the dialect's own and goes before ours.\n";
    for (const auto& t : tongues()) {
        text += "\n### " + std::string{t.name} + (t.place.empty() ? "" : ": " + std::string{t.place}) + "\n\n";
        add_rows(text, t);
    }
    text += "\n## Properties of other clients that are not here\n\n| name | what it does there | here | taken |\n| --- | --- | --- | --- |\n";
    for (const auto& f : foreign_properties())
        text += "| " + std::string{f.name} + (f.name.ends_with('.') ? "*" : "") + " | " + std::string{f.there} + " | " + std::string{f.here} + " | " + (f.refused ? "refused" : "without effect") + " |\n";
    return text;
}

}  // namespace config
}  // namespace kafkawire::inline v0_1
