#include "cli/broker_verbs.hpp"

#include <kafkawire/protocol/api.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "broker/fault_messages.hpp"
#include "cli/broker_faults.hpp"
#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/nearest.hpp"

namespace kafkawire::cli {

namespace {

using nlohmann::ordered_json;

// The members of one call, each asked for by name; what nobody asked for is an error.
class words {
public:
    explicit words(const ordered_json& all) : all_{all} {}
    [[nodiscard]] const ordered_json* find(const std::string& name) const {
        const auto at = all_.find(name);
        return at == all_.end() ? nullptr : &*at;
    }
    [[nodiscard]] const ordered_json& need(const std::string& name) const {
        if (const auto* v = find(name)) return *v;
        throw usage_error(fmt::format("{} needs {}", all_.at("verb").get<std::string>(), name), fmt::format("add {}=...", name));
    }
    [[nodiscard]] std::string text(const std::string& name) const { return text_of(need(name), name); }
    [[nodiscard]] std::int64_t number(const std::string& name) const { return number_of(need(name), name); }
    [[nodiscard]] std::int64_t number(const std::string& name, std::int64_t otherwise) const { return find(name) ? number(name) : otherwise; }
    [[nodiscard]] std::int32_t int32(const std::string& name) const {
        const auto n = number(name);
        if (!std::in_range<std::int32_t>(n)) throw usage_error(fmt::format("{}: {} is out of range", name, n));
        return static_cast<std::int32_t>(n);
    }
    [[nodiscard]] const ordered_json& all() const noexcept { return all_; }

private:
    const ordered_json& all_;
};

ordered_json done(std::error_code ec) {
    if (!ec) return {{"ok", true}};
    if (const auto* e = ec.category() == make_error_code(broker_errc::none).category() ? find_broker_error(static_cast<std::int16_t>(ec.value())) : nullptr) {
        failure f{status::failed, std::string{e->name}, ec.message()};
        f.code = ec.value();
        throw f;
    }
    throw failure{status::failed, "refused", ec.message()};
}

const char* status_name(broker::node_status s) {
    return s == broker::node_status::up ? "up" : s == broker::node_status::paused ? "paused" : "down";
}

ordered_json view_json(const broker::cluster_view& v) {
    ordered_json nodes = ordered_json::array(), topics = ordered_json::array(), groups = ordered_json::array();
    for (const auto& n : v.nodes)
        nodes.push_back({{"id", n.id}, {"host", n.host}, {"port", n.port}, {"status", status_name(n.status)}, {"metadata_frozen", n.metadata_frozen}, {"connections", n.connections}});
    for (const auto& t : v.topics) {
        if (t.internal) continue;
        ordered_json partitions = ordered_json::array();
        for (const auto& p : t.partitions)
            partitions.push_back({{"partition", p.index}, {"leader", p.leader}, {"leader_epoch", p.leader_epoch}, {"replicas", p.replicas}, {"in_sync", p.in_sync},
                                  {"start", p.start_offset}, {"last_stable", p.last_stable_offset}, {"high_watermark", p.high_watermark}, {"end", p.end_offset}});
        topics.push_back({{"name", t.name}, {"id", t.id}, {"partitions", partitions}});
    }
    for (const auto& g : v.groups) groups.push_back({{"group", g.name}, {"type", g.type}, {"state", g.state}, {"coordinator", g.coordinator}});
    return {{"cluster_id", v.cluster_id}, {"controller", v.controller}, {"time", iso_time(v.at.wall_ms())}, {"nodes", nodes}, {"topics", topics}, {"groups", groups}};
}

ordered_json faults_json(const broker::control& c) {
    ordered_json list = ordered_json::array();
    for (const auto& f : c.faults()) list.push_back({{"id", f.id}, {"name", f.name}, {"matched", f.matched}, {"hits", f.hits}, {"spent", f.spent}});
    return list;
}

ordered_json requests_json(const broker::control& c, std::size_t last) {
    ordered_json list = ordered_json::array();
    auto all = c.history();
    if (all.size() > last) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(last));
    for (const auto& m : all) {
        ordered_json header{{"type", m.way == broker::passing::direction::request ? "request" : "response"}, {"api", std::string{m.schema->name}}, {"apiKey", m.api_key},
                            {"apiVersion", m.version}, {"correlationId", m.correlation_id}, {"clientId", m.client_id}};
        list.push_back({{"t", iso_time(m.at.wall_ms())}, {"conn", m.connection}, {"node", m.node}, {"bytes", m.bytes}, {"header", header}, {"payload", ordered_json::parse(m.json(), nullptr, false)}});
    }
    return list;
}

ordered_json traffic_json(const broker::control& c) {
    ordered_json list = ordered_json::array();
    for (const auto& t : c.traffic()) {
        const auto* api = protocol::find_api(t.api_key);
        list.push_back({{"api", std::string{api ? api->name : std::string_view{"?"}}}, {"requests", t.requests}, {"answers", t.answers}, {"bytes_in", t.bytes_in}, {"bytes_out", t.bytes_out}});
    }
    return list;
}

verb_result wait_for(broker::control c, const words& w) {
    verb_result r;
    if (const auto* t = w.find("timeout")) r.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(time_of(*t, "timeout"));
    if (w.find("fault")) {
        const auto hits = w.number("hits", 1);
        const bool by_id = w.find("fault")->is_number();
        const auto id = by_id ? static_cast<broker::fault_id>(w.number("fault")) : 0;
        const auto name = by_id ? std::string{} : w.text("fault");
        r.awaited = fmt::format("{} hits of the fault {}", hits, by_id ? std::to_string(id) : name);
        r.until = [=](ordered_json& answer) {
            const auto now = by_id ? c.hits(id) : c.hits(name);
            answer = {{"hits", now}};
            return now >= hits;
        };
    } else if (w.find("group")) {
        const auto group = w.text("group"), state = w.find("state") ? w.text("state") : std::string{"Stable"};
        r.awaited = fmt::format("the group {} being {}", group, state);
        r.until = [=](ordered_json& answer) {
            const auto v = c.view();
            const auto* g = v.find_group(group);
            answer = {{"group", group}, {"state", g ? g->state : "absent"}};
            return g && g->state == state;
        };
    } else if (w.find("topic")) {
        const auto topic = w.text("topic");
        const auto records = w.number("records", 0);
        r.awaited = records > 0 ? fmt::format("{} records in the topic {}", records, topic) : fmt::format("the topic {}", topic);
        r.until = [=](ordered_json& answer) {
            const auto v = c.view();
            const auto* t = v.find_topic(topic);
            std::int64_t offsets = 0;
            if (t)
                for (const auto& p : t->partitions) offsets += p.high_watermark - p.start_offset;
            answer = {{"topic", topic}, {"records", offsets}};
            return t && offsets >= records;
        };
    } else {
        throw usage_error("wait needs something to wait for", "fault=NAME hits=N, group=NAME state=Stable, or topic=NAME records=N");
    }
    return r;
}

verb_result observe(const words& w) {
    std::optional<std::int16_t> api;
    std::optional<std::int64_t> node;
    std::string topic;
    if (const auto* a = w.find("api")) api = api_of(*a);
    if (w.find("node")) node = w.number("node");
    if (w.find("topic")) topic = w.text("topic");
    verb_result r;
    r.observe = [=](const broker::passing& p) {
        return (!api || *api == p.api_key) && (!node || *node == p.node) && (topic.empty() || broker::names_topic(*p.schema, p.message, topic, {}));
    };
    return r;
}

verb_result answered(ordered_json answer) {
    verb_result r;
    r.answer = std::move(answer);
    return r;
}

struct verb {
    const char* name;
    const char* members;  // divided by blanks; "*": a fault's
    const char* text;
    std::function<verb_result(broker::control&, const words&)> run;
};

const std::vector<verb>& verbs() {
    using control = broker::control;
    static const std::vector<verb> all{
        {"fault", "*", "Adds a fault: api= versions= node= connection= client_id= topic= chance= after= count=, and what happens: delay= close= drop_request= error= carry_out= error_at= throttle= reply_delay= drop_reply= garbage= cut= trickle= trickle_every=; name= for wait",
         [](control& c, const words& w) {
             auto members = w.all();
             members.erase("verb");
             return answered({{"id", c.add(parse_fault(members))}});
         }},
        {"faults", "", "The faults and how often they have hit", [](control& c, const words&) { return answered({{"faults", faults_json(c)}}); }},
        {"remove-fault", "id", "Takes one away",
         [](control& c, const words& w) {
             if (!c.remove(static_cast<broker::fault_id>(w.number("id")))) throw failure{status::failed, "no_such_fault", "there is no such fault", "`faults` lists them"};
             return answered({{"ok", true}});
         }},
        {"clear-faults", "", "Takes all away", [](control& c, const words&) { return c.clear_faults(), answered({{"ok", true}}); }},
        {"node-down", "node", "Stops a node in good order: others lead at once", [](control& c, const words& w) { return answered(done(c.node_down(w.int32("node")))); }},
        {"node-killed", "node", "Kills it: others lead when its session has run out", [](control& c, const words& w) { return answered(done(c.node_killed(w.int32("node")))); }},
        {"node-paused", "node", "Stops it as SIGSTOP does: connections stay, nothing is answered", [](control& c, const words& w) { return answered(done(c.node_paused(w.int32("node")))); }},
        {"node-up", "node", "Brings it back", [](control& c, const words& w) { return answered(done(c.node_up(w.int32("node")))); }},
        {"close-connections", "node", "Closes its clients' connections", [](control& c, const words& w) { return answered(done(c.close_connections(w.int32("node")))); }},
        {"move-leader", "topic partition node", "Another replica leads, in a new epoch",
         [](control& c, const words& w) { return answered(done(c.move_leader(w.text("topic"), w.int32("partition"), w.int32("node")))); }},
        {"raise-epoch", "topic partition", "The same leader in a new epoch", [](control& c, const words& w) { return answered(done(c.raise_epoch(w.text("topic"), w.int32("partition")))); }},
        {"truncate", "topic partition offset", "Forgets what lies at and behind the offset",
         [](control& c, const words& w) { return answered(done(c.truncate(w.text("topic"), w.int32("partition"), w.number("offset")))); }},
        {"move-group-coordinator", "group node", "Another node coordinates the group", [](control& c, const words& w) { return answered(done(c.move_group_coordinator(w.text("group"), w.int32("node")))); }},
        {"move-transaction-coordinator", "id node", "The same for a transactional id",
         [](control& c, const words& w) { return answered(done(c.move_transaction_coordinator(w.text("id"), w.int32("node")))); }},
        {"freeze-metadata", "node", "The node goes on telling what it knows now", [](control& c, const words& w) { return answered(done(c.freeze_metadata(w.int32("node")))); }},
        {"thaw-metadata", "node", "... and what is again", [](control& c, const words& w) { return answered(done(c.thaw_metadata(w.int32("node")))); }},
        {"move-wall-clock", "by", "The wall clock jumps: by=-1h", [](control& c, const words& w) { return c.move_wall_clock(time_of(w.need("by"), "by", true)), answered({{"ok", true}}); }},
        {"advance-clock", "by", "Both clocks advance: what was waited for comes", [](control& c, const words& w) { return answered(done(c.advance_clock(time_of(w.need("by"), "by")))); }},
        {"status", "", "Nodes, topics, groups", [](control& c, const words&) { return answered(view_json(c.view())); }},
        {"requests", "last", "The last messages that passed, decoded", [](control& c, const words& w) { return answered({{"messages", requests_json(c, static_cast<std::size_t>(std::max<std::int64_t>(w.number("last", 20), 0)))}}); }},
        {"traffic", "", "How many of each API", [](control& c, const words&) { return answered({{"traffic", traffic_json(c)}}); }},
        {"observe", "api node topic", "Every message from now on, one a line", [](control&, const words& w) { return observe(w); }},
        {"wait", "fault hits group state topic records timeout", "Waits for hits of a fault, a state of a group, a topic or its records", [](control& c, const words& w) { return wait_for(c, w); }},
    };
    return all;
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    while (!list.empty()) {
        const auto end = std::min(list.find(' '), list.size());
        parts.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return parts;
}

}  // namespace

verb_result do_verb(broker::control& of, const ordered_json& what) {
    const auto named = what.is_object() ? what.find("verb") : what.end();
    if (!what.is_object() || named == what.end() || !named->is_string()) throw usage_error("a line is a JSON object with a verb", R"(as in {"verb":"status"})");
    const auto name = named->get<std::string>();
    const auto at = std::find_if(verbs().begin(), verbs().end(), [&](const verb& v) { return v.name == name; });
    if (at == verbs().end()) {
        std::vector<std::string> names;
        for (const auto& v : verbs()) names.emplace_back(v.name);
        throw usage_error(fmt::format("there is no verb \"{}\"", name), did_you_mean(name, names, fmt::format("one of {}", fmt::join(names, ", "))));
    }
    if (std::string_view{at->members} != "*") {
        auto known = split(at->members);
        for (const auto& [member, value] : what.items())
            if (member != "verb" && std::find(known.begin(), known.end(), member) == known.end())
                throw usage_error(fmt::format("{} has no member \"{}\"", name, member), did_you_mean(member, known, known.empty() ? "it has none" : fmt::format("it has {}", fmt::join(known, ", "))));
    }
    return at->run(of, words{what});
}

std::vector<std::pair<std::string, std::string>> verb_table() {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& v : verbs()) {
        std::string form = v.name;
        if (std::string_view{v.members} != "*")
            for (const auto& m : split(v.members)) form += " " + m + "=";
        rows.emplace_back(form, v.text);
    }
    return rows;
}

}  // namespace kafkawire::cli
