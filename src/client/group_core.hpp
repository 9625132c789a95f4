// group_core: the driver of a consumer's group: between the machines of src/group, the coordinator and the reading machine. Part of a
// consumer_core that has a group, and lives as long. Decides nothing.
//
// How they are brought together:
//   partitions are revoked  -> no record of them is handed out -> what is finished is committed -> the application's handler -> not read any more
//   partitions are assigned -> held                            -> the application's handler     -> what is committed is asked -> read
//   partitions are lost     -> not read any more               -> commits of them are dropped   -> the application's handler
#pragma once
#include <deque>

#include "client/consumer_core.hpp"
#include "client/missing_topics.hpp"
#include "client/topic_pattern.hpp"
#include "group/coordinator_fsm.hpp"
#include "group/membership.hpp"
#include "group/offset_commit_fsm.hpp"
#include "group/offset_fetch_fsm.hpp"

namespace kafkawire::client_detail {

class group_core;

/// A commit of the application on its way. Told once.
class commit_call final : public begun, public std::enable_shared_from_this<commit_call> {
public:
    using positions = std::map<group::topic_partition, group::commits::position>;
    /// `gone`: why some of what was asked for is not in `what`; told when the others are committed.
    commit_call(std::weak_ptr<consumer_core> of, std::unique_ptr<waiting_operation> who, positions what, error gone)
        : of_{std::move(of)}, who_{std::move(who)}, what_{std::move(what)}, gone_{std::move(gone)} {}
    void go() override;
    void cancel() override;
    void finish(error why);

private:
    friend class group_core;
    std::weak_ptr<consumer_core> of_;
    std::unique_ptr<waiting_operation> who_;                // null: told
    positions what_;
    error gone_;
    group::commits::call_id id_ = 0;
};

/// A question for what is committed. Told once.
class committed_call final : public begun, public std::enable_shared_from_this<committed_call> {
public:
    committed_call(std::weak_ptr<consumer_core> of, std::unique_ptr<committed_operation> who, std::vector<topic_partition> what)
        : of_{std::move(of)}, who_{std::move(who)}, what_{std::move(what)} {}
    void go() override;
    void cancel() override;

private:
    void finish(error why, std::vector<committed_offset> found = {});
    std::weak_ptr<consumer_core> of_;
    std::unique_ptr<committed_operation> who_;              // null: told
    std::vector<topic_partition> what_;
    std::uint64_t id_ = 0;
};

class group_core {
public:
    /// Throws kw::system_error for a strategy that nobody knows.
    explicit group_core(consumer_core& of);
    ~group_core();

    // --- the application; see consumer.hpp ---
    void subscribe(std::vector<std::string> topics, std::vector<std::string> exclude);
    void unsubscribe();
    /// Throws kw::system_error after subscribe().
    void assign_by_hand(const std::vector<partition_start>& what);
    void on_rebalance(int which, rebalance_handler what) { handlers_[which] = std::move(what); }
    void commit(const std::shared_ptr<commit_call>& what);
    void cancel(const commit_call& what);
    /// A number to cancel it by. `tell` is called once, later.
    std::uint64_t committed(group::partition_set of, unique_function<void(error, std::vector<committed_offset>)> tell);
    void cancel_committed(std::uint64_t id) { happened(group::fetches::event{group::fetches::cancel_requested{id}}); }
    [[nodiscard]] group_membership view() const;
    [[nodiscard]] group_metadata metadata() const;
    std::error_code mark(const std::vector<place_behind>& what);
    /// Where every partition stands, as a commit of everything would have it.
    [[nodiscard]] const commit_call::positions& standing() const noexcept { return consumer_.options().auto_mark ? handed_out_ : done_; }
    /// The partition has gone since, and perhaps come back; or its topic was made anew. `assignment` 0: not known, which is taken for this one, but for
    /// a new topic of which nobody was told yet.
    [[nodiscard]] bool of_former_assignment(std::string_view topic, std::int32_t partition, std::uint64_t assignment) const;
    /// Commits what is finished, if that is automatic, leaves, and calls `over`: by `deadline`, whatever has become of it.
    void leave(std::optional<bool> tell, net::time_point deadline, unique_function<void()> over);

