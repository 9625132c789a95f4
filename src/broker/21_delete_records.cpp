// DeleteRecords: moves the start of partitions up, to an offset or (-1) to the high watermark.
// Behaviour, as in Kafka: answers the start there is now, which never moves down; OFFSET_OUT_OF_RANGE behind the high watermark or below 0;
// POLICY_VIOLATION where cleanup.policy lacks delete; INVALID_TOPIC_EXCEPTION for internal topics. Batches that the new start cuts stay whole.
// Versions: 2 is flexible; else all are the same.
#include <kafkawire/protocol/messages/21_delete_records.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::delete_records_request;
using protocol::messages::delete_records_response;
using e = broker_errc;

e delete_before(cluster_state& cluster, const topic* t, partition* p, std::int64_t offset, std::int32_t node) {
    if (!p) return e::unknown_topic_or_partition;
    if (t->internal) return e::invalid_topic_exception;
    if (p->leader() != node) return e::not_leader_or_follower;
    if (cluster.config(*t, "cleanup.policy").find("delete") == std::string::npos) return e::policy_violation;
    const auto to = offset == -1 ? p->high_watermark() : offset;
    return to < 0 ? e::offset_out_of_range : p->raise_start(to);
}

}  // namespace

void delete_records(cluster_state& cluster, exchange from, const delete_records_request& asked) {
    delete_records_response answer;
    for (const auto& t : asked.topics) {
        if (t.partitions.empty()) continue;
        auto& to = answer.topics.emplace_back();
        to.name = t.name;
        auto* of = cluster.find_topic(t.name);
        for (const auto& p : t.partitions) {
            auto* where = of ? of->find(p.partition_index) : nullptr;
            const auto error = delete_before(cluster, of, where, p.offset, from.node());
            to.partitions.push_back({p.partition_index, error == e::none ? where->log().start_offset() : -1, code_of(error), {}});
        }
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
