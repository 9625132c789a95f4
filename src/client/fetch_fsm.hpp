// fetch_fsm: where each partition is read, what is asked of whom next, what an answer means, what is handed out.
// Owns: partitions and their positions, the sessions, what is fetched and not yet handed out, the fetching share's accounts.
// Never: touches a socket or a clock; hands out a record twice, or one before the position; moves a position without being told to, without the
// policy that the application chose, or without saying so; sends a Fetch before its bytes are charged.
// Driver: consumer_core.cpp carries out the actions and feeds back what happened. After each call that may change something it calls run().
//
// A partition:  resetting -> fetching <-> validating,  each -> failed -> back to what it was, when the application has been told
// A broker has one Fetch of ours at a time. The next one goes when all that it brought is handed out, before the application reads that: so
// one answer is on its way while the one before is read, and no partition that has nothing waits beside one that has.
#pragma once
#include <kafkawire/consumer_options.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/02_list_offsets.hpp>
#include <kafkawire/protocol/messages/23_offset_for_leader_epoch.hpp>

#include <map>
#include <variant>

#include "client/fetch_session.hpp"
#include "client/record_chunk.hpp"
#include "client/retry_pause.hpp"
#include "client/topic_table.hpp"
#include "net/call.hpp"

namespace kafkawire::client_detail {

using net::time_point;

struct fetch_settings {
    open_settings open;
    std::int32_t min_bytes = 1;
    std::int32_t max_bytes = 50 << 20;
    std::int32_t partition_bytes = 1 << 20;
    std::int32_t most_partition_bytes = 90 << 20;                ///< as far as a batch that does not fit may drive that: what one answer can bring
    std::size_t poll_bytes = 8u << 20;                           ///< so much content is opened for one poll, batches being whole
    std::chrono::milliseconds max_wait{500};
    std::string rack;
    start_position policy = start_position::end();               ///< kind::policy: none
    std::chrono::milliseconds retry_backoff{100}, retry_backoff_max{1'000};
    std::chrono::milliseconds replica_age{300'000};              ///< for so long a preferred replica is believed in (KIP-392)
    std::chrono::milliseconds unknown_topic_patience{10'000};    ///< after that a topic that the cluster does not have is told as an error
    std::chrono::milliseconds overdue{60'000};                   ///< a Fetch ends before, whatever becomes of it
};

// The states of a partition.
struct resetting {                                               // its position is not known: the leader is asked, or will be
    start_position to;
    bool asked = false;
};
struct validating {                                              // it has a new leader, which is asked whether its log still has what was read (KIP-320)
    bool asked = false;
    bool out_of_range = false;                                   // a Fetch said so: if nothing was truncated, the policy decides
};
struct fetching {};                                              // its position is good
struct reading_failed {                                          // the next poll tells why; then it goes on
    std::shared_ptr<const error> why;
    bool told = false;
    std::int64_t behind = -1;                                    // where skip() goes on; -1: nothing can be skipped
    std::optional<start_position> again{};                       // what it then tries to find; none: it fetches
    std::chrono::milliseconds pause{1'000};                      // between telling and trying again
    std::optional<time_point> retry_at{};
    bool check = false;                                          // without `again`: asks before it fetches whether the log still has what was read
};
using reading_state = std::variant<resetting, validating, fetching, reading_failed>;

/// Which state may follow which, in the order of the variant. A seek leads from anywhere to fetching or resetting.
inline constexpr bool legal_reading[4][4] = {
    //                 resetting validating fetching failed
    /* resetting  */ {true, false, true, true},
    /* validating */ {true, true, true, true},
    /* fetching   */ {true, true, true, true},
    /* failed     */ {true, true, true, true},
};
[[nodiscard]] std::string_view name_of(const reading_state& s) noexcept;

struct fetch_plan;

struct reading_partition {
    std::uint64_t number = 0;                                    // also the epoch of its assignment
    topic_info* info = nullptr;
    std::shared_ptr<const std::string> topic;
    std::int32_t index = 0;
    reading_state state;
    bool paused = false;
    bool held = false;                                           // its group gives it or takes it: nothing is asked and nothing handed out
    bool undecided = false;                                      // and nobody has said yet where to begin

    std::int64_t position = -1;                                  // the next record to be handed out; -1: not known yet
    std::int32_t position_epoch = -1;                            // leader epoch of the last record before it; -1: unknown
    std::int32_t checked_epoch = -1;                             // of the leader that the position was last checked with
    protocol::uuid topic_id;
    protocol::uuid only;                                         // its group gives the topic of this id, whatever has the name; zero: by name
    bool another_topic = false;                                  // than the one of which records were handed out; not told yet
    bool renumber = false;                                       // so it gets another number, as if it were assigned anew
    std::int64_t high_watermark = -1, last_stable = -1, log_start = -1;
    std::int64_t lost_position = -1;                             // the log does not have it any more: the policy looks for another; -1: nothing such

    std::optional<fetched_slice> unread;                         // what an answer brought, not looked at yet
    chunk_range rest;                                            // of what was opened: not handed out yet
    std::int64_t rest_next = -1;                                 // position behind it
    std::int32_t rest_epoch = -1;
    protocol::records_error bad;                                 // what is behind it
    std::shared_ptr<walk_state> walked;

    const fetch_plan* asked_by = nullptr;                        // the Fetch that has it
    std::int64_t asked_offset = -1;
    std::uint32_t moves = 0;                                     // goes up when what is under way means nothing any more
    std::uint32_t asked_moves = 0;
    std::int32_t max_bytes = 0;                                  // grows for a batch that does not fit
    std::int32_t replica = -1;                                   // preferred to the leader
    std::optional<time_point> replica_until;
    int failures = 0;
    std::optional<time_point> not_before;
    std::optional<time_point> unknown_since;
    std::uint32_t seen_changes = 0;
    bool ask_topics = false;                                     // what is known of it seems wrong

    [[nodiscard]] bool has_data() const noexcept { return unread || rest.count > 0 || bad; }
    /// Its name means another topic than the one that it was given of.
    [[nodiscard]] bool strange() const noexcept { return !only.is_zero() && topic_id != only; }
    [[nodiscard]] bool waits() const noexcept { return held || strange(); }
};

/// One Fetch.
struct fetch_plan {
    std::int32_t broker = -1;
    protocol::messages::fetch_request message;
    bool incremental = false;                                    // only for brokers that know sessions
    bool by_name = false;                                        // an id is not known: versions that need ids will not do
    std::size_t charged = 0;
    time_point sent{};
    std::vector<std::uint64_t> numbers;                          // of its partitions
    net::call* carrier = nullptr;                                // the driver's, while it has not ended
};
using fetch_plan_ptr = std::shared_ptr<fetch_plan>;

/// A question about offsets to one broker: ListOffsets, or OffsetForLeaderEpoch.
struct offset_plan {
    struct part {
        std::uint64_t number;
        std::uint32_t moves;
        topic_info* info;
        std::int32_t index;
        std::int32_t leader_epoch;                               // as we know it
        start_position start;                                    // ListOffsets
        std::int32_t epoch;                                      // OffsetForLeaderEpoch: of the last record that was read
    };
    std::int32_t broker = -1;
    bool epochs = false;
    std::vector<part> parts;
};
using offset_plan_ptr = std::shared_ptr<offset_plan>;

/// What a broker says of one part of an offset_plan.
struct offset_answer {
    std::int16_t code = 0;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
};

// What the driver is to do.
struct send_fetch { fetch_plan_ptr plan; };
struct withdraw_fetch { fetch_plan_ptr plan; };
struct ask_offsets { offset_plan_ptr plan; };
struct ask_for_topics {};
struct await_room {};                                            // call run() when bytes of the share come back
/// What was read of it means nothing any more: the topic is another one (`from` 0), or its log was cut off there.
struct tell_cut {
    std::shared_ptr<const std::string> topic;
    std::int32_t index;
    std::int64_t from;
};
struct tell_reset {                                              // the policy has moved a position
    std::uint64_t number;
    std::int64_t from, to;
};
using fetch_action = std::variant<send_fetch, withdraw_fetch, ask_offsets, ask_for_topics, await_room, tell_cut, tell_reset>;
using fetch_actions = std::vector<fetch_action>;

class fetch_fsm {
public:
    fetch_fsm(fetch_settings settings, std::shared_ptr<fetch_share> share, std::uint64_t seed);

    // --- partitions; the calls give false if it is not assigned ---
    /// Anew, or again from `from`. Its number.
    std::uint64_t assign(topic_info& info, std::int32_t index, start_position from, std::int32_t leader_epoch = -1);
    bool unassign(std::string_view topic, std::int32_t index);
    /// Assigned by id (KIP-848): as long as the name means another topic, that is somebody else's or nobody's, and it waits.
    bool only_of(std::string_view topic, std::int32_t index, const protocol::uuid& id);
    /// Nothing is asked of it and no record of it handed out, until it is released. `undecided`: and the next seek(), if one comes, says where to begin.
    bool hold(std::string_view topic, std::int32_t index, bool undecided);
    bool release(std::string_view topic, std::int32_t index);
    /// It cannot be read; told at the next poll. One that is held stays so.
    bool give_up(std::string_view topic, std::int32_t index, error why);
    bool seek(std::string_view topic, std::int32_t index, start_position to, std::int32_t leader_epoch = -1);
    bool pause(std::string_view topic, std::int32_t index, bool yes);
    /// Behind the batch that cannot be read. False too if there is none.
    bool skip(std::string_view topic, std::int32_t index);
    /// Of which topic an answer speaks; null: none of ours.
    [[nodiscard]] topic_info* topic_of(const protocol::messages::fetch_response::fetchable_topic_response& t) const noexcept;
    [[nodiscard]] const reading_partition* find(std::string_view topic, std::int32_t index) const noexcept;
    template <class F>
    void each(F f) const {
        for (const auto& [number, p] : partitions_) f(p);
    }
    [[nodiscard]] std::size_t size() const noexcept { return partitions_.size(); }

    // --- what happened ---
    void answered(fetch_plan& plan, const protocol::messages::fetch_response& m, std::shared_ptr<const std::byte[]> frame, std::size_t frame_size, time_point now);
    void lost(fetch_plan& plan, const error& why, time_point now);
    /// One for each part, or nothing where the broker said nothing of it.
    void offsets(offset_plan& plan, const std::vector<std::optional<offset_answer>>& answers, time_point now);
    void offsets_lost(offset_plan& plan, const error& why, time_point now);

    /// Decides what is to be done now.
    void run(time_point now, fetch_actions& out);
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept { return wakeup_; }
    /// Nothing is under way that would bring it on, nothing is waited for, nothing lies ready, and yet it is to be read: after a run() that is never so,
    /// but of one that is held (whoever holds it knows for what). For who watches over that.
    [[nodiscard]] bool stands_still(const reading_partition& p, time_point now) const;

    // --- reading ---
    struct taken {
        std::vector<partition_records> parts;
        std::shared_ptr<const error> why;                        // instead of records
    };
    /// There may be something to take().
    [[nodiscard]] bool ready() const noexcept;
    /// At most `most` records (0: all that is there), or an error. Nothing: not yet.
    [[nodiscard]] taken take(std::size_t most, time_point now);

    /// The sessions at their brokers end: a last request for each, to be sent or not.
    [[nodiscard]] std::vector<fetch_plan_ptr> last_words();
    [[nodiscard]] const fetch_settings& settings() const noexcept { return settings_; }

private:
    struct broker {
        fetch_session session;
        fetch_plan_ptr in_flight;
        bool offsets_asked = false, epochs_asked = false;
        std::optional<time_point> not_before;
        int failures = 0;
        std::size_t alone = 0;                                   // so many partitions are still to be fetched one by one: an answer was too large
        std::size_t turn = 0;
        // Of this run:
        std::vector<reading_partition*> wanted;
        offset_plan_ptr offsets, epochs;
        bool unread = false;
    };
    using place = std::pair<const topic_info*, std::int32_t>;
    using answer_part = protocol::messages::fetch_response::partition_data;

    [[nodiscard]] reading_partition* look_up(std::string_view topic, std::int32_t index) noexcept;
    void transition(reading_partition& p, reading_state to);
    void move_to(reading_partition& p, start_position to, std::int32_t leader_epoch);
    void drop_data(reading_partition& p);
    void fail(reading_partition& p, error why, std::int64_t behind = -1, std::optional<start_position> again = {}, std::chrono::milliseconds pause = std::chrono::seconds{1});
    void back_off(reading_partition& p, time_point now);
    void reset_by_policy(reading_partition& p, std::string why);
    void follow_topic(reading_partition& p);
    void answered_part(reading_partition& p, const answer_part& a, const fetch_plan& plan, const std::shared_ptr<const fetched_frame>& frame, time_point now);
    void refused(reading_partition& p, std::int16_t code, std::int16_t api_key, time_point now);
    void offset_answered(reading_partition& p, const offset_plan& plan, const offset_plan::part& part, const offset_answer& a, time_point now);
    [[nodiscard]] std::size_t open(reading_partition& p, std::size_t most_bytes, time_point now);
    void tell_bad(reading_partition& p);
    void look_at_walk(reading_partition& p);

    void look_at(reading_partition& p, time_point now);
    void renumber();
    [[nodiscard]] bool leader_known(reading_partition& p, time_point now);
    [[nodiscard]] std::int32_t source_of(reading_partition& p, time_point now);
    void send_questions(fetch_actions& out);
    void send_fetches(time_point now, fetch_actions& out);
    [[nodiscard]] bool make_room(std::size_t wanted, std::size_t least);
    void wake_at(std::optional<time_point> t) noexcept {
        if (t) wakeup_ = wakeup_ ? std::min(*wakeup_, *t) : *t;
    }

    fetch_settings settings_;
    std::shared_ptr<fetch_share> share_;
    retry_pause pause_;
    protocol::decompressor decompressor_;
    std::map<std::uint64_t, reading_partition> partitions_;      // by number: in the order of assignment
    std::map<place, std::uint64_t> places_;
    std::vector<topic_info*> topics_;                            // of the partitions
    std::map<std::int32_t, broker> brokers_;
    std::uint64_t last_number_ = 0;
    std::uint64_t last_taken_ = 0;                               // whose turn it was: the next one begins behind it
    std::optional<time_point> wakeup_;
    std::vector<tell_reset> resets_;                             // for the next run()
    std::vector<tell_cut> cuts_;
    bool need_topics_ = false;
    bool need_room_ = false;
};

}  // namespace kafkawire::client_detail
