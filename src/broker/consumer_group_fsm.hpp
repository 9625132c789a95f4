// consumer_group_fsm: a group of the consumer protocol (KIP-848), as its coordinator sees it: members subscribe, the broker assigns, and every
// member is brought to its target by heartbeats, at its own pace.
// Owns: members, the target assignment, what each member has at present, epochs, resolved regular expressions, state.
// Never: sets a timer, writes a log, answers anybody, looks at topics but through the directory that it is given. Time is passed in.
// Driver: group_shard_consumer.cpp.
//
// Three epochs: the group's goes up when subscriptions, members or topics change; the target assignment is worked out for it (at most once per
// assignment interval); a member is at the target's epoch once it has given up what it must (revocation before assignment: a partition is
// handed on only when nobody has it any more).
#pragma once
#include <array>
#include <memory>

#include "broker/classic_group_fsm.hpp"
#include "broker/consumer_group_assignors.hpp"

namespace kafkawire::broker {

/// Partitions by topic, each with the epoch at which the member got it.
using owned_partitions = std::map<protocol::uuid, std::map<std::int32_t, std::int32_t>>;

/// The topics of the cluster, for the machine to look at.
class topic_directory {
public:
    struct entry {
        protocol::uuid id;
        std::int32_t partitions = 0;
    };
    [[nodiscard]] virtual std::optional<entry> find(const std::string& name) const = 0;
    [[nodiscard]] virtual std::vector<std::string> names() const = 0;
    /// Changes when topics come and go.
    [[nodiscard]] virtual std::uint64_t version() const = 0;

protected:
    ~topic_directory() = default;
};

/// Of a member that speaks the classic protocol, while a group is moved from one to the other.
struct classic_part {
    std::int32_t session_timeout_ms = 0;
    std::vector<classic_protocol> protocols{};  ///< at least one
    friend bool operator==(const classic_part&, const classic_part&) = default;
};

struct consumer_member {
    // Has what it is to have; still has what it must give up; waits for what others must give up. As numbers in the log.
    enum class status : std::int8_t { stable = 0, unrevoked_partitions = 1, unreleased_partitions = 2 };

    std::string id{};
    std::optional<std::string> instance_id{}, rack_id{};
    std::string client_id{}, client_host{};
    std::set<std::string> topics{};
    std::optional<std::string> regex{std::in_place};
    std::int32_t rebalance_timeout_ms = -1;
    std::optional<std::string> assignor{};
    std::optional<classic_part> classic{};
    // How far it is.
    std::int32_t epoch = 0, previous_epoch = 0;
    status is = status::stable;
    owned_partitions assigned{}, revoking{};

