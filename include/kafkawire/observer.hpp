// Seeing what a client does: an observer is told of requests, connections, retries, rebalances, errors and log lines as they happen.
//   struct to_syslog : kw::observer {
//       void on_log(const kw::log_line& l) override { syslog(LOG_NOTICE, "%s: %s", std::string{l.client}.c_str(), kw::to_string(l).c_str()); }
//   };
//   kw::client client{executor, {.observer = std::make_shared<to_syslog>()}};
// <kafkawire/metrics.hpp> is one that counts, <kafkawire/observe.hpp> one that prints each request.
//
// Rules for all of it:
// - Calls come on the executor of the client, from inside its work: they are to be short, must not call the client, its producers and consumers back,
//   and what they throw is lost. The first may come inside the client's constructor. One observer may serve several clients; where those belong to
//   several threads it takes care of that itself.
// - What a report points to is good during the call only.
// - Nothing is called for each record. Without an observer nothing is made ready for one.
// - No report has a secret in it: neither a password nor a token, nor what of them goes over the wire to show who we are. Frames, for those who want
//   them, are what the application has asked for: those about delegation tokens, SCRAM credentials and altered configurations hold theirs.
//   frame_text() in observe.hpp leaves them out.
#pragma once
#include <kafkawire/error.hpp>

#include <chrono>
#include <span>

namespace kafkawire::inline v0_1 {

enum class log_level : std::uint8_t { debug, info, warning, error };
[[nodiscard]] KAFKAWIRE_API std::string_view to_string(log_level l) noexcept;

/// What a line is about, apart from its text.
struct log_field {
    std::string_view name;   ///< "broker", "topic", "group"
    std::string_view value;
};

/// A line of the log. The same text about the same thing (its first field) comes at most once within log_pause.
struct log_line {
    log_level level = log_level::info;
    std::string_view client;              ///< client_options::name, or its client_id
    std::string_view component;           ///< "client", "connection", "producer", "consumer", "group"
    std::string_view text;                ///< one sentence without a full stop
    std::span<const log_field> fields{};
    std::uint64_t left_out = 0;           ///< how many like it were left out since the last one
};
inline constexpr std::chrono::seconds log_pause{10};
/// "warning connection: the peer closed the connection (broker=b1:9092; 12 more were left out)": one line, without a line end.
[[nodiscard]] KAFKAWIRE_API std::string to_string(const log_line& l);

/// A request that has ended: answered, or not to be answered any more. One that went to several brokers is told of for each.
struct request_seen {
    std::string_view client;
    std::string_view broker;              ///< "host:port"
    std::int16_t api_key = -1;
    std::int16_t api_version = -1;        ///< -1: it was not sent
    std::int32_t correlation_id = -1;
    std::chrono::nanoseconds duration{};  ///< since it was handed to the system; 0: it was not sent, or wants no answer
    std::size_t bytes_out = 0;            ///< frames, their sizes included, before TLS
    std::size_t bytes_in = 0;
    const error* why = nullptr;           ///< null: it was answered, though the answer may say that something is wrong
    /// The frames without their sizes, for observers that want_bytes(); empty for others and for SaslAuthenticate.
    std::span<const std::byte> request{};
    std::span<const std::byte> answer{};
};

/// A connection that has come into another state: idle, backing_off, resolving, connecting, securing, negotiating, authenticating, ready, closed.
struct connection_seen {
    std::string_view client;
    std::string_view broker;
    std::string_view from, to;
    const error* why = nullptr;           ///< of closed
    bool unused = false;                  ///< it was closed because nobody had used it for a while
};

/// A batch that goes into a Produce request for the first time.
struct batch_seen {
    std::string_view client;
    std::string_view topic;
    std::int32_t partition = -1;
    std::size_t records = 0;
    std::size_t bytes = 0;                ///< as they are sent: compressed, if they are
    std::chrono::nanoseconds queued{};    ///< since the first record had come
};

/// Something that is tried again.
struct retry_seen {
    std::string_view client;
    std::string_view component;           ///< "producer": batches; "client": requests that go to another broker
    std::uint64_t count = 1;
    const error* why = nullptr;           ///< may be null
};

/// A group's step for one of its members.
struct rebalance_seen {
    enum class step : std::uint8_t { assigned, revoked, lost };
    std::string_view client;
    std::string_view group;
    step what = step::assigned;
    std::size_t partitions = 0;           ///< that come or go
};
[[nodiscard]] KAFKAWIRE_API std::string_view to_string(rebalance_seen::step s) noexcept;

/// How far a partition's reader is behind, when records of it are handed out.
struct lag_seen {
    std::string_view client;
    std::string_view topic;
    std::int32_t partition = -1;
    std::int64_t lag = -1;                ///< records between the position and the end
};

/// An error that the application is told of.
struct error_seen {
    std::string_view client;
    std::string_view component;           ///< "request", "producer", "consumer", "connection"
    const error& why;
    std::uint64_t count = 1;              ///< as often at once: the records of a batch
};

/// See the top of this file. All of it may be left as it is.
class KAFKAWIRE_API observer {
public:
    virtual ~observer() = default;
    /// Whether request_seen is to have the frames. Asked once, when a client is made: they cost a copy of each request.
    [[nodiscard]] virtual bool wants_bytes() const noexcept { return false; }

    virtual void on_log(const log_line&) {}
    virtual void on_request(const request_seen&) {}
    virtual void on_connection(const connection_seen&) {}
    virtual void on_batch(const batch_seen&) {}
    virtual void on_retry(const retry_seen&) {}
    virtual void on_rebalance(const rebalance_seen&) {}
    virtual void on_lag(const lag_seen&) {}
    virtual void on_error(const error_seen&) {}

protected:
    observer() = default;
};

}  // namespace kafkawire::inline v0_1
