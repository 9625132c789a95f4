// A group's stored offsets without being a member: read at the start, written after what was printed. Brokers take such commits (generation
// -1) while the group has no members; membership comes with the group protocol.
#pragma once
#include <cli/session.hpp>

#include <map>

namespace kafkawire::cli {

class group_offsets {
public:
    group_offsets(session& s, std::string group) : session_{s}, group_{std::move(group)} {}

    /// The stored offsets; partitions without one are not in the map.
    asio::awaitable<std::map<partition_key, std::int64_t>> fetch(const std::vector<topic_view>& topics, std::vector<partition_key> partitions);
    /// Stores offsets (of the next record to read).
    asio::awaitable<void> commit(std::map<partition_key, std::int64_t> offsets);

private:
    asio::awaitable<std::int32_t> coordinator();

    session& session_;
    std::string group_;
    std::int32_t coordinator_ = -1;
};

}  // namespace kafkawire::cli
