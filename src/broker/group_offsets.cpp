#include "broker/group_offsets.hpp"

#include <kafkawire/protocol/messages/offsets_topic.hpp>

#include <algorithm>

namespace kafkawire::broker {

namespace messages = protocol::messages;

const group_offsets::by_topic* group_offsets::of(const std::string& group) const {
    const auto at = committed_.find(group);
    return at == committed_.end() ? nullptr : &at->second;
}

const committed_offset* group_offsets::find_in(const by_group& in, const std::string& group, const std::string& topic, std::int32_t partition) {
    const auto g = in.find(group);
    if (g == in.end()) return nullptr;
    const auto t = g->second.find(topic);
    if (t == g->second.end()) return nullptr;
    const auto p = t->second.find(partition);
    return p == t->second.end() ? nullptr : &p->second;
}

const committed_offset* group_offsets::find(const std::string& group, const std::string& topic, std::int32_t partition) const {
    return find_in(committed_, group, topic, partition);
}

bool group_offsets::is_pending(const std::string& group, const std::string& topic, std::int32_t partition) const {
    return std::any_of(pending_.begin(), pending_.end(), [&](const auto& p) { return find_in(p.second, group, topic, partition) != nullptr; });
}

bool group_offsets::has_open_transactions(const std::string& group) const {
    return std::any_of(pending_.begin(), pending_.end(), [&](const auto& p) { return p.second.count(group) != 0; });
}

std::vector<std::string> group_offsets::groups() const {
    std::vector<std::string> names;
    for (const auto& [name, topics] : committed_) names.push_back(name);
    return names;
}

void group_offsets::erase(by_group& from, const std::string& group, const std::string& topic, std::int32_t partition) {
    const auto g = from.find(group);
    if (g == from.end()) return;
    const auto t = g->second.find(topic);
    if (t == g->second.end()) return;
    t->second.erase(partition);
    if (t->second.empty()) g->second.erase(t);
    if (g->second.empty()) from.erase(g);
}

void group_offsets::apply(const messages::offset_commit_key& key, const messages::offset_commit_value* value, std::int64_t record_offset, std::int64_t producer_id) {
    if (!value) {
        erase(committed_, key.group, key.topic, key.partition);
        for (auto& [id, offsets] : pending_) erase(offsets, key.group, key.topic, key.partition);
        return;
    }
    committed_offset o;
    o.offset = value->offset;
    o.leader_epoch = value->leader_epoch;
    o.metadata = value->metadata;
    o.commit_time = value->commit_timestamp;
    if (value->expire_timestamp >= 0) o.expire_time = value->expire_timestamp;
    o.topic_id = value->topic_id;
    o.record_offset = record_offset;
    auto& in = producer_id >= 0 ? pending_[producer_id] : committed_;
    in[key.group][key.topic][key.partition] = std::move(o);
}

void group_offsets::end_transaction(std::int64_t producer_id, bool commit) {
    auto ended = pending_.extract(producer_id);
    if (!ended || !commit) return;
    for (auto& [group, topics] : ended.mapped())
        for (auto& [topic, partitions] : topics)
            for (auto& [partition, offset] : partitions) {
                // An offset that was committed after this one, outside of the transaction, stays.
                auto& present = committed_[group][topic][partition];
                if (offset.record_offset > present.record_offset) present = std::move(offset);
            }
}

void group_offsets::put_record(group_records& to, const std::string& group, const std::string& topic, std::int32_t partition, const committed_offset* offset) {
    messages::offset_commit_key key;
    key.group = group;
    key.topic = topic;
    key.partition = partition;
    if (!offset) return put_tombstone(to, key);
    messages::offset_commit_value value;
    value.offset = offset->offset;
    value.leader_epoch = offset->leader_epoch;
    value.metadata = offset->metadata;
    value.commit_timestamp = offset->commit_time;
    value.expire_timestamp = offset->expire_time.value_or(-1);
    value.topic_id = offset->topic_id;
    // Version 1 is the only one with an expiry; the topic's id is there from version 4 on.
    put(to, key, value, offset->expire_time ? std::int16_t{1} : std::int16_t{4});
}

void group_offsets::put_tombstones(group_records& to, const std::string& group) const {
    std::set<std::pair<std::string, std::int32_t>> all;
    const auto add = [&](const by_group& from) {
        const auto g = from.find(group);
        if (g == from.end()) return;
        for (const auto& [topic, partitions] : g->second)
            for (const auto& [partition, offset] : partitions) all.emplace(topic, partition);
    };
    add(committed_);
    for (const auto& [id, offsets] : pending_) add(offsets);
    for (const auto& [topic, partition] : all) put_record(to, group, topic, partition, nullptr);
}

}  // namespace kafkawire::broker
