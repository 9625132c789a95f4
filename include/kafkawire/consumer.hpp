// kw::consumer: reads records.
//
//   asio::awaitable<void> read(kw::client& client) {
//       kw::consumer consumer{client, {.group = "billing", .topics = {"orders"}}};   // or without a group: consumer.assign("orders", 0)
//       for (;;) {
//           kw::records batch = co_await consumer.async_poll(asio::use_awaitable);
//           for (const kw::record_view& r : batch) std::cout << r.offset << ' ' << r.value.text() << '\n';
//           co_await consumer.async_commit(batch, asio::use_awaitable);
//       }
//   }
//
// Answers are read straight into the memory that records are views of; the next answer is on its way while one is read. By default only
// records of committed transactions are given, and every checksum is compared.
//
// Rules for all of it:
// - Per assignment of a partition records come in the order of their offsets, each once, none left out but those that compaction, transactions or
//   retention took away.
// - What goes wrong with one partition (a batch that cannot be read, a truncated log, rights that are missing) completes one poll with an error that
//   names it; then the others go on, and it is tried again unless you skip(), seek() or unassign() it.
// - A consumer belongs to the executor of its client: use it, and destroy it, only there; before its client. Records may be dropped anywhere.
// - Each consumer has connections of its own for fetching, and a member of a group for its membership: consumers of one client do not wait for
//   each other. A broker may keep a Fetch back for fetch_max_wait, so a seek, a resume() or an assign() may take that long before it brings something.
// - A member lets its group hear of it whether or not anybody polls; but one that does not poll for max_poll_interval leaves until it does.
// - An operation never completes inside the call that starts it. Its handler runs on its associated executor, else on the client's.
// - Cancellation (any type) ends a read with errc::canceled and leaves its records for the next one.
// - Who was never let in (a wrong password, a certificate that is not trusted) is told of each try by a poll. Every error is explained by kw::detailed(token).
#pragma once
#include <kafkawire/consumer_options.hpp>
#include <kafkawire/detail/consumer_operations.hpp>

namespace kafkawire::inline v0_1 {

/// A partition and where to begin in it.
struct partition_start {
    std::string topic;
    std::int32_t partition = 0;
    start_position from{};
    std::int32_t leader_epoch = -1;                  ///< with an offset: of the record before it, if known; a truncated log is then found
};

/// The ends of a partition's log, as the last answer about it told them; -1: not told yet.
struct watermarks {
    std::int64_t low = -1;                           ///< the first offset that is still there
    std::int64_t high = -1;                          ///< behind the last record that is replicated
    std::int64_t stable = -1;                        ///< behind the last record that read_committed shows; -1 too where the broker is too old
};

/// How reading a partition stands.
struct partition_reading {
    enum class status : std::uint8_t {
        resetting,                                   ///< its position is being looked for
        validating,                                  ///< it has a new leader, which is asked whether its log still has what was read
        fetching,                                    ///< it is read
        failed,                                      ///< the next poll tells an error of it, or has told one and it will be tried again soon
    };
    std::string topic;
    std::int32_t partition = -1;
    status state = status::resetting;
    bool paused = false;
    std::int64_t position = -1;                      ///< of the next record that is handed out; -1: not known yet
    std::int32_t leader_epoch = -1;                  ///< of the last record before it; -1: unknown
    watermarks log;
    std::int64_t lag = -1;                           ///< offsets from the position to the end (at read_committed: to the stable one); -1: not known
    std::uint64_t assignment_epoch = 0;
    std::int32_t preferred_replica = -1;             ///< read from there instead of from the leader (KIP-392); -1: from the leader
    std::shared_ptr<const error> why;                ///< of failed
};

/// A position that nobody has moved but the log: retention, or a truncation, has taken what was to be read next, and auto_offset_reset said where to
/// go on. What lay between was not read.
struct position_reset {
    std::string topic;
    std::int32_t partition = -1;
    std::int64_t from = -1, to = -1;                 ///< a smaller `to`: records are read again
};

/// A partition that is assigned and not paused, while nothing is being asked about it, nothing lies ready and nothing is waited for: a fault of this
/// library, which watches for that. It is looked at again when it is told.
struct reading_standstill {
    std::string topic;
    std::int32_t partition = -1;
    std::int64_t position = -1;
    std::string state;                               ///< in words, for whoever mends it
};

/// What has happened so far.
struct consumer_statistics {
    std::uint64_t records = 0;                       ///< handed out
    std::uint64_t resets = 0;                        ///< see position_reset
    std::uint64_t standstills = 0;                   ///< see reading_standstill; 0 if all is well
};

/// See the top of this file. Movable; the moved-from consumer may only be destroyed or assigned to.
class KAFKAWIRE_API consumer {
public:
    using executor_type = asio::any_io_executor;