    // --- the consumer ---
    void polled(bool waiting);
    void gave(const std::vector<partition_records>& parts);
    /// Before records are handed out: what time has brought happens first. A process that was stopped may be out of its group for long, and its
    /// timers may be served behind the answers that have come meanwhile.
    void catch_up();
    /// What was handed out of it before is no measure any more.
    void sought(std::string_view topic, std::int32_t partition);
    /// What lay there and behind is gone, and no measure for what comes there instead; 0: all of it.
    void cut(const std::string& topic, std::int32_t partition, std::int64_t from);
    /// Of the topic that is read under that name; zero: not known.
    [[nodiscard]] protocol::uuid id_of(std::string_view topic, std::int32_t partition) const;
    void topics_changed();
    void stop(const error& why);
    /// Nothing is done any more; stop() tells who waits.
    void halt() noexcept { stopped_ = true; }
    void step_over(std::uint64_t callback);
    /// Why the membership has ended, for good; empty: it has not.
    [[nodiscard]] const error& failure() const noexcept { return failure_; }
    /// What the next poll is to tell, though the membership goes on; nothing: nothing.
    [[nodiscard]] std::optional<error> next_trouble();
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }
    /// Partitions are given or taken, or it is asked where to begin: those that are held wait for that.
    [[nodiscard]] bool busy() const noexcept { return !steps_.empty() || !questions_.empty(); }

    // --- its calls ---
    void looked_up(std::uint64_t request, error why, std::int16_t version, group::messages::find_coordinator_response what);
    void happened(group::event e);
    void happened(group::coordinator::event e);
    void happened(group::commits::event e);
    void happened(group::fetches::event e);

    static constexpr int assigned = 0, revoked = 1, lost = 2;  // handlers

private:
    // The step that the application, or the commit before it, is at.
    struct rebalancing {
        int which = assigned;
        std::uint64_t callback = 0;
        std::vector<group::topic_partition> partitions;
        std::optional<net::time_point> deadline{};
        std::uint64_t epoch = 0;
        error why{};
        bool asked = false;                                 // it is its turn
        group::commits::call_id commit = 0;                 // of what is finished, before the application, or what that has marked; 0: none yet
        bool shown = false;                                 // the application is at it
        bool told = false;                                  // and is done with it
    };
    struct question {
        group::fetches::question_id id;
        std::uint64_t assignment = 0;                       // 0: the application's
        unique_function<void(error, std::vector<committed_offset>)> tell;
    };
    void run();
    void set_timer();
    void tick();
    void show(const rebalancing& s);

    void carry_out(group::send& a);
    void carry_out(group::want_coordinator&) { happened(group::coordinator::event{group::coordinator::wanted{}}); }
    void carry_out(group::doubt_coordinator& a) { happened(group::coordinator::event{group::coordinator::doubted{a.node, std::move(a.why)}}); }
    void carry_out(group::trust_coordinator& a) { happened(group::coordinator::event{group::coordinator::trusted{a.node}}); }
    void carry_out(group::watch_topics& a);
    void carry_out(group::revoke& a) { begin({revoked, a.callback, std::move(a.partitions), a.deadline}); }
    void carry_out(group::assign& a) { begin({assigned, a.callback, std::move(a.added), {}, a.epoch}); }
    void carry_out(group::lose& a) { begin({lost, a.callback, std::move(a.partitions), {}, 0, std::move(a.why)}); }
    void carry_out(group::rebalanced& a);
    void carry_out(group::trouble& a);
    void carry_out(group::membership_failed& a);
    void carry_out(group::left&);

    void carry_out(group::coordinator::ask& a);
    void carry_out(group::coordinator::found& a);
    void carry_out(group::coordinator::lost&);
    void carry_out(group::coordinator::refused& a);

    void carry_out(group::commits::send& a);
    void carry_out(group::commits::want_coordinator&) { happened(group::coordinator::event{group::coordinator::wanted{}}); }
    void carry_out(group::commits::doubt_coordinator& a) { happened(group::coordinator::event{group::coordinator::doubted{a.node, std::move(a.why)}}); }
    void carry_out(group::commits::member_refused& a) { happened(group::event{group::commit_refused{a.code, a.generation}}); }
    void carry_out(group::commits::complete& a);

