#include "cli/group_offsets.hpp"

#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>

#include <fmt/format.h>

namespace kafkawire::cli {

using namespace protocol;

asio::awaitable<std::int32_t> group_offsets::coordinator() {
    const auto doing = fmt::format("cannot find the coordinator of group \"{}\"", group_);
    const auto give_up = std::chrono::steady_clock::now() + session_.ctx().timeout;
    while (coordinator_ < 0) {
        const auto version = co_await session_.version_of(messages::find_coordinator_request::key, {}, doing);
        messages::find_coordinator_request request;
        if (version >= 4) request.coordinator_keys.push_back(group_);
        else request.coordinator_key = group_;
        request_options options;
        options.version = version;
        const auto a = co_await session_.ask(std::move(request), options, doing);
        const auto code = version >= 4 ? (a.coordinators.empty() ? std::int16_t{-1} : a.coordinators.front().error_code) : a.error_code;
        const auto node = version >= 4 ? (a.coordinators.empty() ? -1 : a.coordinators.front().node_id) : a.node_id;
        if (code == 0) {
            coordinator_ = node;
            break;
        }
        // The first group of a cluster waits until its offsets topic has been made.
        if (!may_pass(code) || std::chrono::steady_clock::now() > give_up) throw from_broker_code(code, doing);
        co_await session_.sleep(std::chrono::milliseconds{200});
    }
    co_return coordinator_;
}

asio::awaitable<std::map<partition_key, std::int64_t>> group_offsets::fetch(const std::vector<topic_view>& topics, std::vector<partition_key> partitions) {
    messages::offset_fetch_request request;
    for (const auto& t : topics) {
        messages::offset_fetch_request::topic one;
        one.name = t.name;
        for (const auto& [topic, partition] : partitions)
            if (topic == t.name) one.partition_indexes.push_back(partition);
        request.topics->push_back(std::move(one));
    }
    co_return co_await ask(std::move(request));
}

asio::awaitable<std::map<partition_key, std::int64_t>> group_offsets::fetch_all() {
    messages::offset_fetch_request request;
    request.topics = std::nullopt;
    co_return co_await ask(std::move(request));
}

asio::awaitable<std::map<partition_key, std::int64_t>> group_offsets::ask(messages::offset_fetch_request request) {
    const auto doing = fmt::format("cannot read the offsets of group \"{}\"", group_);
    const auto give_up = std::chrono::steady_clock::now() + session_.ctx().timeout;
    request.group_id = group_;
    for (;;) {
        const auto node = co_await coordinator();
        // Versions from 8 on ask for several groups in another form, and from 10 on by topic id; 7 says all that is needed here.
        auto version = co_await session_.version_of(messages::offset_fetch_request::key, node, doing);
        version = std::min<std::int16_t>(version, 7);
        request_options options;
        options.broker = node;
        options.version = version;
        const auto a = co_await session_.ask(request, options, doing);
        std::int16_t code = a.error_code;
        std::map<partition_key, std::int64_t> found;
        for (const auto& t : a.topics)
            for (const auto& p : t.partitions) {
                if (p.error_code != 0) code = p.error_code;
                else if (p.committed_offset >= 0) found[{t.name, p.partition_index}] = p.committed_offset;
            }
        if (code == 0) co_return found;
        if (!may_pass(code) || std::chrono::steady_clock::now() > give_up) throw from_broker_code(code, doing);
        coordinator_ = -1;
        co_await session_.sleep(std::chrono::milliseconds{200});
    }
}

asio::awaitable<void> group_offsets::commit(std::map<partition_key, std::int64_t> offsets) {
    if (offsets.empty()) co_return;
    const auto doing = fmt::format("cannot store the offsets of group \"{}\"", group_);
    const auto give_up = std::chrono::steady_clock::now() + session_.ctx().timeout;
    for (;;) {
        const auto node = co_await coordinator();
        auto version = co_await session_.version_of(messages::offset_commit_request::key, node, doing);
        version = std::min<std::int16_t>(version, 9);
        messages::offset_commit_request request;
        request.group_id = group_;
        for (const auto& [key, offset] : offsets) {
            if (request.topics.empty() || request.topics.back().name != key.first) {
                request.topics.emplace_back();
                request.topics.back().name = key.first;
            }
            messages::offset_commit_request::partition p;
            p.partition_index = key.second;
            p.committed_offset = offset;
            p.committed_metadata = "";
            request.topics.back().partitions.push_back(std::move(p));
        }
        request_options options;
        options.broker = node;
        options.version = version;
        const auto a = co_await session_.ask(std::move(request), options, doing);
        std::int16_t code = 0;
        for (const auto& t : a.topics)
            for (const auto& p : t.partitions)
                if (p.error_code != 0) code = p.error_code;
        if (code == 0) co_return;
        if (static_cast<broker_errc>(code) == broker_errc::unknown_member_id || static_cast<broker_errc>(code) == broker_errc::illegal_generation) {
            auto f = from_broker_code(code, doing);
            f.hint = "the group has members of its own, and only they may store its offsets; stop them, or use another group";
            throw f;
        }
        if (!may_pass(code) || std::chrono::steady_clock::now() > give_up) throw from_broker_code(code, doing);
        coordinator_ = -1;
        co_await session_.sleep(std::chrono::milliseconds{200});
    }
}

}  // namespace kafkawire::cli
