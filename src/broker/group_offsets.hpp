// group_offsets: the committed offsets of one partition of __consumer_offsets, and those that transactions have pending.
// Owns: them. Never: decides who may commit; see the group machines. It only changes by what was written to the log: apply() and end_transaction()
// are called for what is appended and for what is read back alike.
#pragma once
#include <map>
#include <set>

#include "broker/group_log.hpp"

namespace kafkawire::protocol::messages {
struct offset_commit_key;
struct offset_commit_value;
}  // namespace kafkawire::protocol::messages

namespace kafkawire::broker {

struct committed_offset {
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    std::string metadata{};
    std::int64_t commit_time = 0;              ///< milliseconds since 1970
    std::optional<std::int64_t> expire_time{};  ///< asked for by old clients, instead of the retention time
    protocol::uuid topic_id{};                 ///< zero: committed without one
    std::int64_t record_offset = -1;           ///< where it lies in the log: of two the later one counts
};

class group_offsets {
public:
    using by_partition = std::map<std::int32_t, committed_offset>;
    using by_topic = std::map<std::string, by_partition>;

    /// Null: nothing was committed.
    [[nodiscard]] const by_topic* of(const std::string& group) const;
    [[nodiscard]] const committed_offset* find(const std::string& group, const std::string& topic, std::int32_t partition) const;
    /// An open transaction has an offset for it.
    [[nodiscard]] bool is_pending(const std::string& group, const std::string& topic, std::int32_t partition) const;
    [[nodiscard]] bool has_open_transactions(const std::string& group) const;
    /// Groups that have committed offsets.
    [[nodiscard]] std::vector<std::string> groups() const;

    /// A record of the log; no value: a tombstone. `producer_id` >= 0: pending until that producer's transaction ends.
    void apply(const protocol::messages::offset_commit_key& key, const protocol::messages::offset_commit_value* value, std::int64_t record_offset,
               std::int64_t producer_id);
    void end_transaction(std::int64_t producer_id, bool commit);

    /// The record that commits an offset, or, with none, takes it away.
    static void put_record(group_records& to, const std::string& group, const std::string& topic, std::int32_t partition, const committed_offset* offset);
    /// Tombstones for everything of a group, pending ones too.
    void put_tombstones(group_records& to, const std::string& group) const;

private:
    using by_group = std::map<std::string, by_topic>;
    static void erase(by_group& from, const std::string& group, const std::string& topic, std::int32_t partition);
    static const committed_offset* find_in(const by_group& in, const std::string& group, const std::string& topic, std::int32_t partition);

    by_group committed_;
    std::map<std::int64_t, by_group> pending_;  // by producer id
};

}  // namespace kafkawire::broker
