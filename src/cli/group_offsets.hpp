// A group's stored offsets without being a member: read at the start, written after what was printed. Brokers take such commits (generation
// -1) while the group has no members; membership comes with the group protocol.
#pragma once
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>

#include <map>

#include "cli/session.hpp"

namespace kafkawire::cli {

class group_offsets {
public:
    group_offsets(session& s, std::string group) : session_{s}, group_{std::move(group)} {}

    /// The stored offsets; partitions without one are not in the map.
    asio::awaitable<std::map<partition_key, std::int64_t>> fetch(const std::vector<topic_view>& topics, std::vector<partition_key> partitions);
    /// All that the group has stored, whatever the topic.
    asio::awaitable<std::map<partition_key, std::int64_t>> fetch_all();
    /// Stores offsets (of the next record to read).
    asio::awaitable<void> commit(std::map<partition_key, std::int64_t> offsets);
    /// The broker that looks after the group. Waits while there is none yet.
    asio::awaitable<std::int32_t> coordinator();
    /// It is no longer that one.
    void forget_coordinator() noexcept { coordinator_ = -1; }

private:
    asio::awaitable<std::map<partition_key, std::int64_t>> ask(protocol::messages::offset_fetch_request request);

    session& session_;
    std::string group_;
    std::int32_t coordinator_ = -1;
};

}  // namespace kafkawire::cli
