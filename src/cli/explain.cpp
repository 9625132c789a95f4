// explain: the fields of a message and their versions; what changed between two versions; the list of APIs.
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/command.hpp"
#include "cli/schema_rows.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

using namespace protocol;
using json = nlohmann::ordered_json;

namespace {

struct explain_arguments {
    std::optional<std::string> name, from, to;
};

// Which parts of a row two versions can differ in.
struct in_version {
    bool there, nullable, tagged;
    friend bool operator==(const in_version&, const in_version&) = default;
};
in_version at(const schema_row& r, std::int16_t v) {
    const bool there = r.in.contains(v);
    return {there, there && r.options.nullable.contains(v), there && r.options.tagged.contains(v)};
}

std::string tag_text(const schema_row& r, version_range all_versions) {
    if (r.options.tagged.empty()) return {};
    const auto where = to_text(r.options.tagged, all_versions);
    return where == to_text(r.in, all_versions) ? std::to_string(r.options.tag) : fmt::format("{} ({})", r.options.tag, where);
}

std::string nullable_text(const schema_row& r, version_range all_versions) {
    const auto where = to_text(r.options.nullable, all_versions);
    if (where == "-") return {};
    return where == to_text(r.in, all_versions) ? "yes" : where;
}

version_range both(version_range a, version_range b) { return {std::max(a.lowest, b.lowest), std::min(a.highest, b.highest)}; }

std::string headline(const message_schema& m) {
    auto text = full_name(m);
    if (m.as == role::request || m.as == role::response) {
        const auto* api = find_api(m.key);
        text += fmt::format(" (key {}), versions {}", m.key, to_text(m.versions, {m.versions.lowest, no_upper_version}));
        text += m.flexible.empty() || m.flexible.lowest > m.versions.highest ? ", never flexible" : fmt::format(", flexible since {}", m.flexible.lowest);
        if (api && m.as == role::request) {
            if (api->kafka_4_3.empty()) text += ", removed in Kafka 4";
            else text += fmt::format(", Kafka 4.3 speaks {}-{}", api->kafka_4_3.lowest, api->kafka_4_3.highest);
        }
    } else {
        text += fmt::format(", versions {}", to_text(m.versions, {m.versions.lowest, no_upper_version}));
        if (m.key >= 0) text += fmt::format(", record type {}", m.key);
        if (!m.flexible.empty() && m.flexible.lowest <= m.versions.highest) text += fmt::format(", flexible since {}", m.flexible.lowest);
    }
    return text + "\n";
}

std::string header_line(const message_schema& m, std::int16_t version) {
    if (m.as == role::request) return fmt::format("Sent after request header v{}.\n", request_header_version(m.key, version));
    if (m.as == role::response) return fmt::format("Sent after response header v{}{}.\n", response_header_version(m.key, version), m.key == 18 ? " (always 0 for ApiVersions)" : "");
    return {};
}

std::int16_t version_number(const message_schema& m, const std::string& text) {
    const auto v = number<std::int16_t>(text);
    if (!v || !m.versions.contains(*v))
        throw usage_error(fmt::format("{} has no version {}", full_name(m), text), fmt::format("it has {}-{}", m.versions.lowest, m.versions.highest));
    return *v;
}

std::string fields_table(const message_schema& m, std::optional<std::int16_t> version, output_format f) {
    table t;
    t.heading = version ? std::vector<std::string>{"FIELD", "TYPE", "NULLABLE", "TAG", "DEFAULT", "MEANING"}
                        : std::vector<std::string>{"FIELD", "TYPE", "VERSIONS", "NULLABLE", "TAG", "DEFAULT", "MEANING"};
    for (const auto& r : schema_rows(m)) {
        if (version && !r.in.contains(*version)) continue;
        const auto name = f == output_format::tsv ? r.path : std::string(static_cast<std::size_t>(r.depth) * 2, ' ') + r.name;
        if (version) {
            const auto now = at(r, *version);
            t.add({name, r.type, now.nullable ? "yes" : "", now.tagged ? std::to_string(r.options.tag) : "", r.fallback, r.meaning});
        } else {
            t.add({name, r.type, to_text(r.in, m.versions), nullable_text(r, m.versions), tag_text(r, m.versions), r.fallback, r.meaning});
        }
    }
    if (t.rows.empty()) return f == output_format::tsv ? "" : "It has no fields.\n";
    return t.as(f);
}

table changes(const message_schema& m, std::int16_t from, std::int16_t to) {
    table t{{"CHANGE", "FIELD", "TYPE", "SINCE", "MEANING"}, {}};
    // The version, on the way from one to the other, in which it became as it is at the end.
    const auto since = [&](const schema_row& r) {
        const int step = from < to ? 1 : -1;
        for (int v = to; v != from; v -= step)
            if (!(at(r, static_cast<std::int16_t>(v)) == at(r, static_cast<std::int16_t>(v - step)))) return std::to_string(step > 0 ? v : v - step);
        return std::string{};
    };
    for (const auto& r : schema_rows(m)) {
        const auto before = at(r, from), after = at(r, to);
        if (before == after) continue;
        std::string what;
        if (!before.there) what = after.tagged ? fmt::format("added, tag {}", r.options.tag) : after.nullable ? "added, nullable" : "added";
        else if (!after.there) what = "removed";
        else if (before.nullable != after.nullable) what = after.nullable ? "may be null" : "may not be null";
        else what = after.tagged ? fmt::format("became tag {}", r.options.tag) : "no longer a tag";
        t.add({what, r.path, r.type, since(r), r.meaning});
    }
    return t;
}

std::string flexible_line(const message_schema& m, std::int16_t from, std::int16_t to) {
    const bool before = m.flexible.contains(from), after = m.flexible.contains(to);
    if (before == after) return {};
    return fmt::format("encoding: {} flexible: strings, bytes and arrays {} compact lengths (uvarint, plus one), every struct {} tagged fields\n",
                       after ? "becomes" : "is no longer", after ? "have" : "lose", after ? "ends with" : "loses its");
}

std::string difference(const message_schema& m, std::int16_t from, std::int16_t to, output_format f) {
    const auto t = changes(m, from, to);
    if (f == output_format::tsv) return t.tsv();
    auto text = fmt::format("{} from v{} to v{}:\n", full_name(m), from, to) + flexible_line(m, from, to);
    const auto header = [&](std::int16_t v) { return m.as == role::request ? request_header_version(m.key, v) : response_header_version(m.key, v); };
    if (m.key >= 0 && (m.as == role::request || m.as == role::response) && header(from) != header(to))
        text += fmt::format("header: v{} instead of v{}\n", header(to), header(from));
    if (t.rows.empty() && m.flexible.contains(from) != m.flexible.contains(to)) return text + "the fields are the same\n";
    if (t.rows.empty()) return text + "the fields are the same; such versions differ in what the broker does, not in the bytes\n";
    return text + t.text();
}

json range_json(version_range r, version_range message) {
    const auto cut = both(r, message);
    return cut.empty() ? json{} : json{{"lowest", cut.lowest}, {"highest", cut.highest}};
}

json as_json(const message_schema& m, std::optional<std::int16_t> version) {
    json fields = json::array();
    for (const auto& r : schema_rows(m)) {
        if (version && !r.in.contains(*version)) continue;
        json f{{"path", r.path}, {"type", r.type}, {"versions", range_json(r.in, m.versions)}, {"nullable", range_json(r.options.nullable, m.versions)}};
        f["tag"] = r.options.tag >= 0 ? json(r.options.tag) : json{};
        f["tagged"] = range_json(r.options.tagged, m.versions);
        f["default"] = r.fallback;
        f["ignorable"] = r.options.ignorable;
        f["meaning"] = r.meaning;
        fields.push_back(std::move(f));
    }
    return {{"name", full_name(m)}, {"key", m.key}, {"versions", range_json(m.versions, m.versions)}, {"flexible", range_json(m.flexible, m.versions)}, {"fields", fields}};
}

json changes_json(const message_schema& m, std::int16_t from, std::int16_t to) {
    json list = json::array();
    for (const auto& r : changes(m, from, to).rows) list.push_back({{"change", r[0]}, {"path", r[1]}, {"type", r[2]}, {"since", r[3]}});
    return {{"name", full_name(m)}, {"from", from}, {"to", to}, {"flexible", m.flexible.contains(to)}, {"changes", list}};
}

void list_all(context& c) {
    if (c.format == output_format::json) {
        json all = json::array();
        for (const auto& a : apis())
            all.push_back({{"key", a.key}, {"name", a.name}, {"versions", range_json(a.request->versions, a.request->versions)},
                           {"kafka_4_3", range_json(a.kafka_4_3, a.request->versions)}, {"summary", a.summary}});
        c.out->write(json{{"schema", "kafka-cli/explain.list/1"}, {"apis", all}}.dump() + "\n");
        return;
    }
    table t{{"KEY", "NAME", "VERSIONS", "FLEXIBLE", "WHAT-IT-DOES"}, {}};
    for (const auto& a : apis()) {
        const auto v = a.request->versions, x = a.request->flexible;
        t.add({std::to_string(a.key), std::string{a.name}, fmt::format("{}-{}", v.lowest, v.highest), to_text(x, v), std::string{a.summary}});
    }
    for (const auto* m : messages_list())
        if (m->as != role::request && m->as != role::response)
            t.add({"", std::string{m->name}, fmt::format("{}-{}", m->versions.lowest, m->versions.highest), to_text(m->flexible, m->versions),
                   m->as == role::header ? "a header" : m->as == role::record_key ? "a record's key in an internal topic" : m->as == role::record_value ? "a record's value in an internal topic" : "travels inside other fields"});
    c.out->write(t.as(c.format));
}

status explain(const explain_arguments& a, context& c) {
    if (!a.name) return list_all(c), status::done;
    const auto found = find_message(*a.name);
    std::vector<const message_schema*> messages;
    for (const auto* m : {found.request, found.response, found.data})
        if (m) messages.push_back(m);
    json all = json::array();
    std::string text;
    for (const auto* m : messages) {
        const auto from = a.from ? std::optional{version_number(*m, *a.from)} : std::nullopt;
        const auto to = a.to ? std::optional{version_number(*m, *a.to)} : std::nullopt;
        if (c.format == output_format::json) {
            all.push_back(to ? changes_json(*m, *from, *to) : as_json(*m, from));
            continue;
        }
        if (c.format == output_format::text && !text.empty()) text += '\n';
        if (to) {
            text += difference(*m, *from, *to, c.format);
            continue;
        }
        if (c.format == output_format::text) {
            text += headline(*m);
            if (const auto* api = m->as == role::request ? find_api(m->key) : nullptr) text += fmt::format("{}: {}\n", api->name, api->summary);
            if (from) text += fmt::format("Version {}{}. ", *from, m->flexible.contains(*from) ? ", flexible" : "") + header_line(*m, *from);
        }
        text += fields_table(*m, from, c.format);
    }
    if (c.format == output_format::json) text = json{{"schema", a.to ? "kafka-cli/explain.diff/1" : "kafka-cli/explain/1"}, {"messages", all}}.dump() + "\n";
    c.out->write(text);
    return status::done;
}

}  // namespace

void add_explain(command root) {
    auto sub = root.add("explain", "The fields of a message and their versions, or what changed between two versions");
    auto a = std::make_shared<explain_arguments>();
    sub.word("API", a->name, "Metadata, MetadataResponse, 3, ConsumerProtocolSubscription; none: lists all");
    sub.word("VERSION", a->from, "Only the fields of this version");
    sub.word("VERSION2", a->to, "What changed from VERSION to this one");
    sub.examples("  kafka-cli explain Metadata          all fields, with the versions that have them\n"
                 "  kafka-cli explain MetadataRequest 9 the fields of one version\n"
                 "  kafka-cli explain Metadata 9 13     what changed between two");
    sub.does([a](context& c) { return explain(*a, c); });
}

}  // namespace kafkawire::cli