    void carry_out(group::fetches::send& a);
    void carry_out(group::fetches::want_coordinator&) { happened(group::coordinator::event{group::coordinator::wanted{}}); }
    void carry_out(group::fetches::doubt_coordinator& a) { happened(group::coordinator::event{group::coordinator::doubted{a.node, std::move(a.why)}}); }
    void carry_out(group::fetches::member_refused& a) { happened(group::event{group::commit_refused{a.code, a.epoch}}); }
    void carry_out(group::fetches::complete& a);

    void begin(rebalancing what);
    void lose_what_goes(const error& why);
    void ask_application();
    void tell_application();
    void call_handler(rebalancing of, unique_function<void()> over);
    void end_step();
    void tell_member();
    void follow_epoch();
    void tell_topics();
    [[nodiscard]] std::vector<std::vector<std::string>> racks_of(const topic_info& t) const;
    void name_the_others(error why);
    void fail(error why);
    void tell_missing();
    void look_again();
    void look_for_matches();
    void ask_for_ids(const std::set<protocol::uuid>& ids);
    void read_from(const std::vector<group::topic_partition>& which, std::uint64_t assignment);
    void forget(const std::vector<group::topic_partition>& which);
    void forget_positions(const group::topic_partition& p);
    void commit_later();
    // Before `going` go: what is finished, and of what is still on its way the latest of each, so that whoever waits for this waits for those too.
    commit_call::positions last_commit_of(const std::vector<group::topic_partition>& going);
    bool commit_before(rebalancing& step);                   // false: there is nothing to commit
    void commit_finished();
    void end_leaving();
    [[nodiscard]] core& client() noexcept;
    [[nodiscard]] net::time_point now() noexcept;

    consumer_core& consumer_;
    lane lane_;                                             // of the membership alone
    group::coordinator::coordinator_fsm coordinator_;
    std::unique_ptr<group::membership> membership_;
    group::commits::offset_commit_fsm commits_;
    group::fetches::offset_fetch_fsm fetches_;
    group::coordinator::actions coordinator_actions_;
    group::actions member_actions_;
    group::commits::actions commit_actions_;
    group::fetches::actions fetch_actions_;
    std::unique_ptr<net::timer> timer_;
    bool busy_ = false;                                     // actions are being carried out

    enum class source { nobody, group, hand } source_ = source::nobody;     // who says what is read
    topic_pattern pattern_;
    std::optional<std::string> regex_;                      // of the patterns, where the coordinator matches them
    std::optional<net::time_point> look_again_;             // for partitions that were added, and topics that the pattern matches
    bool looking_ = false;
    std::set<std::string> subscribed_;
    group::watch_topics watched_;
    std::map<std::int32_t, std::string> racks_;             // of brokers; also of those that are down just now
    std::shared_ptr<const group::known_topics> known_;      // as the membership was told last
    std::set<protocol::uuid> asked_ids_;

    rebalance_handler handlers_[3];
    std::deque<rebalancing> steps_;                         // the first one is under way
    group::partition_set owned_;                            // read, or held
    std::int32_t told_epoch_ = -1;                          // as whom offsets are committed and asked for
    group::partition_set going_;                            // of them those that are being revoked
    std::map<group::topic_partition, group::fetches::question_id> asked_for_;  // where the group was, by the question whose answer counts
    group::partition_set refused_;                          // it was told that it may not know; asked again then:
    std::optional<net::time_point> ask_again_;

    commit_call::positions handed_out_;                     // behind the last record of each partition that was handed out
    commit_call::positions done_;                           // as handed_out_, of what is finished: never goes back, but by a seek
    commit_call::positions fresh_, finished_;               // with auto_commit, what is not committed yet: of the latest poll, and what is finished
    std::map<std::uint64_t, commit_call::positions> under_way_;  // of them, what commits that nobody waits for have taken, by their calls
    std::optional<net::time_point> next_commit_;
    group::commits::call_id next_call_ = 1;
    std::vector<std::shared_ptr<commit_call>> calls_;
    std::vector<question> questions_;
    group::fetches::question_id next_question_ = 1;

    error last_commit_error_;                               // of a commit that nobody waited for
    unique_function<void()> when_left_;
    std::optional<net::time_point> leave_by_;
    bool left_ = false;
    error failure_;                                         // of the membership, for good
    std::deque<error> troubles_;                            // for the next polls
    missing_topics missing_;
    bool stopped_ = false;
};

}  // namespace kafkawire::client_detail
