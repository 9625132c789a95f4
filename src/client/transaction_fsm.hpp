// transaction_fsm: a transactional producer's side of its transaction coordinator: identity, partitions, offsets, and how a transaction ends.
// Owns: producer id and epoch, the state of the transaction, the requests to the coordinators and their retries, the operations that wait.
// Never: reads a clock, touches a record, reports a commit that the coordinator has not confirmed, lets a request of one transaction change
// the next one.
// Driver: sends what `send` says, feeds answers back, tells the sender of the records what concerns it, completes operations.
//
// Versions 1 and 2 (KIP-890) follow the cluster's finalized feature transaction.version. One is chosen when a transaction begins, and stays.
//
// Why an old request must be fenced (version 1), as a sequence:
//   1. EndTxn(commit) of transaction A is held up somewhere on its way. Our connection breaks; another one commits A on the second attempt.
//   2. Transaction B begins with the same id and epoch, adds a partition, writes half of its records.
//   3. The first EndTxn arrives. For the coordinator it is a commit of B: half of B is visible, and the other half never will be.
// AddPartitionsToTxn, AddOffsetsToTxn and TxnOffsetCommit can come late in the same way. So if any of them ended without an answer,
// the epoch is raised before B begins (InitProducerId with id and epoch, KIP-360; with brokers that do not know it, InitProducerId anew), and the
// coordinator refuses whatever still comes with the old one. In version 2 each EndTxn raises the epoch, which does the same.
// An EndTxn that nobody waits for any more is still repeated until its result is known; no transaction begins before.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/messages/24_add_partitions_to_txn.hpp>
#include <kafkawire/protocol/messages/25_add_offsets_to_txn.hpp>
#include <kafkawire/protocol/messages/26_end_txn.hpp>
#include <kafkawire/protocol/messages/28_txn_offset_commit.hpp>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "client/retry_pause.hpp"
#include "client/transaction_errors.hpp"

