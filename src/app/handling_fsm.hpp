// handling_fsm: which message may be handed to a function now, when it is tried again, what becomes of it after the last try, and up to where a
// partition is confirmed.
// Owns: the messages that wait (their places, not their bytes), the lanes that keep their order, the calls that run.
// Invariants: a place is confirmed only when every message before it in its partition is done; a message is done when a function took it, when it
// is where it was sent to after its last try, or when it was given up as the options say; of one lane one thing happens at a time; at most
// `parallel` calls run; nothing of a partition that was released is confirmed.
// Never: knows records, topics, brokers, executors; reads a clock; calls anybody.
// Driver: service_core.cpp keeps the bytes, calls the functions, sends, marks, pauses.
//
// A partition gets a new number each time it is assigned: what comes late of a former life finds nobody. A message is named by its partition and
// its place in the order in which the partition's messages arrived (`seq`, from 0).
#pragma once
#include <kafkawire/app/handler_options.hpp>
#include <kafkawire/environment.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <variant>

namespace kafkawire::inline v0_1 {
namespace app {

using net::time_point;

struct message_place {
    std::uint32_t partition = 0;
    std::uint64_t seq = 0;
    friend auto operator<=>(const message_place&, const message_place&) = default;
};

// What happened.
namespace handling_event {
struct message {
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    std::optional<std::uint64_t> key{};           // its hash; none: no key
    bool from_retry_topic = false;
};
struct arrived { std::uint32_t partition; std::vector<message> messages; };    // in the order of their offsets
struct finished { std::uint64_t call; bool well; };
struct parked { message_place message; bool well; };                           // it is where it was sent to; or is not
struct revoked { std::vector<std::uint32_t> partitions; std::optional<time_point> deadline; };
struct lost { std::vector<std::uint32_t> partitions; };
struct stop_requested { std::chrono::milliseconds patience; };
struct tick {};
}  // namespace handling_event
using handling_happening = std::variant<handling_event::arrived, handling_event::finished, handling_event::parked, handling_event::revoked, handling_event::lost,
                                        handling_event::stop_requested, handling_event::tick>;

// What the driver is to do, in order.
namespace handling_action {
struct call { std::uint64_t call; std::uint32_t partition; std::vector<std::uint64_t> messages; int attempt; };
struct park { message_place message; bool dead; int tries; };                  // to the dead-letter topic, or to the retry topic
struct give_up { message_place message; int tries; };                          // confirmed without having been handled
struct confirm { std::uint32_t partition; std::int64_t offset; std::int32_t leader_epoch; };  // it and all before it
struct drop { message_place message; };                                        // its bytes are needed no more, but by a call that runs
struct pause { std::uint32_t partition; };
struct resume { std::uint32_t partition; };
struct release { std::uint32_t partition; };                                   // nothing of it will be confirmed any more
struct slow { std::uint64_t call; };                                           // runs longer than max_processing_time; told once a call
struct failing { std::uint64_t call; };                                        // this was its last try: the server stops because of it
struct stopped { std::size_t running; };                                       // nothing follows; so many calls were not waited for
}  // namespace handling_action
using handling_deed = std::variant<handling_action::call, handling_action::park, handling_action::give_up, handling_action::confirm, handling_action::drop, handling_action::pause,
                                   handling_action::resume, handling_action::release, handling_action::slow, handling_action::failing, handling_action::stopped>;

struct handling_numbers {
    std::uint64_t arrived = 0, handled = 0;        // messages
    std::uint64_t failures = 0, retries = 0;       // calls
    std::uint64_t given_up = 0, to_retry_topic = 0, to_dead_letters = 0;  // messages
    std::uint64_t unfinished = 0;                  // messages that were in hand and not confirmed when their partition went
};

class handling_fsm {
public:
    using actions = std::vector<handling_deed>;

    /// `batched`: calls take up to options.batch messages, else one.
    handling_fsm(const handler_options& options, bool batched);

    /// Takes one event; appends to `out` what is to be done.
    void step(handling_happening what, time_point now, actions& out);
    [[nodiscard]] std::optional<time_point> next_wakeup() const;