    /// Asks for nothing yet. Throws kw::system_error (errc::bad_configuration) for options that cannot be, with the name, the value and what would
    /// be right.
    explicit consumer(client& c, const consumer_options& options = {});
    /// Ends at once: reads that wait complete with errc::client_closed, if the executor still runs. A member does not leave its group by this, which
    /// misses it after session_timeout, and commits nothing: see async_close().
    ~consumer();
    consumer(consumer&&) noexcept = default;
    consumer& operator=(consumer&&) noexcept;

    [[nodiscard]] executor_type get_executor() const noexcept { return client_detail::executor_of(*core_); }
    [[nodiscard]] const consumer_options& options() const noexcept;

    // --- a group's partitions: options().group says which group ---

    /// Reads these topics from now on, as a member of the group: names, and patterns of whole names that begin with '^'. What was subscribed before
    /// is given up if it is not among them. Throws kw::system_error: errc::no_group, errc::mixed_assignment (partitions are assigned by hand),
    /// errc::bad_configuration (a pattern that cannot be).
    void subscribe(std::vector<std::string> topics, std::vector<std::string> exclude = {});
    /// Leaves the group; committed offsets stay.
    void unsubscribe();
    /// Told of partitions that come: before their first record, so that it may seek(). Without a seek() reading begins where the group was, or as
    /// auto_offset_reset says. Each of these replaces the handler before.
    void on_assigned(rebalance_handler what);
    /// Told of partitions that go: none of their records is handed out any more, and they may be committed until the step is over or its deadline
    /// has come.
    void on_revoked(rebalance_handler what);
    /// Told of partitions that are gone already: somebody else may be reading them. Nothing can be committed.
    void on_lost(rebalance_handler what);

    /// Told of every rebalance when it is over, also if nothing has changed for this member: how long each phase took.
    void on_rebalanced(unique_function<void(const rebalance_report&)> what);