namespace kafkawire::client_detail::txn {

using net::time_point;
namespace messages = protocol::messages;

struct settings {
    std::string transactional_id{};
    std::chrono::milliseconds transaction_timeout{60'000};
    std::chrono::milliseconds retry_backoff{100};       ///< the first pause; doubles, spread by a fifth
    std::chrono::milliseconds retry_backoff_max{500};
    std::chrono::milliseconds concurrent_backoff{20};   ///< the first pause when the transaction before is still being completed; up to retry_backoff
    std::uint64_t seed = 1;                             ///< of the spread
};

struct identity {
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    friend bool operator==(const identity&, const identity&) = default;
};
struct topic_partition {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const topic_partition&, const topic_partition&) = default;
};
struct group_offsets {
    std::string group;
    std::int32_t generation = -1;
    std::string member{};
    std::optional<std::string> instance{};
    std::vector<messages::txn_offset_commit_request::topic> topics{};
};

enum class operation_kind { initialize, begin, send_offsets, commit, abort };
using operation_id = std::uint64_t;                     // the driver's; never used twice
struct requested {                                      // by whom, until when; no deadline: for ever
    operation_id op = 0;
    std::optional<time_point> deadline{};
};

// What happened.
struct initialize_requested { requested by; };          ///< get an identity, which fences older producers and ends their transactions. begin does it too
struct begin_requested { requested by; };
struct partition_touched { topic_partition where; };    ///< the first record of a partition in this transaction waits to be sent
struct offsets_requested { requested by; group_offsets what; };
struct commit_requested { requested by; };              ///< again after a result that was unknown: waits for what became of it
struct abort_requested { requested by; };               ///< op 0: nobody waits for it
struct cancel_requested { operation_id op; };
struct send_failed { error why; };                      ///< a batch of this transaction failed for good
struct records_settled {                                ///< after `settle`: no record is unsent or in flight any more
    bool any_failed = false;                            ///< for good, but for those that drop_unsent named
    bool any_unknown = false;                           ///< sent, and never answered
    error why{};
};
struct coordinator_silent { std::int32_t broker; bool yes = true; };  ///< it says nothing, or speaks again; somebody else may have its office by now
struct feature_level { std::int16_t transaction_version = 0; std::int64_t epoch = -1; };     ///< finalized, as a broker told; an older epoch is ignored
using answer = std::variant<messages::find_coordinator_response, messages::init_producer_id_response, messages::add_partitions_to_txn_response,
                            messages::add_offsets_to_txn_response, messages::end_txn_response, messages::txn_offset_commit_response>;
struct answered { std::uint64_t request; std::int16_t version; answer what; std::string broker{}; };
struct request_failed { std::uint64_t request; error why; bool maybe_processed = false; };  ///< no answer, or one that could not be read
struct tick {};
using event = std::variant<initialize_requested, begin_requested, partition_touched, offsets_requested, commit_requested, abort_requested, cancel_requested,
                           send_failed, records_settled, coordinator_silent, feature_level, answered, request_failed, tick>;

using message = std::variant<messages::find_coordinator_request, messages::init_producer_id_request, messages::add_partitions_to_txn_request,
                             messages::add_offsets_to_txn_request, messages::end_txn_request, messages::txn_offset_commit_request>;

// What the driver is to do.
struct send {                                           ///< and then feed back `answered` or `request_failed`, once
    std::uint64_t request;
    std::optional<std::int32_t> broker;                 ///< the coordinator's id; else any broker
    protocol::version_range versions;                   ///< no other may be used: some mean version 2 of transactions
    message what;                                       ///< in the form of all versions: call fit() before it is encoded
};
struct identity_changed { identity to; };               ///< nothing is in flight; the sender begins its sequences anew
struct partition_ready { topic_partition where; };      ///< its batches may be sent
struct drop_unsent { error why; };                      ///< what was not yet sent is resolved: not persisted
struct settle { bool commit; };                         ///< the sender sends what it has (after drop_unsent: none), waits for all in flight, then says so
struct complete { operation_id op; operation_kind kind; error why; };   ///< see transaction_fsm
using action = std::variant<send, identity_changed, partition_ready, drop_unsent, settle, complete>;
using actions = std::vector<action>;                    // the driver's own, reused for every step

/// FindCoordinator names its key in another field from version 4 on. Others are left alone.
void fit(message& m, std::int16_t version);

// A transaction, from begin to its known end.
struct open_transaction {
    enum class adding { wanted, asked, added };
    int version = 1;
    std::map<topic_partition, adding> partitions{};
    bool started = false;                               ///< the coordinator may know of it: it has to be ended
    bool stray = false;                                 ///< a request ended without an answer, and may still arrive
    bool renew = false;                                 ///< sequences or epoch are not to be trusted any more
    bool end_useless = false;                           ///< the coordinator has forgotten the id: EndTxn would be refused
    bool commit_tried = false;                          ///< and perhaps it was done
};

// The states, each with the data that exists only there.
struct no_identity {};
struct initializing {};                                 ///< InitProducerId, which fences whoever had the transactional id before
struct ready { bool fence = false; };                   ///< no transaction. fence: the epoch must be raised before the next one
struct fencing {};                                      ///< that is being done
struct in_transaction { open_transaction of; };
struct must_abort { open_transaction of; error why; };  ///< commit is refused, and nothing more is sent
struct settling { open_transaction of; bool commit; bool settled = false; };  ///< the end is asked for; records and offsets are still on their way
struct ending {                                         ///< EndTxn is asked until its result is known
    open_transaction of;
    bool commit;
    bool unclear = false;                               ///< an attempt may have done it, though its answer did not say so
};
struct failed { error why; };                           ///< for good: fenced, or not allowed. A new producer is needed
using state = std::variant<no_identity, initializing, ready, fencing, in_transaction, must_abort, settling, ending, failed>;
[[nodiscard]] std::string_view name_of(const state& s) noexcept;

// Which state may follow which, in the order of the variant. Everything else is a bug and throws where tests see it.
inline constexpr std::array<std::array<bool, 9>, 9> legal = {{
    //                   noId   init   ready  fence  inTxn  mustA  settl  ending failed
    /* no_identity */    {{false, true, false, false, false, false, false, false, true}},
    /* initializing */   {{true, false, true, false, false, false, false, false, true}},
    /* ready */          {{false, false, false, true, true, false, false, false, true}},
    /* fencing */        {{false, false, true, false, false, false, false, false, true}},
    /* in_transaction */ {{false, false, false, false, false, true, true, false, true}},
    /* must_abort */     {{false, false, false, false, false, false, true, false, true}},
    /* settling */       {{false, false, true, false, false, false, true, true, true}},  // to itself: an abort instead of a commit
    /* ending */         {{false, false, true, false, false, false, false, true, true}},  // the same
    /* failed */         {{false, false, false, false, false, false, false, false, false}},
}};

/// The codes that operations complete with:
/// - begin, initialize: none; what the coordinator said (nothing has changed, it may be tried again); errc::request_timed_out; errc::canceled.
/// - commit: none, if and only if the coordinator confirmed it. errc::transaction_aborted (condition abortable): certainly not committed, and being
///   aborted already. errc::delivery_unknown (maybe_persisted): sent, result not known; it is being found out, and the next begin waits for it.
/// - send_offsets: none; errc::transaction_aborted; errc::canceled or errc::request_timed_out if it was not sent at all.
/// - abort: none; errc::request_timed_out, errc::canceled (it goes on all the same); errc::no_transaction: it was committed, or there is none.
/// - all: broker_errc::producer_fenced (fenced, fatal) and errc::producer_failed (fatal): a new producer is needed. Causes tell the rest.
class transaction_fsm {
public:
    explicit transaction_fsm(settings s);

