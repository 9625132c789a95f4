// groups list | describe | delete | delete-offsets; `groups seek` is in groups_seek.cpp.
#include <kafkawire/protocol/messages/42_delete_groups.hpp>
#include <kafkawire/protocol/messages/47_offset_delete.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <set>

#include "cli/confirm.hpp"
#include "cli/group_offsets.hpp"
#include "cli/group_view.hpp"
#include "cli/session.hpp"

namespace kafkawire::cli {

using namespace protocol;
using json = nlohmann::ordered_json;

namespace {

struct groups_arguments {
    std::vector<std::string> names, states, topics;
    std::string group;
    bool only_names = false, members = false, state = false, yes = false;
};

std::string or_dash(const std::string& s) { return s.empty() ? "-" : s; }
json or_null(const std::string& s) { return s.empty() ? json{} : json(s); }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

asio::awaitable<status> list(session& s, const groups_arguments& a) {
    auto groups = co_await all_groups(s);
    if (!a.states.empty())
        std::erase_if(groups, [&](const group_listing& g) { return std::none_of(a.states.begin(), a.states.end(), [&](const auto& wanted) { return equal_ignoring_case(wanted, g.state); }); });
    auto& c = s.ctx();
    if (c.format == output_format::json) {
        auto rows = json::array();
        for (const auto& g : groups)
            rows.push_back({{"group", g.name}, {"type", or_null(g.type)}, {"state", or_null(g.state)}, {"protocol_type", or_null(g.protocol_type)}, {"coordinator", g.coordinator}});
        c.out->write(json{{"schema", "kafka-cli/groups.list/1"}, {"groups", rows}}.dump() + "\n");
        co_return status::done;
    }
    if (a.only_names) {
        for (const auto& g : groups) c.out->write(g.name + "\n");
        co_return status::done;
    }
    table t{{"GROUP", "TYPE", "STATE", "PROTOCOL-TYPE", "COORDINATOR"}, {}};
    for (const auto& g : groups) t.add({g.name, or_dash(g.type), or_dash(g.state), or_dash(g.protocol_type), std::to_string(g.coordinator)});
    c.out->write(t.as(c.format));
    co_return status::done;
}

// A partition that the group has read, or is reading.
struct progress {
    std::string group;
    partition_key partition;
    std::optional<std::int64_t> committed, end;
    const group_member* member = nullptr;

