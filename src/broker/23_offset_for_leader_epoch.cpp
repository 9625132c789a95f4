// OffsetForLeaderEpoch: where the records of a leader epoch end: how a consumer finds out that the log under it was cut (KIP-320).
// Behaviour, as in Kafka: the highest epoch that is not above the one asked for, and where the next one begins, or the log's end for the present
// one; -1 and -1, without an error, for epochs that are not known. FENCED_LEADER_EPOCH and UNKNOWN_LEADER_EPOCH for a client with other metadata.
// Versions: 2 is the lowest, and has the client's own epoch; 3 the replica's id; 4 is flexible.
#include <kafkawire/protocol/messages/23_offset_for_leader_epoch.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::offset_for_leader_epoch_request;
using protocol::messages::offset_for_leader_epoch_response;
using e = broker_errc;

offset_for_leader_epoch_response::epoch_end_offset find(const partition* p, const offset_for_leader_epoch_request::offset_for_leader_partition& asked, std::int32_t node) {
    offset_for_leader_epoch_response::epoch_end_offset to;
    to.partition = asked.partition;
    const auto refuse = [&](e why) {
        to.error_code = code_of(why);
        return to;
    };
    if (!p) return refuse(e::unknown_topic_or_partition);
    if (asked.current_leader_epoch >= 0 && asked.current_leader_epoch != p->leader_epoch())
        return refuse(asked.current_leader_epoch < p->leader_epoch() ? e::fenced_leader_epoch : e::unknown_leader_epoch);
    if (p->leader() != node) return refuse(e::not_leader_or_follower);
    const auto end = p->log().end_of_epoch(asked.leader_epoch);
    to.leader_epoch = end.epoch;
    to.end_offset = end.offset;
    return to;
}

}  // namespace

void offset_for_leader_epoch(cluster_state& cluster, exchange from, const offset_for_leader_epoch_request& asked) {
    offset_for_leader_epoch_response answer;
    for (const auto& t : asked.topics) {
        if (t.partitions.empty()) continue;
        auto& to = answer.topics.emplace_back();
        to.topic = t.topic;
        for (const auto& p : t.partitions) to.partitions.push_back(find(cluster.find_partition(t.topic, p.partition), p, from.node()));
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