    [[nodiscard]] bool has_regex() const noexcept { return regex && !regex->empty(); }
    [[nodiscard]] bool same_subscription(const consumer_member& o) const noexcept;
    [[nodiscard]] bool same_progress(const consumer_member& o) const noexcept;
};

/// ConsumerGroupHeartbeat, checked, as the machine needs it. What is not said has not changed.
struct consumer_heartbeat {
    std::string member_id{};
    std::int32_t epoch = 0;
    std::optional<std::string> instance_id{}, rack_id{};
    std::int32_t rebalance_timeout_ms = -1;
    std::optional<std::vector<std::string>> topics{};
    std::optional<std::string> regex{};
    std::optional<std::string> assignor{};
    std::optional<partition_sets> owned{};
    std::string client_id{}, client_host{};
};
struct heartbeat_answer {
    group_error error{};
    std::string member_id{};
    std::int32_t epoch = 0;
    std::optional<owned_partitions> assignment{};
};
struct consumer_limits {
    std::int64_t max_size = 2147483647;           ///< group.consumer.max.size
    milliseconds session_timeout{45'000};         ///< group.consumer.session.timeout.ms
    milliseconds assignment_interval{1000};       ///< group.consumer.assignment.interval.ms
    milliseconds regex_refresh{600'000};          ///< group.consumer.regex.refresh.interval.ms
    std::string default_assignor = "uniform";     ///< the first of group.consumer.assignors
};

class consumer_group_fsm {
public:
    // No members; a newer target is to be worked out; members are on their way to it; all are there; deleted.
    enum class status : std::uint8_t { empty, assigning, reconciling, stable, dead };
    // Which may follow which.
    static constexpr std::array<std::array<bool, 5>, 5> legal = {{
        //              empty assigning reconciling stable dead
        /* empty */ {{true, true, true, true, true}},
        /* assigning */ {{true, true, true, true, false}},
        /* reconciling */ {{true, true, true, true, false}},
        /* stable */ {{true, true, true, true, false}},
        /* dead */ {{false, false, false, false, false}},
    }};
    struct resolved_regex {
        std::set<std::string> topics{};
        std::uint64_t version = 0;  ///< of the directory
        std::int64_t timestamp = 0;
    };

    consumer_group_fsm(std::string name, consumer_limits limits) : name_{std::move(name)}, limits_{std::move(limits)} {}

    // Events.

    [[nodiscard]] heartbeat_answer heartbeat(const consumer_heartbeat& h, const topic_directory& topics, const moment& now, group_actions& out);
    /// Epoch -1: for good; -2: a static member that will be back.
    [[nodiscard]] heartbeat_answer leave(const std::string& member, const std::optional<std::string>& instance, std::int32_t epoch, const topic_directory& topics,
                                         group_actions& out);
    /// A member's timer has run out.
    void expired(group_timer kind, const std::string& member, const topic_directory& topics, group_actions& out);
    /// Regular expressions that are new or old are resolved anew: after each heartbeat, once its answer is made.
    void resolve_regexes(const topic_directory& topics, const moment& now, group_actions& out);
    void loaded(group_actions& out);

    // Members of the classic protocol in this group.

    [[nodiscard]] join_answer join_classic(const classic_join& j, const topic_directory& topics, const moment& now, group_actions& out);
    [[nodiscard]] sync_answer sync_classic(const classic_sync& s, const topic_directory& topics, group_actions& out);
    [[nodiscard]] broker_errc heartbeat_classic(const std::string& member, const std::optional<std::string>& instance, std::int32_t generation, group_actions& out);
    [[nodiscard]] std::vector<broker_errc> leave_classic(std::span<const classic_group_fsm::leaver> who, const topic_directory& topics, group_actions& out);
    /// There are members, and all speak the classic protocol: the group may become a classic one.
    [[nodiscard]] bool only_classic() const;
    /// The same group of the other kind. From a classic one: null, and what is wrong, if its members' metadata cannot be used.
    [[nodiscard]] static std::unique_ptr<consumer_group_fsm> from_classic(const classic_group_fsm& g, consumer_limits limits, const topic_directory& topics, std::string& wrong,
                                                                          group_actions& out);
    [[nodiscard]] classic_group_fsm::snapshot to_classic(const topic_directory& topics, const moment& now) const;

    /// Whether offsets of a partition may be committed by that member.
    [[nodiscard]] group_error check_commit(const std::string& member, std::int32_t epoch, bool transactional, std::int16_t version) const;
    [[nodiscard]] group_error check_commit_of(const std::string& member, std::int32_t epoch, const std::string& topic, const protocol::uuid& id, std::int32_t partition) const;
    [[nodiscard]] group_error check_fetch(const std::optional<std::string>& member, std::int32_t epoch) const;

    // What it is.

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] status is() const noexcept { return is_; }
    [[nodiscard]] std::string_view state_name() const noexcept;  ///< "Reconciling", as Kafka prints it
    [[nodiscard]] std::int32_t epoch() const noexcept { return epoch_; }
    [[nodiscard]] std::int64_t metadata_hash() const noexcept { return hash_; }
    [[nodiscard]] std::int32_t assignment_epoch() const noexcept { return assignment_epoch_; }
    [[nodiscard]] std::int64_t assignment_time() const noexcept { return assignment_time_; }
    [[nodiscard]] const std::map<std::string, consumer_member>& members() const noexcept { return members_; }
    [[nodiscard]] const std::map<std::string, partition_sets>& targets() const noexcept { return targets_; }
    [[nodiscard]] const std::map<std::string, resolved_regex>& regexes() const noexcept { return resolved_; }
    [[nodiscard]] std::string assignor() const;
    [[nodiscard]] bool is_subscribed_to(const std::string& topic) const;

    // What is read back from the log, in any order.

    void restore_epoch(std::int32_t epoch, std::int64_t hash);
    void restore_target_epoch(std::int32_t epoch, std::int64_t time);
    void restore_member(consumer_member subscription);           ///< its progress stays as it is
    void restore_progress(const std::string& member, const consumer_member& progress);
    void restore_target(const std::string& member, partition_sets target);
    void restore_regex(const std::string& regex, resolved_regex resolved);
    void forget(const store_part& what);                         ///< a tombstone
    void settle();                                               ///< the state, from all of it

private:
    void transition(status to, std::string_view why);
    void take_part(const consumer_member& before, consumer_member& after, const std::string& replaces, const std::optional<partition_sets>& owned,
                   const topic_directory& topics, const moment& now, group_actions& out);
    [[nodiscard]] bool supports_classic(const classic_join& j) const;
    [[nodiscard]] broker_errc find_classic(const classic_join& j, const std::string& id, consumer_member& member, std::string& replaces) const;
    [[nodiscard]] const consumer_member* classic_member_of(const std::string& id, const std::optional<std::string>& instance, std::int32_t generation,
                                                           broker_errc& wrong) const;
    [[nodiscard]] heartbeat_answer join_or_find(const consumer_heartbeat& h, consumer_member& member, std::string& replaces) const;
    [[nodiscard]] group_error check_epoch(const consumer_member& m, const consumer_heartbeat& h) const;
    void install(consumer_member m);
    void uninstall(const std::string& id);
    void count(const consumer_member& m, int by);
    void own(const consumer_member& m, bool add);
    void replace_static(const std::string& old_id, const consumer_member& with, group_actions& out);
    [[nodiscard]] bool update_regex(const consumer_member& before, const consumer_member& after, bool& resolved, group_actions& out);
    void fence(const std::set<std::string>& who, const topic_directory& topics, group_actions& out);
    void bump(std::int64_t hash, group_actions& out);
    void maybe_assign(const topic_directory& topics, const moment& now, group_actions& out);
    void reconcile(consumer_member& m, bool subscription_changed, const std::optional<partition_sets>& owned, const topic_directory& topics) const;
    void next_assignment(consumer_member& m, const std::optional<partition_sets>& owned, const std::set<protocol::uuid>& subscribed) const;
    void drop_unsubscribed(consumer_member& m, const std::optional<partition_sets>& owned, const std::set<protocol::uuid>& subscribed) const;
    [[nodiscard]] std::set<protocol::uuid> subscribed_ids(const consumer_member& m, const topic_directory& topics) const;
    [[nodiscard]] std::set<std::string> subscribed_names() const;
    [[nodiscard]] std::int64_t hash_of_topics(const topic_directory& topics) const;
    [[nodiscard]] bool is_owned(const protocol::uuid& topic, std::int32_t partition) const;
    void set_session(const consumer_member& m, group_actions& out) const;
    static void cancel_timers(const std::string& id, group_actions& out);

    std::string name_;
    consumer_limits limits_;
    status is_ = status::empty;
    std::int32_t epoch_ = 1, assignment_epoch_ = 0;
    std::int64_t hash_ = 0, assignment_time_ = 0;
    std::map<std::string, consumer_member> members_;
    std::map<std::string, std::string> static_members_;  // instance id -> member id
    std::map<std::string, partition_sets> targets_;
    std::map<std::string, resolved_regex> resolved_;
    // Counted from the members.
    std::map<std::string, int> names_, regexes_, assignors_;
    std::map<std::pair<protocol::uuid, std::int32_t>, int> owners_;  // who has a partition, or still has to give it up
};

/// A ConsumerProtocolAssignment, in the version of a member's subscription.
[[nodiscard]] protocol::bytes embedded_assignment(const std::vector<std::pair<std::string, std::vector<std::int32_t>>>& partitions, protocol::bytes_view subscription);

}  // namespace kafkawire::broker
