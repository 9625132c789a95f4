// Places in logs to offsets, with as few questions as needed: starts, ends and times are asked for where a partition needs them.
#pragma once
#include <cli/session.hpp>

#include "cli/position.hpp"

namespace kafkawire::cli {

/// Remembers what it has asked. What it is given must outlive it.
class offset_finder {
public:
    offset_finder(session& s, const std::vector<topic_view>& topics, const std::vector<partition_key>& keys, bool read_committed)
        : session_{s}, topics_{topics}, keys_{keys}, read_committed_{read_committed} {}

    /// The offset of that place in every partition. A time with no record at or after it is the end.
    asio::awaitable<std::map<partition_key, std::int64_t>> find(position where);

private:
    asio::awaitable<std::map<partition_key, std::int64_t>> ask(std::int64_t time);

    session& session_;
    const std::vector<topic_view>& topics_;
    const std::vector<partition_key>& keys_;
    bool read_committed_;
    std::map<std::int64_t, std::map<partition_key, std::int64_t>> known_;
};

}  // namespace kafkawire::cli
