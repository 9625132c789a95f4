// Reader and writer, as people have them from kafka-go.
//
//   kw::app::writer writer{{.brokers = "localhost:9092", .topic = "orders", .balancer = "least_bytes"}};
//   writer.write_messages({{.key = "Key-A", .value = "Hello Kafka!"}, {.key = "Key-B", .value = "Another"}});
//
//   kw::app::reader reader{{.brokers = "localhost:9092", .topic = "orders", .group_id = "billing"}};
//   for (;;) {
//       auto m = reader.fetch_message();                     // or read_message(), which commits by itself
//       handle(m);
//       reader.commit_messages({&m, 1});
//   }
//
// Each owns one thread, as kw::blocking does, and may be called from any number of threads; only its destruction comes after all calls. All calls
// throw kw::system_error.
#pragma once
#include <kafkawire/app/caller_metadata.hpp>
#include <kafkawire/app/simple.hpp>
#include <kafkawire/config/settings.hpp>

#include <atomic>
#include <initializer_list>

namespace kafkawire::inline v0_1 {
namespace app {

struct writer_options {
    std::string brokers = "localhost:9092";
    std::string topic{};
    std::string balancer = "round_robin";
    std::uint32_t batch_size = 100;
    std::uint32_t batch_bytes = 1'048'576;
    std::chrono::milliseconds batch_timeout{1'000};
    std::uint32_t max_attempts = 10;
    std::chrono::milliseconds write_timeout{10'000};
    kafkawire::acks required_acks = kafkawire::acks::all;
    bool async = false;
    protocol::compression compression = protocol::compression::none;
    client_options dialer{};                         ///< how brokers are spoken to: security, timeouts; not an option of the describe() list
};

constexpr auto describe(options_type<writer_options>) {
    using o = writer_options;
    return std::array{
        option<&o::brokers>("brokers", {.text = "Brokers to ask first, as host:port with commas between."}, check_bootstrap),
        option<&o::topic>("topic", {.text = "Where messages go that name no topic."}),
        option<&o::balancer>("balancer", {.text = "Who chooses partitions: round_robin, least_bytes, hash (fnv1a), crc32, murmur2, or the name of a registered partitioner."}),
        option<&o::batch_size>("batch_size", {.lowest = 1, .highest = 1'000'000, .text = "A call that writes so many messages or more does not wait for batch_timeout."}),
        option<&o::batch_bytes>("batch_bytes", {.lowest = 1024, .size = true, .text = "A batch of so many bytes is full."}),
        option<&o::batch_timeout>("batch_timeout", {.text = "How long a batch that is not full waits for more."}),
        option<&o::max_attempts>("max_attempts", {.lowest = 1, .highest = 1'000, .text = "A message is given up when so many times write_timeout have passed."}),
        option<&o::write_timeout>("write_timeout", {.lowest = 1, .text = "Time for one attempt."}),
        option<&o::async>("async", {.text = "Whether write_messages() returns at once, and reports no error but to the completion function."}),
    };
}

/// Since the writer was made: calls that write, messages and bytes (of keys and values) that were given to them, batches that were sent, messages that were
/// not acknowledged, batches that were tried again.
struct writer_statistics {
    std::uint64_t writes = 0, messages = 0, bytes = 0, batches = 0, errors = 0, retries = 0;
};

/// See the top of this file. What it is given is borrowed until the call returns.
class KAFKAWIRE_API writer {
public:
    /// Throws kw::system_error (errc::bad_configuration) for options that cannot be.
    explicit writer(const writer_options& options);
    /// What a configuration says of a producer, as read by kafkawire::config. With `io` it has no thread of its own: others run that.
    explicit writer(const config::producer_settings& settings, asio::io_context* io = nullptr);
    /// Ends at once: what is not acknowledged may be lost. See close().
    ~writer();
    writer(const writer&) = delete;

    /// Writes all of them in their order, and waits until all are acknowledged (async: until they are accepted). With a topic in the options messages
    /// must name none, else each must (std::errc::invalid_argument, and nothing is written). Throws the first error; others may be written all the same.
    batch_result write_messages(std::span<const record> messages);
    batch_result write_messages(std::initializer_list<record> messages) { return write_messages(std::span{messages.begin(), messages.size()}); }
    /// Writes one, and says where it is. Waits whether async or not.
    position send(const record& message);
    /// From now on metadata of the calling thread goes along as headers. See caller_metadata.hpp.
    void pass_metadata(metadata_clash rule = metadata_clash::record_wins) { metadata_rule_ = rule; }
    /// Of async: told of each message what became of it, in the writer's thread. They may write, and must not close. Before the first write.
    void on_success(std::function<void(const message&, position)> what);
    void on_error(std::function<void(const message&, const kafkawire::error&)> what);
    /// Told of each batch that is settled, in the writer's thread. Before the first write.
    void on_completion(unique_function<void(const delivery_report&)> what);
    [[nodiscard]] writer_statistics stats() const;
    /// Waits until everything that was accepted is settled, so long. How many messages are left.
    std::size_t flush(std::chrono::milliseconds patience);
    /// The same, then ends.
    std::size_t close(std::chrono::milliseconds patience = std::chrono::seconds{10});

private:
    struct state;
    struct prepared;
    prepared prepare(std::span<const record> messages);
    void write_later(const record& m);
    void make(const producer_options& options);

    writer_options options_;
    std::uint32_t max_message_bytes_ = 0;            // 0: no limit of ours
    std::optional<metadata_clash> metadata_rule_;    // none: metadata stays here
    std::shared_ptr<client_detail::hosted_client> host_;
    std::shared_ptr<state> state_;                   // what the loop has of it
    std::atomic<std::uint64_t> writes_{0}, messages_{0}, bytes_{0};
};

struct reader_options {
    std::string brokers = "localhost:9092";
    std::string topic{};
    std::optional<std::int32_t> partition{};
    std::string group_id{};
    std::uint32_t min_bytes = 10'000;
    std::uint32_t max_bytes = 10'000'000;
    std::chrono::milliseconds max_wait{10'000};
    std::int64_t start_offset = -2;
    std::chrono::milliseconds commit_interval{0};
    std::chrono::milliseconds heartbeat_interval{3'000};
    std::chrono::milliseconds session_timeout{30'000};
    std::chrono::milliseconds rebalance_timeout{30'000};
    kafkawire::isolation isolation = kafkawire::isolation::read_uncommitted;
    client_options dialer{};                         ///< how brokers are spoken to: security, timeouts; not an option of the describe() list
};

inline constexpr std::array<option_choice, 2> start_offset_choices{{{"first", -2}, {"last", -1}}};

constexpr auto describe(options_type<reader_options>) {
    using o = reader_options;
    return std::array{
        option<&o::brokers>("brokers", {.text = "Brokers to ask first, as host:port with commas between."}, check_bootstrap),
        option<&o::topic>("topic", {.text = "What is read."}),
        option<&o::partition>("partition", {.text = "The one partition that is read, without a group. Not set: 0."}),
        option<&o::group_id>("group_id", {.text = "The group that commits, and whose members share the partitions. Not together with partition."}),
        option<&o::min_bytes>("min_bytes", {.size = true, .text = "A broker waits until it has so much, or max_wait has passed."}),
        option<&o::max_bytes>("max_bytes", {.lowest = 1024, .size = true, .text = "The most that one answer may bring."}),
        option<&o::max_wait>("max_wait", {.text = "How long a broker waits for min_bytes."}),
        option<&o::start_offset>("start_offset", {.lowest = -2, .highest = std::numeric_limits<std::int64_t>::max(), .text = "Where reading begins without a committed offset: first or last; without a group an offset too.", .choices = start_offset_choices}),
        option<&o::commit_interval>("commit_interval", {.text = "What is committed goes so often, in the background. 0: each commit is a request that is waited for."}),
        option<&o::heartbeat_interval>("heartbeat_interval", {.lowest = 1, .text = "How often a member lets its coordinator hear."}),
        option<&o::session_timeout>("session_timeout", {.lowest = 1, .text = "A member that is not heard of for so long is taken for dead."}),
        option<&o::rebalance_timeout>("rebalance_timeout", {.lowest = 1, .text = "How long the group waits for this member when partitions are given anew."}),
        option<&o::isolation>("isolation", {.text = "Of transactions: read_committed gives what is committed, read_uncommitted everything.", .choices = isolation_choices}),
    };
}

/// Since the reader was made: messages and bytes (of keys and values) that it gave, calls that threw, calls in whose time nothing came, rebalances.
struct reader_statistics {
    std::uint64_t messages = 0, bytes = 0, errors = 0, timeouts = 0, rebalances = 0;
    std::int64_t offset = -1;                        ///< of the next message, without a group
    std::int64_t lag = -1;                           ///< over all partitions that are read; -1: not known
};

/// See the top of this file. Brokers collect min_bytes for up to max_wait before they answer: with .min_bytes = 1 a message is given as soon as it is there.
class KAFKAWIRE_API reader {
public:
    using patience = std::optional<std::chrono::milliseconds>;

    /// Throws kw::system_error (errc::bad_configuration) for options that cannot be: partition and group_id together, an offset to start at in a group.
    explicit reader(const reader_options& options);
    /// What a configuration says of a consumer, as read by kafkawire::config. With `io` it has no thread of its own: others run that.
    explicit reader(const config::consumer_settings& settings, asio::io_context* io = nullptr);
    /// Ends at once, without leaving its group. See close().
    ~reader();
    reader(const reader&) = delete;

    /// The next message; in a group it is committed before it is given (with commit_interval: with the next ones). Waits for ever, or throws
    /// errc::request_timed_out when `within` has passed.
    consumer_record read_message(patience within = {});
    /// The next message, which is not committed.
    consumer_record fetch_message(patience within = {});
    /// Commits these, and all before them in their partitions. Throws errc::no_group without one.
    void commit_messages(std::span<const consumer_record> done);
    void commit_messages(const consumer_record& done) { commit_messages({&done, 1}); }
    /// Without a group: goes on there; -2: at the first that there is, -1: behind the last.
    void set_offset(std::int64_t offset);
    /// Of the next message that is given, without a group; -1: not known.
    [[nodiscard]] std::int64_t offset();
    /// How many messages are behind it, over all partitions that are read; -1: not known.
    [[nodiscard]] std::int64_t lag();
    /// `lag` as it was measured last, which is done every lag_interval of a configuration; always without one.
    [[nodiscard]] reader_statistics stats();
    /// As members of a group see it; nothing without one.
    [[nodiscard]] std::optional<group_membership> membership();
    /// Commits what is due (commit_interval), and leaves the group: by `within`. Later calls throw errc::client_closed.
    void close(std::chrono::milliseconds within = std::chrono::seconds{10});

private:
    void begin();

    reader_options options_;
    std::uint32_t max_message_bytes_ = 0;            // 0: no limit
    std::chrono::milliseconds lag_interval_{0};
    std::mutex lag_lock_;
    std::int64_t measured_lag_ = -1;
    std::optional<std::chrono::steady_clock::time_point> lag_measured_at_;
    blocking::consumer consumer_;
    std::atomic<std::uint64_t> messages_{0}, bytes_{0}, errors_{0}, timeouts_{0};
};

}  // namespace app
}  // namespace kafkawire::inline v0_1
