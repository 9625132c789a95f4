// ListOffsets: where a partition begins (-2), ends (-1), has its highest timestamp (-3), or its first record that is not older than a time.
// Behaviour, as in Kafka: the end is the high watermark, with isolation_level 1 the last stable offset; a record by time is one that lies before it,
// else offset and timestamp are -1 without an error. Nothing is tiered here, so the local start (-4) is the start, and the tiered end (-5) and what
// waits for tiering (-6) are -1. A partition named twice is an INVALID_REQUEST; a special time that the version does not have, UNSUPPORTED_VERSION.
// Versions: 1 is the lowest; 2 has isolation levels; 4 leader epochs; 6 is flexible; 7 adds -3, 8 adds -4, 9 adds -5, 11 adds -6; 10 a timeout,
// which nothing here needs.
#include <kafkawire/protocol/messages/02_list_offsets.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <set>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::list_offsets_request;
using protocol::messages::list_offsets_response;
using found_offset = list_offsets_response::partition_response;
using e = broker_errc;

constexpr std::int64_t latest = -1, earliest = -2, max_timestamp = -3, earliest_local = -4, latest_tiered = -5, earliest_pending = -6;

bool has_version(std::int64_t timestamp, std::int16_t version) {
    if (timestamp >= earliest) return true;
    return (timestamp == max_timestamp && version >= 7) || (timestamp == earliest_local && version >= 8) || (timestamp == latest_tiered && version >= 9) ||
           (timestamp == earliest_pending && version >= 11);
}

std::int32_t epoch_at(const log& l, std::int64_t offset) {
    std::int32_t epoch = -1;
    for (const auto& known : l.epochs())
        if (known.offset <= offset) epoch = known.epoch;
    return epoch;
}

// The first record of a batch that is not older than `timestamp` and lies in the log.
bool find_in(const log& l, const log::entry& batch, std::int64_t timestamp, found_offset& to) {
    const auto bytes = l.read(batch.base_offset, batch.base_offset + 1, batch.size, true);
    protocol::record_reader in{bytes.data, {.check_crcs = false}};
    in.include_control_batches(true);
    for (const auto& r : in) {
        if (r.timestamp < timestamp || r.offset < l.start_offset()) continue;
        to.offset = r.offset;
        to.timestamp = r.timestamp;
        to.leader_epoch = batch.leader_epoch;
        return true;
    }
    return false;
}

void find_by_time(const log& l, std::int64_t timestamp, found_offset& to) {
    for (const auto& batch : l.entries())
        if (batch.max_timestamp >= timestamp && find_in(l, batch, timestamp, to)) return;
}

void find_newest(const log& l, found_offset& to) {
    const log::entry* newest = nullptr;
    for (const auto& batch : l.entries())
        if (!newest || batch.max_timestamp > newest->max_timestamp) newest = &batch;
    if (newest) find_in(l, *newest, newest->max_timestamp, to);
}

void look(const partition& p, std::int64_t timestamp, std::int64_t end, found_offset& to) {
    const auto& l = p.log();
    switch (timestamp) {
        case latest:
            to.offset = end;
            to.leader_epoch = l.epochs().empty() ? p.leader_epoch() : l.epochs().back().epoch;
            return;
        case earliest:
        case earliest_local:
            to.offset = l.start_offset();
            to.leader_epoch = epoch_at(l, to.offset);
            return;
        case latest_tiered:
        case earliest_pending: return;
        case max_timestamp: find_newest(l, to); break;
        default: find_by_time(l, timestamp, to); break;
    }
    if (to.offset >= end) to.offset = to.timestamp = to.leader_epoch = -1;
}

found_offset find(const partition* p, const list_offsets_request::partition& asked, const list_offsets_request& by, const exchange& from) {
    found_offset to;
    to.partition_index = asked.partition_index;
    const auto refuse = [&](e why) {
        to.error_code = code_of(why);
        return to;
    };
    if (!has_version(asked.timestamp, from.version())) return refuse(e::unsupported_version);
    if (!p) return refuse(e::unknown_topic_or_partition);
    if (asked.current_leader_epoch >= 0 && asked.current_leader_epoch != p->leader_epoch())
        return refuse(asked.current_leader_epoch < p->leader_epoch() ? e::fenced_leader_epoch : e::unknown_leader_epoch);
    if (p->leader() != from.node()) return refuse(e::not_leader_or_follower);
    look(*p, asked.timestamp, by.isolation_level == 1 ? p->last_stable_offset() : p->high_watermark(), to);
    if (from.version() < 4) to.leader_epoch = -1;  // which these versions cannot say
    return to;
}

}  // namespace

void list_offsets(cluster_state& cluster, exchange from, const list_offsets_request& asked) {
    list_offsets_response answer;
    std::map<std::string_view, std::map<std::int32_t, int>> times;
    for (const auto& t : asked.topics)
        for (const auto& p : t.partitions) ++times[t.name][p.partition_index];
    std::set<std::pair<std::string_view, std::int32_t>> answered;
    for (const auto& t : asked.topics) {
        if (t.partitions.empty()) continue;
        list_offsets_response::topic_response to;
        to.name = t.name;
        for (const auto& p : t.partitions) {
            if (times[t.name][p.partition_index] == 1) {
                to.partitions.push_back(find(cluster.find_partition(t.name, p.partition_index), p, asked, from));
            } else if (answered.emplace(t.name, p.partition_index).second) {
                auto& twice = to.partitions.emplace_back();
                twice.partition_index = p.partition_index;
                twice.error_code = code_of(e::invalid_request);
            }
        }
        if (!to.partitions.empty()) answer.topics.push_back(std::move(to));
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
