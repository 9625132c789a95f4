#include "cli/offset_finder.hpp"

#include <algorithm>

namespace kafkawire::cli {

asio::awaitable<std::map<partition_key, std::int64_t>> offset_finder::find(position where) {
    std::map<partition_key, std::int64_t> found;
    switch (where.what) {
        case position::kind::start: found = co_await ask(-2); break;
        case position::kind::end: found = co_await ask(-1); break;
        case position::kind::offset:
            for (const auto& k : keys_) found[k] = where.value;
            break;
        case position::kind::after_start:
            found = co_await ask(-2);
            for (auto& [k, v] : found) v += where.value;
            break;
        case position::kind::before_end: {
            const auto starts = co_await ask(-2);
            found = co_await ask(-1);
            for (auto& [k, v] : found) v = std::max(starts.at(k), v - where.value);
            break;
        }
        case position::kind::time: {
            const auto ends = co_await ask(-1);
            found = co_await ask(where.value);
            for (auto& [k, v] : found)
                if (v < 0) v = ends.at(k);
            break;
        }
    }
    co_return found;
}

asio::awaitable<std::map<partition_key, std::int64_t>> offset_finder::ask(std::int64_t time) {
    if (!known_.contains(time)) {
        offsets_query query;
        query.time = time;
        query.partitions = keys_;
        query.read_committed = read_committed_;
        known_[time] = co_await list_offsets(session_, topics_, std::move(query));
    }
    co_return known_.at(time);
}

}  // namespace kafkawire::cli
