// A benchmark's thread that sends through the front that all of them share. It has no event loop: it waits where there is no room.
#include "cli/bench_run.hpp"
#include "cli/pace.hpp"

namespace kafkawire::cli {

namespace {

using clock = std::chrono::steady_clock;

// How many records go between two looks at the clock and at whether to stop.
constexpr std::uint64_t records_a_turn = 256;

class front_worker final : public bench_worker {
public:
    using bench_worker::bench_worker;

    void work() override {
        run_.front().warm_up({plan().topic});
        if (plan().warmup.count() > 0) {
            const auto begin = clock::now();
            send(~std::uint64_t{0}, begin + plan().warmup, begin);
            settle();
        }
        run_.begin_together(*this);
        send(share_, clock::time_point::max(), run_.began());
        run_.sent_all();
        settle();
        run_.end_together(*this);
    }

private:
    const bench_plan& plan() const { return run_.plan(); }

    // A flush of each thread covers what that thread has sent.
    void settle() {
        const auto left = run_.front().flush(plan().sending.delivery_timeout + std::chrono::seconds{10});
        if (left > 0) throw failure{status::failed, "not_settled", std::to_string(left) + " records were not settled in time"};
    }

    void send(std::uint64_t n, clock::time_point until, clock::time_point begin) {
        const pace when{begin, plan().rate.value_or(1), index_, plan().threads};
        for (std::uint64_t sent = 0; sent < n && !run_.stopping();) {
            const auto now = clock::now();
            if (now >= until) break;
            const auto due = std::min(n, plan().rate ? when.due_by(now) : sent + records_a_turn);
            const auto before = sent;
            std::uint64_t bytes = 0;
            for (; sent < due; ++sent) bytes += send_one();
            bench_counters::add(counters.sent, sent - before);
            bench_counters::add(counters.value_bytes, bytes);
            if (plan().rate && sent < n) std::this_thread::sleep_until(when.due(sent));
        }
    }

    std::size_t send_one() {
        record r;
        r.topic = plan().topic;
        if (turn_.has_key()) r.key = turn_.key();
        r.value = turn_.value();
        if (const auto ec = run_.front().send(r)) count(0, 1, ec);
        turn_.next();
        return r.value.size();
    }
};

}  // namespace

std::unique_ptr<bench_worker> make_front_worker(bench_run& run, std::size_t index) { return std::make_unique<front_worker>(run, index); }

}  // namespace kafkawire::cli
