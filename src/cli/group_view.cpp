#include "cli/group_view.hpp"

#include <kafkawire/protocol/messages/15_describe_groups.hpp>
#include <kafkawire/protocol/messages/16_list_groups.hpp>
#include <kafkawire/protocol/messages/69_consumer_group_describe.hpp>
#include <kafkawire/protocol/messages/consumer_protocol.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "cli/group_offsets.hpp"
#include "cli/nearest.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

bool is(std::int16_t code, broker_errc e) { return static_cast<broker_errc>(code) == e; }

request_options to(std::int32_t node) {
    request_options o;
    o.broker = node;
    return o;
}

// What a member of the classic protocol has: a version, and a message of that version. Newer ones only add to its end.
std::vector<partition_key> classic_assignment(bytes_view from) {
    std::vector<partition_key> keys;
    if (from.size() < 2) return keys;
    const auto version = static_cast<std::int16_t>(std::to_integer<unsigned>(from[0]) << 8 | std::to_integer<unsigned>(from[1]));
    messages::consumer_protocol_assignment a;
    std::size_t used = 0;
    const auto known = std::clamp<std::int16_t>(version, 0, messages::consumer_protocol_assignment::versions.highest);
    if (decode_prefix(schema_of<messages::consumer_protocol_assignment>(), &a, from.subspan(2), known, used)) return {};  // not a consumer's: nothing that we could show
    for (const auto& t : a.assigned_partitions)
        for (const auto p : t.partitions) keys.emplace_back(t.topic, p);
    std::sort(keys.begin(), keys.end());
    return keys;
}

std::vector<partition_key> keys_of(const messages::consumer_group_describe_response::assignment_value& a) {
    std::vector<partition_key> keys;
    for (const auto& t : a.topic_partitions)
        for (const auto p : t.partitions) keys.emplace_back(t.topic_name, p);
    std::sort(keys.begin(), keys.end());
    return keys;
}

void sort_members(group_view& g) {
    std::sort(g.members.begin(), g.members.end(), [](const auto& a, const auto& b) { return std::tie(a.client_id, a.id) < std::tie(b.client_id, b.id); });
}

group_view view_of(const messages::describe_groups_response::described_group& g) {
    group_view v;
    v.name = g.group_id;
    v.type = "classic";
    v.state = g.group_state;
    v.protocol_type = g.protocol_type;
    v.assignor = g.protocol_data;
    for (const auto& m : g.members) {
        group_member one;
        one.id = m.member_id;
        one.client_id = m.client_id;
        one.host = m.client_host;
        one.instance = m.group_instance_id;
        one.assigned = classic_assignment(m.member_assignment);
        v.members.push_back(std::move(one));
    }
    sort_members(v);
    return v;
}

group_view view_of(const messages::consumer_group_describe_response::described_group& g) {
    group_view v;
    v.name = g.group_id;
    v.type = "consumer";
    v.state = g.group_state;
    v.protocol_type = "consumer";
    v.assignor = g.assignor_name;
    v.epoch = g.group_epoch;
    for (const auto& m : g.members) {
        group_member one;
        one.id = m.member_id;
        one.client_id = m.client_id;
        one.host = m.client_host;
        one.instance = m.instance_id;
        one.epoch = m.member_epoch;
        one.assigned = keys_of(m.assignment);
        one.reconciling = one.assigned != keys_of(m.target_assignment);
        v.members.push_back(std::move(one));
    }
    sort_members(v);
    return v;
}

// What one of the two protocols says: the group, that it has none of that name, or that it should be asked again.
struct said {
    std::optional<group_view> group;
    std::int16_t error = 0;
};

asio::awaitable<said> ask_classic(session& s, std::string name, std::int32_t node, std::string doing) {
    messages::describe_groups_request request;
    request.groups.push_back(name);
    const auto a = co_await s.ask(std::move(request), to(node), std::move(doing));
    said what;
    for (const auto& g : a.groups) {
        what.error = g.error_code;
        // Before version 6 there was no error for a group that is not there: it is Dead.
        if (g.error_code == 0 && g.group_state == "Dead") what.error = static_cast<std::int16_t>(broker_errc::group_id_not_found);
        if (what.error == 0) what.group = view_of(g);
    }
    co_return what;
}

