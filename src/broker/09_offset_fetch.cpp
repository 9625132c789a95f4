// OffsetFetch: committed offsets; -1 where there is none. From version 2 on all topics of a group can be asked for (null).
// Version 1 has no error of its own: it goes to every partition. From version 5 on leader epochs; from 7 on only stable offsets can be asked for:
// those that an open transaction may change are UNSTABLE_OFFSET_COMMIT. From version 8 on there are several groups; from 9 on members say who
// they are (KIP-848); from 10 on topics come by their ids.
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::offset_fetch_request;
using protocol::messages::offset_fetch_response;
using answer_partition = offset_fetch_response::offset_fetch_response_partitions;

answer_partition no_offset(std::int32_t partition, broker_errc code = broker_errc::none) {
    answer_partition p;
    p.partition_index = partition;
    p.committed_offset = -1;
    p.error_code = code_of(code);
    return p;
}

struct looker {
    cluster_state& cluster;
    const group_shard& shard;
    const std::string& group;
    bool stable;
    bool by_id;

    answer_partition look_up(const std::string& topic, const protocol::uuid& id, std::int32_t partition) const {
        if (stable && shard.offsets().is_pending(group, topic, partition)) return no_offset(partition, broker_errc::unstable_offset_commit);
        const auto* o = shard.offsets().find(group, topic, partition);
        // A topic that was deleted and made again is another one.
        if (!o || (!id.is_zero() && !o->topic_id.is_zero() && o->topic_id != id)) return no_offset(partition);
        answer_partition p;
        p.partition_index = partition;
        p.committed_offset = o->offset;
        p.committed_leader_epoch = o->leader_epoch;
        p.metadata = o->metadata;
        return p;
    }
    void all(offset_fetch_response::group& to) const {
        const auto* topics = shard.find(group) ? shard.offsets().of(group) : nullptr;
        if (!topics) return;
        for (const auto& [name, partitions] : *topics) {
            const auto* known = cluster.find_topic(name);
            if (by_id && !known) continue;
            auto& t = to.topics.emplace_back();
            t.name = name;
            if (by_id) t.topic_id = known->id;
            for (const auto& [index, o] : partitions) t.partitions.push_back(look_up(name, {}, index));
        }
    }
    void some(offset_fetch_response::group& to, const std::vector<offset_fetch_request::offset_fetch_request_topics>& asked) const {
        std::vector<offset_fetch_response::offset_fetch_response_topics> unknown;
        for (const auto& t : asked) {
            const auto* known = by_id ? cluster.find_topic(t.topic_id) : nullptr;
            auto& out = by_id && !known ? unknown.emplace_back() : to.topics.emplace_back();
            out.name = known ? known->name : t.name;
            out.topic_id = t.topic_id;
            for (const auto p : t.partition_indexes)
                out.partitions.push_back(by_id && !known ? no_offset(p, broker_errc::unknown_topic_id) : look_up(out.name, t.topic_id, p));
        }
        to.topics.insert(to.topics.end(), std::make_move_iterator(unknown.begin()), std::make_move_iterator(unknown.end()));
    }
};

offset_fetch_response::group look_up(cluster_state& cluster, const exchange& from, const offset_fetch_request::group& asked, bool stable) {
    offset_fetch_response::group to;
    to.group_id = asked.group_id;
    auto why = broker_errc::none;
    const auto* shard = shard_of(cluster, from, asked.group_id, why);
    if (shard) why = shard->check_fetch(asked.group_id, asked.member_id, asked.member_epoch).code;
    to.error_code = code_of(why);
    if (why != broker_errc::none) return to;
    const looker l{cluster, *shard, asked.group_id, stable, from.version() >= 10};
    if (asked.topics)
        l.some(to, *asked.topics);
    else
        l.all(to);
    return to;
}

offset_fetch_request::group single_group(const offset_fetch_request& asked) {
    offset_fetch_request::group g;
    g.group_id = asked.group_id;
    g.topics.reset();
    if (!asked.topics) return g;
    g.topics.emplace();
    for (const auto& t : *asked.topics) {
        auto& to = g.topics->emplace_back();
        to.name = t.name;
        to.partition_indexes = t.partition_indexes;
    }
    return g;
}

void put_single(offset_fetch_response& to, const offset_fetch_request::group& asked, offset_fetch_response::group from, std::int16_t version) {
    to.error_code = from.error_code;
    if (version < 2 && from.error_code != 0 && asked.topics)
        for (const auto& t : *asked.topics) {
            auto& out = from.topics.emplace_back();
            out.name = t.name;
            for (const auto p : t.partition_indexes) out.partitions.push_back(no_offset(p, static_cast<broker_errc>(to.error_code)));
        }
    for (auto& t : from.topics) {
        auto& out = to.topics.emplace_back();
        out.name = std::move(t.name);
        for (auto& p : t.partitions)
            out.partitions.push_back({p.partition_index, p.committed_offset, p.committed_leader_epoch, std::move(p.metadata), p.error_code, {}});
    }
}

}  // namespace

void offset_fetch(cluster_state& cluster, exchange from, const offset_fetch_request& asked) {
    offset_fetch_response answer;
    const auto version = from.version();
    if (version < 8) {
        const auto group = single_group(asked);
        put_single(answer, group, look_up(cluster, from, group, version >= 7 && asked.require_stable), version);
    } else {
        for (const auto& g : asked.groups) answer.groups.push_back(look_up(cluster, from, g, asked.require_stable));
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
