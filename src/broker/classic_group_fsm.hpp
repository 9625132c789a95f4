// classic_group_fsm: a group of the classic protocol, as its coordinator sees it: who joins, who leads, which generation, who has what.
// Owns: members, who of them waits for an answer, generation, protocol, leader, state.
// Never: sets a timer, writes a log, answers anybody: it says so in actions. Time is passed in.
// Driver: group_coordinator.cpp.
//
// A rebalance: somebody joins, leaves or is late -> preparing_rebalance: members are told by their heartbeats to join again, and wait; when all have
// (or the slowest member's rebalance timeout is over: the others are thrown out) -> completing_rebalance, the next generation: all are answered,
// the leader with everybody's metadata; the leader's SyncGroup brings the assignments -> stable. The first rebalance of an empty group
// waits, so that members which start together meet in one generation.
#pragma once
#include <array>
#include <map>
#include <set>
#include <span>

#include "broker/clock.hpp"
#include "broker/group_actions.hpp"

namespace kafkawire::broker {

struct classic_protocol {
    std::string name;
    protocol::bytes metadata;
    friend bool operator==(const classic_protocol&, const classic_protocol&) = default;
};

struct classic_member {
    std::string id{};
    std::optional<std::string> instance_id{};  ///< a static member (KIP-345): keeps its place over a restart
    std::string client_id{}, client_host{};
    milliseconds rebalance_timeout{}, session_timeout{};
    std::vector<classic_protocol> protocols{};  ///< the best first
    protocol::bytes assignment{};
    bool is_new = false;                        ///< has never been answered: its session runs although it waits
    join_waiter joining{};
    sync_waiter syncing{};

    [[nodiscard]] const protocol::bytes* metadata(std::string_view protocol) const noexcept;
};

/// JoinGroup, as the machine needs it.
struct classic_join {
    std::string member_id{};
    std::optional<std::string> instance_id{};
    std::string client_id{}, client_host{};
    milliseconds rebalance_timeout{}, session_timeout{};
    std::string protocol_type{};
    std::vector<classic_protocol> protocols{};
    std::string fresh_id{};         ///< the member's id if it has none yet
    bool must_know_id = false;      ///< from version 4 on a dynamic member gets its id first, and joins with it (KIP-394)
    bool can_skip_assignment = false;  ///< from version 9 on (KIP-814)
};
struct classic_sync {
    std::string member_id{};
    std::optional<std::string> instance_id{};
    std::int32_t generation = 0;
    std::optional<std::string> protocol_type{}, protocol_name{};
    std::map<std::string, protocol::bytes> assignments{};
};
struct classic_limits {
    std::int64_t max_size = 2147483647;                 ///< group.max.size
    milliseconds initial_rebalance_delay{3000};         ///< group.initial.rebalance.delay.ms
    milliseconds new_member_join_timeout{300'000};      ///< a new member that waits for its first generation is kept so long
};

class classic_group_fsm {
public:
    // Nobody is a member; there may be offsets.
    struct empty {};
    // Members are to join again. From empty, a delay runs first, and again whenever a member came meanwhile.
    struct preparing_rebalance {
        struct first_time {
            milliseconds delay, remaining;
            bool member_added = false;
        };
        std::optional<first_time> first{};
    };
    // All have joined and know their generation; the leader is working out the assignments.
    struct completing_rebalance {
        std::set<std::string> not_synced{};
    };
    // Members have their assignments.
    struct stable {
        std::set<std::string> not_synced{};
    };
    // The coordinator has moved, or the group was deleted.
    struct dead {};
    using state = std::variant<empty, preparing_rebalance, completing_rebalance, stable, dead>;

    // Which state may follow which, in the order of the variant.
    static constexpr std::array<std::array<bool, 5>, 5> legal = {{
        //            empty  preparing completing stable dead
        /* empty */ {{false, true, false, false, true}},
        /* preparing */ {{true, false, true, false, true}},
        /* completing */ {{false, true, false, true, true}},
        /* stable */ {{false, true, false, false, true}},
        /* dead */ {{false, false, false, false, true}},
    }};
    [[nodiscard]] static std::string_view name_of(const state& s) noexcept;  ///< "PreparingRebalance", as Kafka prints it

    /// What is read back from the log.
    struct snapshot {
        std::string protocol_type{};
        std::int32_t generation = 0;
        std::optional<std::string> protocol{}, leader{};
        std::int64_t state_since = -1;
        std::vector<classic_member> members{};
    };

    classic_group_fsm(std::string name, classic_limits limits, const moment& now) : name_{std::move(name)}, limits_{limits}, state_since_{now.wall_ms()} {}
    classic_group_fsm(std::string name, classic_limits limits, snapshot from);