    /// Takes one event at time `now`; appends to `out` what the driver is to do, in order. Never throws on anything that a peer sent.
    void step(event e, time_point now, actions& out);
    /// When to send the next `tick`, if nothing else happens before.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;

    [[nodiscard]] const state& where() const noexcept { return state_; }
    [[nodiscard]] identity who() const noexcept { return identity_; }
    /// Of the open transaction: 1 or 2; 0 if there is none.
    [[nodiscard]] int version() const noexcept;
    /// Why records cannot be sent now; empty: they can (and are part of the transaction once partition_touched is told).
    [[nodiscard]] error why_not_send() const;
    /// Something is on its way or waits for its time: not yet all that was asked is known.
    [[nodiscard]] bool busy() const noexcept;
    /// Of the transactions and of the group, as far as they are known, and whether they were told to be silent.
    struct coordinator { std::int32_t broker; bool silent; };
    [[nodiscard]] std::array<std::optional<coordinator>, 2> coordinators() const noexcept;

private:
    struct waiting { requested by; operation_kind kind; };
    struct offsets_job { requested by; group_offsets what; bool added = false, sent = false; };
    // One request of a kind at a time, repeated until it has an answer that counts.
    struct lane {
        std::optional<api> doing{};
        std::uint64_t request = 0;                      // in flight; 0: none
        time_point not_before{};
        int attempts = 0, concurrent = 0;
        error last{};                                   // why the last attempt did not do
    };
    struct lookup {
        std::optional<std::int32_t> broker{};
        std::string key{};
        bool wanted = false;
        bool doubted = false;                           // the broker says nothing: who is it now?
        lane asking{};
    };
    struct verdict { meaning what = meaning::done; error why{}; };
    enum class last_end { none, committed, aborted, unknown };