    [[nodiscard]] std::optional<std::int64_t> lag() const {
        if (!committed || !end) return {};
        return std::max<std::int64_t>(0, *end - *committed);
    }
};

asio::awaitable<std::vector<progress>> progress_of(session& s, const group_view& g) {
    group_offsets offsets{s, g.name};
    const auto committed = co_await offsets.fetch_all();
    std::map<partition_key, const group_member*> readers;
    for (const auto& [key, offset] : committed) readers[key] = nullptr;
    for (const auto& m : g.members)
        for (const auto& key : m.assigned) readers[key] = &m;
    std::set<std::string> names;
    for (const auto& [key, member] : readers) names.insert(key.first);
    std::vector<std::string> wanted{names.begin(), names.end()};
    std::vector<topic_view> topics;
    if (!wanted.empty()) topics = co_await find_topics(s, std::move(wanted));
    // A topic that was deleted has no end any more, nor has a partition without a leader.
    offsets_query query;
    for (const auto& t : topics)
        for (const auto& p : t.partitions)
            if (p.leader >= 0 && readers.contains({t.name, p.id})) query.partitions.emplace_back(t.name, p.id);
    const auto ends = co_await list_offsets(s, topics, std::move(query));
    std::vector<progress> rows;
    for (const auto& [key, member] : readers) {
        progress p{g.name, key, {}, {}, member};
        if (const auto at = committed.find(key); at != committed.end()) p.committed = at->second;
        if (const auto at = ends.find(key); at != ends.end()) p.end = at->second;
        rows.push_back(std::move(p));
    }
    co_return rows;
}

std::int64_t total(const std::vector<progress>& rows) {
    std::int64_t sum = 0;
    for (const auto& p : rows) sum += p.lag().value_or(0);
    return sum;
}

std::string shown(const std::optional<std::int64_t>& n) { return n ? std::to_string(*n) : "-"; }
json in_json(const std::optional<std::int64_t>& n) { return n ? json(*n) : json{}; }

json described_in_json(const group_view& g, const std::vector<progress>& rows) {
    auto partitions = json::array();
    for (const auto& p : rows)
        partitions.push_back({{"topic", p.partition.first}, {"partition", p.partition.second}, {"committed", in_json(p.committed)}, {"end", in_json(p.end)},
                              {"lag", in_json(p.lag())}, {"member_id", p.member ? json(p.member->id) : json{}}});
    auto members = json::array();
    for (const auto& m : g.members) {
        auto assigned = json::array();
        for (const auto& [topic, partition] : m.assigned) assigned.push_back({{"topic", topic}, {"partition", partition}});
        members.push_back({{"member_id", m.id}, {"instance_id", m.instance ? json(*m.instance) : json{}}, {"client_id", m.client_id}, {"host", m.host},
                           {"epoch", m.epoch ? json(*m.epoch) : json{}}, {"reconciling", m.reconciling}, {"assigned", assigned}});
    }
    return {{"group", g.name}, {"type", g.type}, {"state", g.state}, {"assignor", or_null(g.assignor)}, {"epoch", g.epoch ? json(*g.epoch) : json{}},
            {"coordinator", g.coordinator}, {"total_lag", total(rows)}, {"partitions", partitions}, {"members", members}};
}

void show_state(context& c, const std::vector<group_view>& groups) {
    table t{{"GROUP", "TYPE", "STATE", "ASSIGNOR", "EPOCH", "MEMBERS", "COORDINATOR"}, {}};
    for (const auto& g : groups)
        t.add({g.name, g.type, g.state, or_dash(g.assignor), g.epoch ? std::to_string(*g.epoch) : "-", std::to_string(g.members.size()), std::to_string(g.coordinator)});
    c.out->write(t.as(c.format));
}

// "orders:0,1 bills:2"
std::string in_short(const std::vector<partition_key>& keys) {
    std::string text;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const bool same = i > 0 && keys[i - 1].first == keys[i].first;
        text += same ? fmt::format(",{}", keys[i].second) : fmt::format("{}{}:{}", i ? " " : "", keys[i].first, keys[i].second);
    }
    return text;
}

void show_members(context& c, const std::vector<group_view>& groups) {
    table t{{"GROUP", "MEMBER-ID", "INSTANCE", "CLIENT-ID", "HOST", "EPOCH", "PARTITIONS", "ASSIGNED"}, {}};
    for (const auto& g : groups)
        for (const auto& m : g.members)
            t.add({g.name, m.id, m.instance.value_or("-"), or_dash(m.client_id), or_dash(m.host), m.epoch ? std::to_string(*m.epoch) : "-", std::to_string(m.assigned.size()),
                   or_dash(in_short(m.assigned))});
    c.out->write(t.as(c.format));
}

void show_progress(context& c, const std::vector<progress>& rows) {
    table t{{"GROUP", "TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER-ID", "CLIENT-ID", "HOST"}, {}};
    for (const auto& p : rows)
        t.add({p.group, p.partition.first, std::to_string(p.partition.second), shown(p.committed), shown(p.end), shown(p.lag()), p.member ? p.member->id : "-",
               p.member ? or_dash(p.member->client_id) : "-", p.member ? or_dash(p.member->host) : "-"});
    c.out->write(t.as(c.format));
    if (c.format != output_format::text) return;
    std::map<std::string, std::int64_t> topics;
    for (const auto& p : rows) topics[p.partition.first] += p.lag().value_or(0);
    if (topics.size() > 1) {
        table by_topic{{"TOPIC", "LAG"}, {}};
        for (const auto& [topic, lag] : topics) by_topic.add({topic, std::to_string(lag)});
        c.out->write("\n" + by_topic.text());
    }
    c.out->write(fmt::format("\nTOTAL-LAG  {}\n", total(rows)));
}

asio::awaitable<status> describe(session& s, const groups_arguments& a) {
    auto names = a.names;
    if (names.empty())
        for (const auto& g : co_await all_groups(s))
            if (g.type.empty() || g.type == "classic" || g.type == "consumer" || equal_ignoring_case(g.type, "classic") || equal_ignoring_case(g.type, "consumer")) names.push_back(g.name);
    std::vector<group_view> groups;
    for (const auto& n : names) groups.push_back(co_await describe_group(s, n));
    auto& c = s.ctx();
    const bool wants_progress = c.format == output_format::json || !(a.members || a.state);
    std::vector<progress> rows;
    auto objects = json::array();
    for (const auto& g : groups) {
        if (!wants_progress) break;
        auto of_group = co_await progress_of(s, g);
        if (c.format == output_format::json) objects.push_back(described_in_json(g, of_group));
        rows.insert(rows.end(), of_group.begin(), of_group.end());
    }
    if (c.format == output_format::json) c.out->write(json{{"schema", "kafka-cli/groups.describe/1"}, {"groups", objects}}.dump() + "\n");
    else if (a.state) show_state(c, groups);
    else if (a.members) show_members(c, groups);
    else show_progress(c, rows);
    co_return status::done;
}

// Something that was asked of each of several things, and how it went.
struct group_outcome {
    std::string about;  // "group \"billing\""
    json fields;
    std::int16_t error = 0;
};

status report(context& c, std::vector<group_outcome> all, std::string_view done_word, std::string_view schema) {
    const auto bad = std::find_if(all.begin(), all.end(), [](const group_outcome& o) { return o.error != 0; });
    const auto failed = [](const group_outcome& o) {
        auto f = from_broker_code(o.error, o.about);
        if (static_cast<broker_errc>(o.error) == broker_errc::non_empty_group) f.hint = "it has members: stop them first; kafka-cli groups describe --members shows them";
        if (static_cast<broker_errc>(o.error) == broker_errc::group_subscribed_to_topic) f.hint = "a member still reads that topic: stop it first";
        return f;
    };
    if (bad != all.end() && all.size() == 1) throw failed(*bad);
    if (c.format == output_format::json) {
        auto rows = json::array();
        for (auto& o : all) {
            const auto* e = find_broker_error(o.error);
            o.fields["ok"] = o.error == 0;
            o.fields["error"] = o.error ? json(e ? std::string{e->name} : std::to_string(o.error)) : json{};
            rows.push_back(std::move(o.fields));
        }
        c.out->write(json{{"schema", schema}, {"results", rows}}.dump() + "\n");
    } else {
        for (const auto& o : all) note(o.error == 0 ? fmt::format("{} {}", done_word, o.about) : fmt::format("kafka-cli: {}", failed(o).message));
    }
    return bad == all.end() ? status::done : status::failed;
}

asio::awaitable<status> remove(session& s, const groups_arguments& a) {
    std::vector<group_outcome> all;
    for (const auto& name : a.names) {
        group_offsets offsets{s, name};
        request_options options;
        options.broker = co_await offsets.coordinator();
        messages::delete_groups_request request;
        request.groups_names.push_back(name);
        const auto answer = co_await s.ask(std::move(request), options, fmt::format("cannot delete group \"{}\"", name));
        for (const auto& r : answer.results) all.push_back({fmt::format("group \"{}\"", r.group_id), json::object({{"group", r.group_id}}), r.error_code});
    }
    co_return report(s.ctx(), std::move(all), "deleted", "kafka-cli/groups.delete/1");
}

asio::awaitable<status> remove_offsets(session& s, const groups_arguments& a) {
    group_offsets offsets{s, a.group};
    const auto stored = co_await offsets.fetch_all();
    messages::offset_delete_request request;
    request.group_id = a.group;
    for (const auto& name : a.topics) {
        messages::offset_delete_request::topic t;
        t.name = name;
        for (const auto& [key, offset] : stored) {
            if (key.first != name) continue;
            messages::offset_delete_request::partition p;
            p.partition_index = key.second;
            t.partitions.push_back(p);
        }
        if (t.partitions.empty()) throw failure{status::failed, "nothing_stored", fmt::format("group \"{}\" has no offset for topic \"{}\"", a.group, name), fmt::format("kafka-cli groups describe {} shows what it has", a.group)};
        request.topics.push_back(std::move(t));
    }
    request_options options;
    options.broker = co_await offsets.coordinator();
    const auto answer = co_await s.ask(std::move(request), options, fmt::format("cannot delete offsets of group \"{}\"", a.group));
    if (answer.error_code != 0) throw from_broker_code(answer.error_code, fmt::format("group \"{}\"", a.group));
    std::vector<group_outcome> all;
    for (const auto& t : answer.topics)
        for (const auto& p : t.partitions)
            all.push_back({fmt::format("the offset of {}-{}", t.name, p.partition_index), json::object({{"topic", t.name}, {"partition", p.partition_index}}), p.error_code});
    co_return report(s.ctx(), std::move(all), "deleted", "kafka-cli/groups.delete-offsets/1");
}

using groups_verb = asio::awaitable<status> (*)(session&, const groups_arguments&);
action with_session(std::shared_ptr<groups_arguments> a, groups_verb v) {
    return [a, v](context& c) {
        session s{c};
        return s.run([a, v](session& in) { return v(in, *a); });
    };
}

}  // namespace