    // Events. Waiters are answered by the actions that these append, now or later.
    void join(classic_join request, join_waiter to, const moment& now, group_actions& out);
    void sync(classic_sync request, sync_waiter to, const moment& now, group_actions& out);
    [[nodiscard]] broker_errc heartbeat(const std::string& member, const std::optional<std::string>& instance, std::int32_t generation, group_actions& out);
    struct leaver {
        std::string member_id;
        std::optional<std::string> instance_id;
    };
    /// One code for each who is to leave.
    [[nodiscard]] std::vector<broker_errc> leave(std::span<const leaver> who, const moment& now, group_actions& out);
    /// A timer of this group (`member` empty) or member has run out.
    void expired(group_timer kind, const std::string& member, const moment& now, group_actions& out);
    /// Restarts everybody's sessions after a load.
    void loaded(const moment& now, group_actions& out);
    /// Refuses all who wait; the group is dead.
    void kill(broker_errc why, const moment& now, group_actions& out);
    void start_rebalance(std::string_view why, const moment& now, group_actions& out) { prepare_rebalance(why, now, out); }

    /// Whether an offset may be committed; restarts the session of a member that may.
    [[nodiscard]] broker_errc check_commit(const std::string& member, const std::optional<std::string>& instance, std::int32_t generation, bool transactional) const;
    void committed(const std::string& member, group_actions& out) const;

    // What it is.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const state& where() const noexcept { return state_; }
    [[nodiscard]] std::string_view state_name() const noexcept { return name_of(state_); }
    template <class State>
    [[nodiscard]] bool is() const noexcept {
        return std::holds_alternative<State>(state_);
    }
    [[nodiscard]] const std::map<std::string, classic_member>& members() const noexcept { return members_; }
    [[nodiscard]] std::int32_t generation() const noexcept { return generation_; }
    [[nodiscard]] const std::optional<std::string>& protocol_type() const noexcept { return protocol_type_; }
    [[nodiscard]] const std::optional<std::string>& protocol() const noexcept { return protocol_; }
    [[nodiscard]] const std::optional<std::string>& leader() const noexcept { return leader_; }
    [[nodiscard]] std::int64_t state_since() const noexcept { return state_since_; }
    [[nodiscard]] bool uses_consumer_protocol() const noexcept { return protocol_type_ == "consumer"; }
    /// Only offsets were ever committed here.
    [[nodiscard]] bool is_simple() const noexcept { return !protocol_type_ && is<empty>() && promised_.empty(); }
    /// The topics that members subscribe to, where the embedded protocol is "consumer" and can be read; else nothing is known.
    [[nodiscard]] std::optional<std::set<std::string>> subscribed_topics() const;
    /// In doubt yes: where members may be subscribed to anything.
    [[nodiscard]] bool is_subscribed_to(const std::string& topic) const;

private:
    void transition(state to, std::string_view why, const moment& now);
    void join_new(classic_join& request, join_waiter to, const moment& now, group_actions& out);
    void join_known(classic_join& request, join_waiter to, const moment& now, group_actions& out);
    void add_member(classic_join& request, std::string id, join_waiter to, const moment& now, group_actions& out);
    void replace_static_member(classic_join& request, std::string old_id, join_waiter to, const moment& now, group_actions& out);
    void update_member(classic_member& member, classic_join& request, join_waiter to);
    void rebalance_or_complete(std::string_view why, const moment& now, group_actions& out);
    void prepare_rebalance(std::string_view why, const moment& now, group_actions& out);
    void complete_join_if_all(const moment& now, group_actions& out);
    void complete_join(const moment& now, group_actions& out);
    void initial_delay_over(const moment& now, group_actions& out);
    void member_late(const std::string& id, const moment& now, group_actions& out);
    void sync_late(const moment& now, group_actions& out);
    void accept_assignments(classic_sync& request, const moment& now, group_actions& out);
    void remove(const std::string& id);
    void remove_and_answer(const std::string& id, group_actions& out);
    void answer_all_syncs(broker_errc error, group_actions& out);
    [[nodiscard]] bool accepts(const std::string& member) const;
    [[nodiscard]] bool supports(const classic_join& request) const;
    [[nodiscard]] bool all_joined() const;
    [[nodiscard]] std::size_t waiting_for_join() const;
    [[nodiscard]] bool elect_joined_leader();
    [[nodiscard]] std::string select_protocol() const;
    [[nodiscard]] milliseconds rebalance_timeout() const;
    [[nodiscard]] broker_errc check_member(const std::string& id, const std::optional<std::string>& instance) const;
    [[nodiscard]] std::vector<joined_member> joined_members() const;
    [[nodiscard]] join_answer present_generation(const std::string& member, bool with_members) const;
    void restart_session(const classic_member& m, group_actions& out) const;
    [[nodiscard]] std::set<std::string>* not_synced();

    std::string name_;
    classic_limits limits_;
    state state_;
    std::int64_t state_since_;
    std::int32_t generation_ = 0;
    std::optional<std::string> protocol_type_, protocol_, leader_;
    std::map<std::string, classic_member> members_;
    std::map<std::string, std::string> static_members_;  // instance id -> member id
    std::set<std::string> promised_;                     // ids given out to members that have not joined with them yet
};

}  // namespace kafkawire::broker
