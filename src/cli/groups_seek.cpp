// groups seek: moves a group's offsets, after showing what would move.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <set>

#include "cli/duration.hpp"
#include "cli/group_offsets.hpp"
#include "cli/group_view.hpp"
#include "cli/offset_finder.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

using namespace protocol;
using json = nlohmann::ordered_json;

namespace {

struct seek_arguments {
    std::string group;
    std::optional<std::string> to;
    std::vector<std::string> topics;
    bool yes = false;
};

// A topic, or some of its partitions: "orders", "orders:0,2".
struct choice {
    std::string topic;
    std::vector<std::int32_t> partitions;  // none: all
};

choice parse_choice(std::string_view text) {
    const auto wrong = [&] { return usage_error(fmt::format("\"{}\" is no choice of partitions", text), "write TOPIC or TOPIC:0,2"); };
    const auto colon = text.rfind(':');
    choice c{std::string{text.substr(0, colon)}, {}};
    if (c.topic.empty()) throw wrong();
    if (colon == text.npos) return c;
    for (auto rest = text.substr(colon + 1);;) {
        const auto comma = rest.find(',');
        const auto id = number<std::int32_t>(rest.substr(0, comma));
        if (!id || *id < 0) throw wrong();
        c.partitions.push_back(*id);
        if (comma == rest.npos) return c;
        rest.remove_prefix(comma + 1);
    }
}

// Where to: a place in each log, or where another group is.
struct target {
    position place;
    std::optional<std::string> group;
};

target parse_target(const seek_arguments& a) {
    if (!a.to) throw usage_error("--to is missing", fmt::format("places are {}, or group:NAME", place_grammar));
    if (a.to->starts_with("group:")) {
        auto name = a.to->substr(6);
        if (name.empty()) throw usage_error("--to group: names no group", "for example --to group:billing");
        return {{}, std::move(name)};
    }
    return {parse_place(*a.to, wall_clock()), {}};
}

struct move {
    partition_key partition;
    std::optional<std::int64_t> from;
    std::int64_t to = 0, end = 0;
    bool clamped = false;  // the place asked for is not in the log
};

// The partitions that were chosen; without a choice all that the group has read.
std::vector<partition_key> chosen(const std::vector<choice>& choices, const std::vector<topic_view>& topics, const std::map<partition_key, std::int64_t>& stored) {
    std::set<partition_key> keys;
    for (const auto& t : topics) {
        if (choices.empty()) {
            for (const auto& p : t.partitions)
                if (stored.contains({t.name, p.id})) keys.emplace(t.name, p.id);
            continue;
        }
        for (const auto& c : choices) {
            if (c.topic != t.name) continue;
            for (const auto id : c.partitions)
                if (!t.find(id)) throw failure{status::failed, "UNKNOWN_TOPIC_OR_PARTITION", fmt::format("topic \"{}\" has no partition {}", t.name, id), fmt::format("it has {} partitions, counted from 0", t.partitions.size())};
            for (const auto& p : t.partitions)
                if (c.partitions.empty() || std::find(c.partitions.begin(), c.partitions.end(), p.id) != c.partitions.end()) keys.emplace(t.name, p.id);
        }
    }
    return {keys.begin(), keys.end()};
}

asio::awaitable<std::vector<move>> plan(session& s, const seek_arguments& a, const target& to, const std::vector<choice>& choices) {
    group_offsets offsets{s, a.group};
    const auto stored = co_await offsets.fetch_all();
    std::set<std::string> names;
    for (const auto& c : choices) names.insert(c.topic);
    if (choices.empty())
        for (const auto& [key, offset] : stored) names.insert(key.first);
    if (names.empty()) {
        // No such group, or one that has not read anything yet.
        (void)co_await describe_group(s, a.group);
        throw failure{status::failed, "nothing_stored", fmt::format("group \"{}\" has not stored any offset", a.group), "--topic says which partitions are to have one"};
    }
    std::vector<std::string> wanted{names.begin(), names.end()};
    std::vector<topic_view> topics;
    if (choices.empty()) topics = co_await find_topics(s, std::move(wanted));
    else topics = co_await need_topics(s, std::move(wanted));
    auto keys = chosen(choices, topics, stored);
    std::map<partition_key, std::int64_t> others;
    if (to.group) {
        (void)co_await describe_group(s, *to.group);
        group_offsets theirs{s, *to.group};
        others = co_await theirs.fetch_all();
        std::erase_if(keys, [&](const partition_key& k) { return !others.contains(k); });
    }
    offset_finder finder{s, topics, keys, false};
    const position first{position::kind::start, 0}, last{position::kind::end, 0};
    const auto starts = co_await finder.find(first);
    const auto ends = co_await finder.find(last);
    std::map<partition_key, std::int64_t> places;
    if (to.group) places = others;
    else places = co_await finder.find(to.place);
    std::vector<move> moves;
    for (const auto& k : keys) {
        move m{k, {}, std::clamp(places.at(k), starts.at(k), ends.at(k)), ends.at(k), false};
        m.clamped = m.to != places.at(k);
        if (const auto at = stored.find(k); at != stored.end()) m.from = at->second;
        moves.push_back(std::move(m));
    }
    co_return moves;
}

void show(context& c, const seek_arguments& a, const std::vector<move>& moves) {
    if (c.format == output_format::json) {
        auto rows = json::array();
        for (const auto& m : moves)
            rows.push_back({{"topic", m.partition.first}, {"partition", m.partition.second}, {"from", m.from ? json(*m.from) : json{}}, {"to", m.to},
                            {"lag", m.end - m.to}, {"clamped", m.clamped}});
        c.out->write(json{{"schema", "kafka-cli/groups.seek/1"}, {"group", a.group}, {"done", a.yes}, {"partitions", rows}}.dump() + "\n");
        return;
    }
    table t{{"TOPIC", "PARTITION", "FROM", "TO", "LAG"}, {}};
    for (const auto& m : moves)
        t.add({m.partition.first, std::to_string(m.partition.second), m.from ? std::to_string(*m.from) : "-", std::to_string(m.to), std::to_string(m.end - m.to)});
    c.out->write(t.as(c.format));
}

asio::awaitable<status> seek(session& s, const seek_arguments& a, const target& to, const std::vector<choice>& choices) {
    const auto moves = co_await plan(s, a, to, choices);
    if (std::any_of(moves.begin(), moves.end(), [](const move& m) { return m.clamped; }))
        note("some places are not in the log (any more): the nearest that is was taken");
    if (a.yes) {
        std::map<partition_key, std::int64_t> wanted;
        for (const auto& m : moves) wanted[m.partition] = m.to;
        group_offsets offsets{s, a.group};
        co_await offsets.commit(std::move(wanted));
    }
    show(s.ctx(), a, moves);
    s.ctx().out->flush();
    if (!a.yes) note("nothing was changed: --yes does it");
    co_return status::done;
}

}  // namespace