void add_groups(command root) {
    auto groups = root.add("groups", "List, describe, move and delete consumer groups");
    groups.alias("group");
    {
        auto a = std::make_shared<groups_arguments>();
        auto sub = groups.add("list", "All groups of all brokers");
        sub.flag("--names", a->only_names, "Only the names, one a line");
        sub.option("--state", a->states, "Only groups in this state; may be repeated: Stable, Empty, Dead, ...", "STATE");
        sub.examples("  kafka-cli groups list\n  kafka-cli groups list --state Empty --names\n  kafka-cli groups list --output json | jq -r '.groups[].group'");
        sub.does(with_session(a, list));
    }
    {
        auto a = std::make_shared<groups_arguments>();
        auto sub = groups.add("describe", "How far groups have read, and who reads what");
        sub.words("GROUP", a->names, "Groups; none: all", false);
        sub.flag("--members", a->members, "Members and what they are assigned, instead");
        sub.flag("--state", a->state, "State, assignor and coordinator, instead");
        sub.examples("  kafka-cli groups describe billing\n  kafka-cli groups describe billing --members\n  kafka-cli groups describe billing --output json | jq .groups[0].total_lag");
        sub.does([a, run = with_session(a, describe)](context& c) {
            if (a->members && a->state) throw usage_error("--members and --state show different tables", "give one of them; --output json has both");
            return run(c);
        });
    }
    add_groups_seek(groups);
    {
        auto a = std::make_shared<groups_arguments>();
        auto sub = groups.add("delete", "Deletes groups with their offsets; they must have no members");
        sub.words("GROUP", a->names, "Names", true);
        sub.flag("--yes", a->yes, "Do not ask");
        sub.examples("  kafka-cli groups delete billing\n  kafka-cli groups delete old-1 old-2 --yes");
        sub.does([a, run = with_session(a, remove)](context& c) {
            confirm(a->yes, "deleting", fmt::format("{}", fmt::join(a->names, ", ")), "with all offsets");
            return run(c);
        });
    }
    {
        auto a = std::make_shared<groups_arguments>();
        auto sub = groups.add("delete-offsets", "Forgets how far a group has read topics that it does not read any more");
        sub.word("GROUP", a->group, "The group");
        sub.option("-t,--topic", a->topics, "The topic; may be repeated", "TOPIC");
        sub.flag("--yes", a->yes, "Do not ask");
        sub.examples("  kafka-cli groups delete-offsets billing --topic orders\n  kafka-cli groups delete-offsets billing -t orders -t invoices --yes");
        sub.does([a, run = with_session(a, remove_offsets)](context& c) {
            if (a->topics.empty()) throw usage_error("--topic is missing", fmt::format("kafka-cli groups describe {} shows what there is; to forget all, delete the group", a->group));
            confirm(a->yes, "deleting", fmt::format("offsets of {} in {}", a->group, fmt::join(a->topics, ", ")), "");
            return run(c);
        });
    }
}

}  // namespace kafkawire::cli
