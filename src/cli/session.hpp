// A command's time with a cluster: one thread, one event loop, one client; and Ctrl-C.
#pragma once
#include <kafkawire/client.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <functional>
#include <map>

#include "cli/command.hpp"

namespace kafkawire::cli {

/// What a client of this command's cluster is made with. Raises a usage failure for what cannot be.
[[nodiscard]] client_options client_options_of(const context& c);

/// Owns event loop and client. The first SIGINT or SIGTERM calls what on_stop() was given (without it, the command ends with 130), a second
/// ends the program at once with 130.
class session {
public:
    explicit session(context& c);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    /// Runs a command's coroutine to its end and gives its status. Its failures are thrown; what it started beside itself ends with it.
    status run(std::function<asio::awaitable<status>(session&)> what);

    [[nodiscard]] context& ctx() noexcept { return context_; }
    [[nodiscard]] asio::io_context& io() noexcept { return io_; }
    [[nodiscard]] bool stopping() const noexcept { return stopping_; }
    void on_stop(std::function<void()> what) { on_stop_ = std::move(what); }

    /// Sends a request to any broker or to a given one, within the session's timeout. Failures begin with `doing`.
    template <class Request>
    asio::awaitable<answer<typename Request::response>> ask(Request message, request_options options, std::string doing) {
        try {
            auto a = co_await client_.async_request(std::move(message), options, detailed(asio::use_awaitable));
            co_return a;
        } catch (const system_error& e) {
            throw from_error(e.detail(), doing);
        }
    }
    /// The same for a message of which only the schema is known.
    asio::awaitable<any_answer> ask_any(protocol::any_message message, request_options options, std::string doing);

    /// The highest version of an API that a broker (any, if none is given) and this library speak. Asked once per broker. Raises a failure
    /// if there is none.
    asio::awaitable<std::int16_t> version_of(std::int16_t api_key, std::optional<std::int32_t> broker, std::string doing);

    asio::awaitable<void> sleep(std::chrono::milliseconds time);
    [[nodiscard]] client& cluster() noexcept { return client_; }

private:
    void wait_for_signal();

    context& context_;
    asio::io_context io_;
    client client_;
    asio::posix::stream_descriptor signals_;
    std::function<void()> on_stop_;
    bool stopping_ = false;
    using versions = std::map<std::int16_t, std::pair<std::int16_t, std::int16_t>>;
    std::map<std::int32_t, versions> versions_;
};

/// A topic as its metadata tells.
struct topic_view {
    struct partition {
        std::int32_t id = 0;
        std::int32_t leader = -1;
        std::int32_t leader_epoch = -1;
        std::int16_t error = 0;
        std::vector<std::int32_t> replicas, in_sync, offline;
    };
    std::string name;
    protocol::uuid id;
    bool internal = false;
    std::int16_t error = 0;
    std::vector<partition> partitions;  ///< by ascending id

    [[nodiscard]] const partition* find(std::int32_t partition_id) const noexcept;
};

/// All topics, by name.
asio::awaitable<std::vector<topic_view>> all_topics(session& s);
/// Topics by name, in the given order; unknown ones have their error set.
asio::awaitable<std::vector<topic_view>> find_topics(session& s, std::vector<std::string> names);
/// The same, but an unknown topic is a failure that names the nearest, and a topic whose leaders are being elected is waited for.
asio::awaitable<std::vector<topic_view>> need_topics(session& s, std::vector<std::string> names);
/// The failure for a topic that is not there.
asio::awaitable<failure> unknown_topic(session& s, std::string name);

/// Where partitions' logs stand. `time` is -1 (the end), -2 (the start), or milliseconds since 1970: the first record at or after it, -1 if
/// there is none. With read_committed the end is the last stable offset: what lies behind is of transactions that are still open.
/// By topic name and partition.
using partition_key = std::pair<std::string, std::int32_t>;
struct offsets_query {
    std::int64_t time = -1;
    std::vector<partition_key> partitions;
    bool read_committed = false;
};
asio::awaitable<std::map<partition_key, std::int64_t>> list_offsets(session& s, const std::vector<topic_view>& topics, offsets_query query);

}  // namespace kafkawire::cli
