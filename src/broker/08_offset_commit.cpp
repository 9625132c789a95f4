// OffsetCommit: a member, or somebody who is none, commits offsets. A group that is not there is made, if no generation is given.
// Versions 2 to 4 say how long the offsets are kept; from 5 on that is the broker's. From version 6 on leader epochs, from 7 on instance ids. From
// version 9 on the generation may be a member epoch (KIP-848), and refusals of a group that is not there are GROUP_ID_NOT_FOUND. From
// version 10 on topics come by their ids.
#include <kafkawire/protocol/messages/08_offset_commit.hpp>

#include <algorithm>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::offset_commit_request;
using protocol::messages::offset_commit_response;

void add(offset_commit_response& to, const std::string& name, const protocol::uuid& id, std::int32_t partition, broker_errc code, bool by_id) {
    auto at = std::find_if(to.topics.begin(), to.topics.end(), [&](const auto& t) { return by_id ? t.topic_id == id : t.name == name; });
    if (at == to.topics.end()) {
        auto& t = to.topics.emplace_back();
        t.name = name;
        t.topic_id = id;
        at = to.topics.end() - 1;
    }
    at->partitions.push_back({partition, code_of(code), {}});
}

// What is there; what is not is refused in the answer.
std::vector<offset_commit> existing(cluster_state& cluster, const offset_commit_request& asked, bool by_id, offset_commit_response& answer) {
    std::vector<offset_commit> all;
    for (const auto& t : asked.topics) {
        const auto* known = by_id ? cluster.find_topic(t.topic_id) : cluster.find_topic(t.name);
        const auto unknown = by_id && !known ? broker_errc::unknown_topic_id : broker_errc::unknown_topic_or_partition;
        for (const auto& p : t.partitions) {
            if (known && known->find(p.partition_index))
                all.push_back({known->name, known->id, p.partition_index, p.committed_offset, p.committed_leader_epoch, p.committed_metadata});
            else
                add(answer, known ? known->name : t.name, by_id ? t.topic_id : protocol::uuid{}, p.partition_index, unknown, by_id);
        }
    }
    return all;
}

}  // namespace

void offset_commit(cluster_state& cluster, exchange from, const offset_commit_request& asked) {
    offset_commit_response answer;
    const bool by_id = from.version() >= 10;
    auto what = existing(cluster, asked, by_id, answer);
    if (what.empty()) return from.answer(answer);
    const auto finish = [what, by_id](offset_commit_response& to, const group_shard::commit_result& r) {
        for (std::size_t i = 0; i < what.size(); ++i)
            add(to, what[i].topic, what[i].topic_id, what[i].partition, r.error ? r.error.code : r.offsets[i], by_id);
    };
    auto why = broker_errc::none;
    auto* shard = shard_of(cluster, from, asked.group_id, why);
    if (!shard) {
        finish(answer, {{why}, {}});
        return from.answer(answer);
    }
    committer who;
    who.group = asked.group_id;
    who.member_id = asked.member_id;
    who.instance_id = asked.group_instance_id;
    who.generation = asked.generation_id_or_member_epoch;
    who.retention_ms = asked.retention_time_ms;
    who.version = from.version();
    shard->commit(who, what, [finish, answer, e = std::move(from)](const group_shard::commit_result& r) mutable {
        finish(answer, r);
        e.answer(answer);
    });
}

}  // namespace kafkawire::broker