void add_groups_seek(command groups) {
    auto a = std::make_shared<seek_arguments>();
    auto sub = groups.add("seek", "Moves a group that has no members; shows what would move until --yes is given");
    sub.word("GROUP", a->group, "The group; one that is not there yet is made");
    sub.option("--to", a->to, std::string{"Where to: "} + place_grammar + ", or group:NAME, where another group is", "PLACE");
    sub.option("-t,--topic", a->topics, "Only these: TOPIC or TOPIC:0,2; may be repeated (default: all that the group has read)", "CHOICE");
    sub.flag("--yes", a->yes, "Do it");
    sub.examples("  kafka-cli groups seek billing --to start\n"
                 "  kafka-cli groups seek billing --to @-1h --yes                what is younger than an hour, once more\n"
                 "  kafka-cli groups seek billing --to -100 -t orders:0,1 --yes  the last hundred of two partitions\n"
                 "  kafka-cli groups seek billing-2 --to group:billing --yes     where the other group is");
    sub.does([a](context& c) {
        const auto to = parse_target(*a);
        std::vector<choice> choices;
        for (const auto& t : a->topics) choices.push_back(parse_choice(t));
        session s{c};
        return s.run([&](session& in) { return seek(in, *a, to, choices); });
    });
}

}  // namespace kafkawire::cli