    /// Whether messages that arrive are still taken.
    [[nodiscard]] bool takes() const noexcept { return state_ == state::serving; }
    [[nodiscard]] bool is_stopped() const noexcept { return state_ == state::stopped; }
    [[nodiscard]] std::size_t under_way() const noexcept { return calls_.size(); }
    [[nodiscard]] const handling_numbers& numbers() const noexcept { return numbers_; }

private:
    enum class state : std::uint8_t {
        serving,   // messages come and are handed out
        stopping,  // nothing new is begun; what runs is waited for
        stopped,   // for good
    };
    // The states of a lane, each with what exists only there. The work in hand is the first `taken` messages of its queue.
    struct idle {};                                // nothing in hand; perhaps gathering a batch
    struct ready { int attempt; };                 // in the queue for a free handler
    struct running { std::uint64_t call; int attempt; };
    struct waiting { int attempt; };               // for the time of the next try, which is that one
    struct parking { std::set<std::uint64_t> under_way, again; bool dead; int tries; };  // being sent away; `again`: that failed, and is sent once more later
    using lane_state = std::variant<idle, ready, running, waiting, parking>;
    static constexpr std::array<std::array<bool, 5>, 5> legal = {{
        //              idle   ready  running waiting parking
        /* idle */ {{false, true, false, false, false}},
        /* ready */ {{false, false, true, false, false}},
        /* running */ {{true, false, false, true, true}},
        /* waiting */ {{false, true, false, false, false}},
        /* parking */ {{true, false, false, false, false}},
    }};
    struct lane {
        lane_state now = idle{};
        std::size_t taken = 0;
        std::deque<std::uint64_t> queue;           // seqs
        std::optional<time_point> wake{};          // its entry in wakes_
        std::optional<time_point> oldest{};        // when the first of a batch that is gathered arrived
    };
    struct entry {
        std::int64_t offset;
        std::int32_t leader_epoch;
        bool done, from_retry_topic;
    };
    struct partition {
        std::deque<entry> entries;                 // not confirmed yet
        std::uint64_t base = 0;                    // seq of the first entry
        std::map<std::uint64_t, lane> lanes;
        bool paused = false, closing = false;
        std::optional<time_point> deadline{};
        std::uint64_t keyless = 0;                 // lanes given to messages without a key
    };
    using partitions = std::map<std::uint32_t, partition>;

    void on(handling_event::arrived& e, time_point now, actions& out);
    void on(handling_event::finished& e, time_point now, actions& out);
    void on(handling_event::parked& e, time_point now, actions& out);
    void on(handling_event::revoked& e, time_point now, actions& out);
    void on(handling_event::lost& e, time_point now, actions& out);
    void on(handling_event::stop_requested& e, time_point now, actions& out);
    void on(handling_event::tick& e, time_point now, actions& out);

    [[nodiscard]] std::uint64_t lane_of(partition& p, const handling_event::message& m) const;
    void transition(lane& l, lane_state to);
    void wake_at(std::uint32_t number, std::uint64_t which, lane& l, std::optional<time_point> at);
    void gather(std::uint32_t number, partition& p, std::uint64_t which, lane& l, time_point now);
    void begin_ready(time_point now, actions& out);
    void failed(std::uint32_t number, partition& p, std::uint64_t which, lane& l, std::uint64_t call, int attempt, time_point now, actions& out);
    void after_last_try(std::uint32_t number, partition& p, std::uint64_t which, lane& l, std::uint64_t call, int attempt, time_point now, actions& out);
    void settle_front(std::uint32_t number, partition& p, lane& l, actions& out);
    void settle(std::uint32_t number, partition& p, std::uint64_t seq, actions& out);
    void confirm(std::uint32_t number, partition& p, actions& out);
    void after_work(std::uint32_t number, partition& p, std::uint64_t which, time_point now, actions& out);
    void woken(std::uint32_t number, std::uint64_t which, time_point now, actions& out);
    void close(std::uint32_t number, partition& p, actions& out);
    void release(partitions::iterator at, actions& out);
    void begin_stop(time_point deadline, time_point now, actions& out);
    void look_if_stopped(bool anyway, actions& out);
    [[nodiscard]] bool last_try(int attempt) const noexcept { return options_.max_retry != 0 && (options_.max_retry < 0 || attempt > options_.max_retry); }

    handler_options options_;
    std::size_t most_;                             // messages a call
    state state_ = state::serving;
    partitions partitions_;
    std::set<std::tuple<time_point, std::uint32_t, std::uint64_t>> wakes_;
    std::deque<std::pair<std::uint32_t, std::uint64_t>> ready_;
    std::unordered_map<std::uint64_t, std::pair<std::uint32_t, std::uint64_t>> calls_;  // and the lane of each, which may be gone
    std::uint64_t next_call_ = 1;
    std::optional<time_point> stop_by_;
    handling_numbers numbers_;
};

}  // namespace app
}  // namespace kafkawire::inline v0_1