    /// Commits where reading stands: behind every record that was handed out (with auto_mark off: behind those that are marked). Completion:
    /// void(std::error_code), by client_options::request_timeout. Codes: errc::no_group, what the coordinator says (illegal_generation: a partition
    /// has gone to another member meanwhile; the others are committed), errc::request_timed_out and errc::canceled (any type of cancellation): it
    /// may be committed all the same.
    template <class Token>
    auto async_commit(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_commit{core_}, token, client_detail::commit_wish{});
    }
    /// Commits what is behind these records. Those of a partition that has gone meanwhile, even if it has come back, are refused (illegal_generation):
    /// somebody else may have read on.
    template <class Token>
    auto async_commit(const records& done, Token&& token) {
        return commit_behind(client_detail::places_behind(done.partitions()), std::forward<Token>(token));
    }
    template <class Token>
    auto async_commit(const partition_records& done, Token&& token) {
        return commit_behind(client_detail::places_behind({&done, 1}), std::forward<Token>(token));
    }
    /// Commits what is behind this record: it and all before it in its partition.
    template <class Token>
    auto async_commit(const record_view& done, Token&& token) {
        return commit_behind(client_detail::place_behind_record(done.topic, done.partition, done.offset, done.leader_epoch), std::forward<Token>(token));
    }
    template <class Token>
    auto async_commit(const consumer_record& done, Token&& token) {
        return commit_behind(client_detail::place_behind_record(done.topic, done.partition, done.offset, done.leader_epoch), std::forward<Token>(token));
    }
    /// Commits these offsets, with what is to be kept beside them.
    template <class Token>
    auto async_commit(std::vector<committed_offset> offsets, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_commit{core_}, token, client_detail::commit_wish{std::move(offsets)});
    }
    /// Says that these records, and all before them in their partitions, are done: auto_commit commits them with the next ones, and when their
    /// partitions go; with auto_mark off also async_commit(). Marks never go back: the order is not important, but what lies before a marked
    /// record is not read again. Does not wait, and never fails later. Codes: errc::not_assigned: of some the partition has gone meanwhile, or was sought
    /// away from (the others are marked); errc::no_group, errc::client_closed; std::errc::operation_not_permitted: marks lead to nothing, since
    /// auto_commit is off and auto_mark is on.
    std::error_code mark(const records& done) { return client_detail::mark_as_done(*core_, client_detail::places_behind(done.partitions())); }
    std::error_code mark(const partition_records& done) { return client_detail::mark_as_done(*core_, client_detail::places_behind({&done, 1})); }
    std::error_code mark(const record_view& done) {
        return client_detail::mark_as_done(*core_, client_detail::place_behind_record(done.topic, done.partition, done.offset, done.leader_epoch));
    }
    std::error_code mark(const consumer_record& done) {
        return client_detail::mark_as_done(*core_, client_detail::place_behind_record(done.topic, done.partition, done.offset, done.leader_epoch));
    }
    /// What the group has committed. Completion: void(std::error_code, std::vector<kw::committed_offset>), one for each partition, in their order.
    template <class Token>
    auto async_committed(std::vector<topic_partition> of, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, std::vector<committed_offset>)>(client_detail::initiate_committed{core_}, token, std::move(of));
    }
    /// How the membership stands; nothing without a group.
    [[nodiscard]] std::optional<group_membership> membership() const;
    /// For kw::transaction::async_send_offsets().
    [[nodiscard]] kafkawire::group_metadata group_metadata() const;

    // --- partitions by hand, and where to read. None of this waits; what it leads to happens in the background, and errors come with a poll. ---

    /// Reads these too from now on; one that is read already begins anew. Their number is not limited. With a group start_position::policy() is
    /// where the group was, if it was anywhere; there is no membership. Throws kw::system_error (errc::mixed_assignment) after subscribe().
    void assign(std::vector<partition_start> what);
    void assign(std::string topic, std::int32_t partition, start_position from = {}) {
        std::vector<partition_start> one(1);
        one[0].topic = std::move(topic);
        one[0].partition = partition;
        one[0].from = from;
        assign(std::move(one));
    }
    /// Reads it no more. Records of it that are not handed out yet never will be. errc::not_assigned.
    std::error_code unassign(std::string_view topic, std::int32_t partition);
    void unassign_all();
    /// Goes on there. What is fetched already and lies ahead is kept. errc::not_assigned.
    std::error_code seek(std::string_view topic, std::int32_t partition, start_position to);
    /// Gives no records of it until resume(). Neither forgets what is fetched (unless all of fetch_buffer is taken by what is paused: then it is
    /// fetched again), nor the position. errc::not_assigned.
    std::error_code pause(std::string_view topic, std::int32_t partition);
    std::error_code resume(std::string_view topic, std::int32_t partition);
    /// Steps over the batch that the last error of this partition named. errc::not_assigned; std::errc::invalid_argument: there is none.
    std::error_code skip(std::string_view topic, std::int32_t partition);

    // --- reading ---

    /// What has come of the partitions that are not paused, as soon as there is anything; at most max_poll_records. Several polls are served in order.
    ///
    /// Completion: void(std::error_code, kw::records). With a code there are no records. Codes, of one partition, which the story names:
    /// errc::bad_crc, bad_record, bad_magic, decompression_failed, unknown_codec, limit_exceeded (a batch that cannot be read; see skip()),
    /// errc::no_offset, log_truncated, topic_recreated, unknown_partition, and what the broker says (topic_authorization_failed and the like).
    /// Of the consumer: errc::canceled, client_closed.
    template <class Token>
    auto async_poll(Token&& token) {
        return async_poll(options().max_poll_records, std::forward<Token>(token));
    }
    /// The same, at most `most` records; 0: all that is there.
    template <class Token>
    auto async_poll(std::size_t most, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, records)>(client_detail::initiate_read<records>{core_}, token, most);
    }
    /// One record, which owns its bytes. Completion: void(std::error_code, kw::consumer_record), as async_poll().
    template <class Token>
    auto async_read(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, consumer_record)>(client_detail::initiate_read<consumer_record>{core_}, token, std::size_t{1});
    }

    // --- what is known; asks nobody ---

    /// Of the next record that is handed out; nothing while it is not known, or not assigned.
    [[nodiscard]] std::optional<std::int64_t> position(std::string_view topic, std::int32_t partition) const;
    /// All that is known of it; nothing if it is not assigned.
    [[nodiscard]] std::optional<partition_reading> reading(std::string_view topic, std::int32_t partition) const;
    /// Of all partitions, in the order in which they were assigned.
    [[nodiscard]] std::vector<partition_reading> readings() const;
    [[nodiscard]] consumer_statistics statistics() const noexcept;
    /// Told of such things when they happen, on the client's executor. Each replaces the handler before.
    void on_reset(unique_function<void(const position_reset&)> what);
    void on_standstill(unique_function<void(const reading_standstill&)> what);
    /// Bytes of fetch_buffer that are in use: asked for, fetched, or in the application's hands.
    [[nodiscard]] std::size_t buffered_bytes() const noexcept;

    /// Ends. A member of a group commits what is finished, if that is automatic (what was handed out counts), has its partitions revoked, and
    /// leaves as leave_on_close says. Reads that wait complete with errc::client_closed; brokers are told to forget us, and are not waited for.
    /// Completion: void(std::error_code), always none, by `patience`; soon without a group.
    template <class Token>
    auto async_close(std::chrono::milliseconds patience, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_close_reading{core_}, token, patience);
    }
    template <class Token>
    auto async_close(Token&& token) {
        return async_close(std::chrono::seconds{10}, std::forward<Token>(token));
    }

private:
    template <class Token>
    auto commit_behind(std::vector<client_detail::place_behind> what, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_commit{core_}, token, client_detail::commit_wish{std::move(what)});
    }

    std::shared_ptr<client_detail::consumer_core> core_;
};

}  // namespace kafkawire::inline v0_1