asio::awaitable<said> ask_consumer(session& s, std::string name, std::int32_t node, std::string doing) {
    messages::consumer_group_describe_request request;
    request.group_ids.push_back(name);
    const auto a = co_await s.ask(std::move(request), to(node), std::move(doing));
    said what;
    for (const auto& g : a.groups) {
        what.error = g.error_code;
        if (what.error == 0) what.group = view_of(g);
    }
    co_return what;
}

asio::awaitable<bool> speaks(session& s, std::int16_t api, std::int32_t node) {
    try {
        (void)co_await s.version_of(api, node, "cannot ask for versions");
    } catch (const failure&) {
        co_return false;
    }
    co_return true;
}

asio::awaitable<failure> unknown_group(session& s, std::string name) {
    auto f = from_broker_code(static_cast<std::int16_t>(broker_errc::group_id_not_found), fmt::format("group \"{}\"", name));
    f.message = fmt::format("there is no group \"{}\"", name);
    try {
        std::vector<std::string> names;
        for (const auto& g : co_await all_groups(s)) {
            if (g.name == name) f.message = fmt::format("group \"{}\" is a {} group, which is not described here", name, g.type.empty() ? g.protocol_type : g.type);
            names.push_back(g.name);
        }
        f.hint = did_you_mean(name, names, "kafka-cli groups list shows all");
    } catch (const failure&) {
        // The list is only for the hint.
    }
    co_return f;
}

}  // namespace

asio::awaitable<std::vector<group_listing>> all_groups(session& s) {
    messages::metadata_request request;
    request.topics = std::nullopt;
    request.allow_auto_topic_creation = true;  // of no effect when all are asked for, and all that versions before 4 can say
    const auto cluster = co_await s.ask(std::move(request), {}, "cannot list groups");
    const auto give_up = std::chrono::steady_clock::now() + s.ctx().timeout;
    std::vector<group_listing> all;
    for (const auto& b : cluster.brokers) {
        const auto doing = fmt::format("cannot list the groups of broker {}", b.node_id);
        for (;;) {
            const auto a = co_await s.ask(messages::list_groups_request{}, to(b.node_id), doing);
            if (a.error_code == 0) {
                for (const auto& g : a.groups) all.push_back({g.group_id, g.group_type, g.group_state, g.protocol_type, b.node_id});
                break;
            }
            if (!may_pass(a.error_code) || std::chrono::steady_clock::now() > give_up) throw from_broker_code(a.error_code, doing);
            co_await s.sleep(std::chrono::milliseconds{200});
        }
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    // A group whose coordinator moved between two questions is told by both.
    all.erase(std::unique(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name == b.name; }), all.end());
    co_return all;
}

asio::awaitable<group_view> describe_group(session& s, std::string name) {
    const auto doing = fmt::format("cannot describe group \"{}\"", name);
    const auto give_up = std::chrono::steady_clock::now() + s.ctx().timeout;
    for (;;) {
        group_offsets offsets{s, name};
        const auto node = co_await offsets.coordinator();
        auto a = co_await ask_classic(s, name, node, doing);
        // One with the new protocol is unknown to the old question.
        if (is(a.error, broker_errc::group_id_not_found) && co_await speaks(s, messages::consumer_group_describe_request::key, node)) a = co_await ask_consumer(s, name, node, doing);
        if (a.group) {
            a.group->coordinator = node;
            co_return std::move(*a.group);
        }
        if (is(a.error, broker_errc::group_id_not_found)) {
            auto f = co_await unknown_group(s, name);
            throw f;
        }
        if (!may_pass(a.error) || std::chrono::steady_clock::now() > give_up) throw from_broker_code(a.error, doing);
        co_await s.sleep(std::chrono::milliseconds{200});
    }
}

}  // namespace kafkawire::cli