    void on(initialize_requested& e, time_point now, actions& out);
    void on(begin_requested& e, time_point now, actions& out);
    void on(partition_touched& e, time_point now, actions& out);
    void on(offsets_requested& e, time_point now, actions& out);
    void on(commit_requested& e, time_point now, actions& out);
    void on(abort_requested& e, time_point now, actions& out);
    void on(cancel_requested& e, time_point now, actions& out);
    void on(send_failed& e, time_point now, actions& out);
    void on(records_settled& e, time_point now, actions& out);
    void on(coordinator_silent& e, time_point now, actions& out);
    void on(feature_level& e, time_point now, actions& out);
    void on(answered& e, time_point now, actions& out);
    void on(request_failed& e, time_point now, actions& out);
    void on(tick& e, time_point now, actions& out);

    void take(const messages::find_coordinator_response& r, lookup& l, const answered& e, time_point now, actions& out);
    void take(const messages::init_producer_id_response& r, const answered& e, time_point now, actions& out);
    void take(const messages::add_partitions_to_txn_response& r, const answered& e, time_point now, actions& out);
    void take(const messages::add_offsets_to_txn_response& r, const answered& e, time_point now, actions& out);
    void take(const messages::end_txn_response& r, const answered& e, time_point now, actions& out);
    void take(const messages::txn_offset_commit_response& r, const answered& e, time_point now, actions& out);
    void react(lane& l, api what, const verdict& v, time_point now, actions& out);
    void react_to_lookup(lookup& l, const verdict& v, time_point now, actions& out);
    void end_refused(const verdict& v, time_point now, actions& out);
    void identity_refused(const verdict& v, actions& out);
    void retry(lane& l, const verdict& v, time_point now);
    [[nodiscard]] error told(api what, std::int16_t code, const answered& e, int attempt) const;

    void advance(time_point now, actions& out);
    void start_work();
    void drop_idle_work();
    void begin_ending(actions& out);
    void ended(last_end how, bool fence, actions& out);
    void pump(lane& l, time_point now, actions& out);
    void pump(lookup& l, time_point now, actions& out);
    [[nodiscard]] message make(api what);
    [[nodiscard]] protocol::version_range versions_for(api what) const noexcept;
    [[nodiscard]] lookup& coordinator_for(api what) noexcept;
    [[nodiscard]] bool waits_for(const lookup& l) noexcept;
    void leave_behind(lookup& l, std::int32_t successor, time_point now, actions& out);

    void abortable(const error& why, actions& out);
    void fail(const error& why, bool fenced, actions& out);
    void stop_work(const error& why, actions& out);
    void give_up(waiting w, const error& why, actions& out);
    void give_up_commit(operation_id op, const error& why, actions& out);
    void give_up_offsets(std::size_t at, const error& why, actions& out);
    void expire(time_point now, actions& out);
    void finish(operation_kind kind, const error& why, actions& out);
    void become(identity to, actions& out);
    [[nodiscard]] open_transaction* open() noexcept;
    [[nodiscard]] error last_failure() const;
    void transition(state to, std::string_view why);

    settings settings_;
    state state_;
    identity identity_;
    bool knows_bump_ = true;                            // InitProducerId takes id and epoch (version 3)
    feature_level features_;
    lane main_;                                         // InitProducerId, AddPartitionsToTxn, EndTxn
    lane offsets_;                                      // AddOffsetsToTxn, TxnOffsetCommit: a group's trouble does not hold up records
    lookup transaction_, group_;                        // the two coordinators
    std::deque<offsets_job> jobs_;                      // the first is being done
    std::set<std::string> groups_;                      // added to this transaction (version 1)
    std::vector<waiting> waiting_;                      // initialize, begin, commit, abort: at most one of a kind
    last_end last_end_ = last_end::none;                // of the last transaction
    std::optional<error> last_commit_;                  // what became of a commit that had failed to tell
    std::string asked_group_;                           // of the AddOffsetsToTxn in flight
    bool asked_to_settle_ = false;
    std::uint64_t next_request_ = 1;
    retry_pause pause_;
};

}  // namespace kafkawire::client_detail::txn
