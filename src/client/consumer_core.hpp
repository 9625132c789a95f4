// consumer_core: the driver of kw::consumer. Carries out what fetch_fsm decides, through the client's core; keeps the reads that wait for records.
// Handlers run from a callback of the environment, never inside a call of the application's.
#pragma once
#include <kafkawire/consumer.hpp>

#include <deque>
#include <set>

#include "client/core.hpp"
#include "client/fetch_fsm.hpp"

namespace kafkawire::client_detail {

class group_core;

class consumer_core final : public std::enable_shared_from_this<consumer_core>, private metadata_watcher {
public:
    consumer_core(std::shared_ptr<core> client, const consumer_options& options);
    ~consumer_core();

    // See consumer.hpp.
    void assign(std::vector<partition_start> what);
    std::error_code unassign(std::string_view topic, std::int32_t partition);
    void unassign_all();
    std::error_code seek(std::string_view topic, std::int32_t partition, start_position to);
    std::error_code pause(std::string_view topic, std::int32_t partition, bool yes);
    std::error_code skip(std::string_view topic, std::int32_t partition);
    void read(std::shared_ptr<read_operation> what);
    void cancel(const std::shared_ptr<read_operation>& what);
    /// Leaves its group first, if it has one; `over` is called by `patience`, later.
    void close(std::chrono::milliseconds patience, unique_function<void()> over);
    void stop(const error& why);
    /// Joins the group, if the options name topics. Once, when it is shared.
    void start();
    [[nodiscard]] const consumer_statistics& statistics() const noexcept { return statistics_; }

    // Handlers of the application's, told from the loop.
    unique_function<void(const position_reset&)> reset_handler;
    unique_function<void(const reading_standstill&)> standstill_handler;
    unique_function<void(const rebalance_report&)> rebalanced_handler;
    template <class What>
    void tell(unique_function<void(const What&)> consumer_core::*handler, What what);

    // --- for its group ---
    [[nodiscard]] group_core* group() noexcept { return group_.get(); }    // null: none
    void assign_at(const partition_start& what);
    void assign_held(const std::string& topic, std::int32_t partition, const protocol::uuid& only = {});
    void hold(const std::string& topic, std::int32_t partition) { (void)machine_.hold(topic, partition, false); }
    [[nodiscard]] bool undecided(const std::string& topic, std::int32_t partition) const;
    /// Where the group was; -1: nowhere yet.
    void decide(const std::string& topic, std::int32_t partition, std::int64_t offset, std::int32_t leader_epoch);
    void release(const std::string& topic, std::int32_t partition);
    void fail(const std::string& topic, std::int32_t partition, const error& why);
    /// It has something to tell at a poll.
    void group_spoke() { soon(); }

    /// Runs it. Memory that runs out meanwhile ends the consumer, for its machines may have got no further than half way: whoever waits is told so.
    template <class F>
    void contained(F f) {
        try {
            f();
        } catch (const std::bad_alloc&) {
            out_of_memory();
        }
    }
    /// A step of the application's is over, and there was no memory to say so: looked at from time to time. Any thread.
    std::atomic<std::uint64_t> unheard_step{0};

    [[nodiscard]] core& client() noexcept { return *client_; }
    [[nodiscard]] const consumer_options& options() const noexcept { return options_; }
    [[nodiscard]] const fetch_fsm& machine() const noexcept { return machine_; }
    [[nodiscard]] std::size_t buffered() const noexcept { return share_->used(); }

    // --- of calls and questions ---
    void fetched(fetch_plan& plan, net::outcome result);
    void told_offsets(offset_plan& plan, const error& why, const std::vector<std::optional<offset_answer>>& answers);

private:
    void topics_changed() override;
    void run();
    void end();
    void soon();
    void show_lag(const std::vector<partition_records>& given);
    void show_failure(const error& why);
    void look();
    void take_answer(fetch_plan& plan, net::outcome result);
    void out_of_memory() noexcept;
    void tell_exhausted();
    void carry_out(send_fetch& a);
    // `answer_to`: null, when nobody waits for it.
    void send(const fetch_plan_ptr& plan, const std::shared_ptr<consumer_core>& answer_to);
    void carry_out(withdraw_fetch& a);
    void carry_out(ask_offsets& a);
    void carry_out(ask_for_topics&) { client_->refresh_topics(); }
    void carry_out(await_room&);
    void carry_out(tell_cut& a);
    void carry_out(tell_reset& a);
    void watch();
    [[nodiscard]] std::error_code changed(bool found);

    std::shared_ptr<core> client_;
    consumer_options options_;
    lane fetch_lane_ = lane::fetch;
    std::shared_ptr<fetch_share> share_;
    fetch_fsm machine_;
    fetch_actions actions_, running_;
    std::unique_ptr<net::timer> timer_;
    std::optional<net::time_point> timer_at_;
    std::deque<std::shared_ptr<read_operation>> reads_;
    std::optional<error> distrust_;                         // for the next poll: nobody has ever let us in
    std::size_t used_before_ = 0;                           // of the share, when the machine looked last
    bool soon_posted_ = false;
    bool looking_ = false;
    bool stopped_ = false;
    bool exhausted_ = false;                                // stopped for want of memory; who waits may not have heard it yet
    std::unique_ptr<net::timer> watch_timer_;
    std::set<std::uint64_t> standing_;                      // partitions that stood still at the last look, by number
    consumer_statistics statistics_;
    std::unique_ptr<group_core> group_;                     // last: it uses the others
};

}  // namespace kafkawire::client_detail
