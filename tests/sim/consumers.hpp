// Members of a group in the world of schedules: they come, crash, leave, stand still, are slow, seek and pause, while somebody writes; everything
// that they are told goes to the judge. Each has a host of its own.
#pragma once
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/transaction.hpp>

#include <algorithm>
#include <asio/awaitable.hpp>

#include "broker/witness.hpp"
#include "group_judge.hpp"
#include "liar.hpp"
#include "losses.hpp"
#include "storm.hpp"
#include "workload.hpp"

namespace schedules {

class consumers final : kw::broker::group_witness {
public:
    struct plan {
        int slots = 4;                     // members at a time
        int events = 12;                   // that happen to them
        bool new_protocol = false;         // KIP-848
        int growth = 0;                    // how often partitions are added
        bool by_hand = false;              // no group: each reads all partitions
        int truncations = 0;               // of logs, which lose their ends (row C2)
        int recreations = 0;               // of the topic (C4)
        std::uint32_t lies = 0;            // a node more, which answers Metadata wrongly in so many of a million cases (H6)
        int twins = 0;                     // members that begin while one of their instance id lives (G5)
        bool ships = false;                // each record goes to another topic, in a transaction with the offsets
    };
    consumers(cluster_world& w, workload& work, std::chrono::nanoseconds until, const plan& p);
    ~consumers();

    /// What the brokers of such a group are to be told.
    [[nodiscard]] static std::map<std::string, std::string> configs();

    /// Everything is well again from now on; but records go on to be written for a while.
    void calm();
    /// For that long nobody asks for more than it has: the group must not notice. Nothing if it is not settled yet.
    void rest(std::chrono::nanoseconds how_long);
    /// All is read, and has been for a while.
    [[nodiscard]] bool done() const;
    [[nodiscard]] std::string waits_for() const;
    /// All members close, in good order.
    void close();
    [[nodiscard]] bool closed() const;

    /// What was read is what is there; after workload::audit().
    void audit_read();
    /// Each record that was acknowledged has been shipped, once.
    void audit_shipped();

    group_judge judge;
    std::uint64_t struck = 0;              // events that came to pass
    std::chrono::nanoseconds settled_after{0};  // since the last thing that happened, until all was read in time

private:
    struct slot;
    struct life : std::enable_shared_from_this<life> {
        enum class way : std::uint8_t { automatic, each_batch, each_record, aside, automatic_one_by_one };
        explicit life(slot& s, group_judge::member& m) : at{&s}, known{&m} {}

        slot* at;
        group_judge::member* known;
        std::optional<kw::client> client;
        std::optional<kw::consumer> consumer;
        std::optional<kw::producer> producer;
        way style = way::automatic;
        bool over = false, closing = false, shipping = false;
        bool lost = false;                 // partitions since the latest poll
        std::int64_t polls = 0;
        int errors = 0;
        std::chrono::nanoseconds slow_for{0};

        [[nodiscard]] bool is_automatic() const noexcept { return style == way::automatic || style == way::automatic_one_by_one; }
        void note_id() {
            if (!consumer) return;
            const auto m = consumer->membership();
            if (!m) return;
            if (!m->member_id.empty()) known->ids.insert(m->member_id);
            known->losses = m->losses;
            known->generation = m->generation;
        }
    };
    struct slot {
        int number;
        kw::sim::host* host;
        std::shared_ptr<life> now{};
        int bad_days = 0;
        bool paused = false;
    };
    [[nodiscard]] std::chrono::nanoseconds elapsed() const { return w_.world.elapsed(); }
    template <class F>
    void later(std::chrono::nanoseconds d, F f) {
        w_.world.after(d, std::move(f));
    }
    std::chrono::nanoseconds some(std::chrono::nanoseconds least, std::chrono::nanoseconds most) { return random_.between(least, most); }
    void begins(const kw::broker::group_shard& which) override { shards_.push_back(&which); }
    void ends(const kw::broker::group_shard& which) override { std::erase(shards_, &which); }
    void taken(const kw::broker::committer& who, const std::vector<kw::broker::offset_commit>& what, const kw::broker::group& in) override;
    [[nodiscard]] kw::consumer_options options_of(const slot& s);
    void start(slot& s);
    void end(life& l);
    void restart(slot& s, std::chrono::nanoseconds after);
    void told(life& l, int which, kw::rebalance_step step);
    asio::awaitable<void> take_time(std::shared_ptr<life> l, int which, kw::rebalance_step step);
    asio::awaitable<void> run(std::shared_ptr<life> l);
    asio::awaitable<bool> goes_on(std::shared_ptr<life> l, const kw::error& why);
    asio::awaitable<void> run_shipping(std::shared_ptr<life> l);
    void start_over(const std::shared_ptr<life>& l);
    enum class shipment : std::uint8_t { done, again, over };
    asio::awaitable<shipment> ship(std::shared_ptr<life> l, const kw::records& batch, kw::group_metadata as);
    asio::awaitable<void> wait_for_shipment(std::shared_ptr<life> l, int which, kw::rebalance_step step);
    asio::awaitable<void> read_shipped(std::map<std::uint64_t, int>& to);
    asio::awaitable<void> commit(std::shared_ptr<life> l, kw::records done);
    void commit_aside(const std::shared_ptr<life>& l, const kw::records& done);
    [[nodiscard]] std::function<void(std::error_code)> watch_commit(const std::shared_ptr<life>& l, std::map<std::int32_t, std::int64_t> what);
    void hand(life& l, const kw::records& batch);
    void assign(life& l, std::int32_t partition);
    void drop_and_assign(const std::shared_ptr<life>& l);
    void strike();
    void seek_somewhere(life& l);
    void pause_something(const std::shared_ptr<life>& l);
    void begin_twin();
    [[nodiscard]] bool has_twin(const life& l) const {
        return !l.over && std::ranges::any_of(lives_, [&](const auto& other) { return other.get() != &l && other->at == l.at && !other->over; });
    }
    void told_error(life& l, const kw::error& why);
    void forget(std::int32_t partition, std::int64_t from);
    [[nodiscard]] bool lossy() const { return plan_.truncations + plan_.recreations > 0; }
    void close_life(slot& s);
    asio::awaitable<void> grow();
    asio::awaitable<void> write(std::chrono::nanoseconds until);
    void look();
    [[nodiscard]] std::int32_t number_of(std::int32_t partition) { return work_.history.partition(topic, partition); }
    [[nodiscard]] group_judge::member* who_is(const std::string& id);
    [[nodiscard]] bool is_counted(const group_judge::member& m);
    [[nodiscard]] bool is_of_former(const group_judge::member& m, std::int32_t partition);
    [[nodiscard]] static bool is_passed_over(const group_judge::member& m, const kw::broker::group& in);
    void disturbed() { disturbed_ = elapsed(); }
    // An application that is slow is not while all is well again: what is measured then is the client's.
    [[nodiscard]] std::chrono::nanoseconds slow(life& l) const {
        return std::clamp(std::exchange(l.slow_for, std::chrono::nanoseconds{0}), std::chrono::nanoseconds{0}, std::max(until_ - elapsed(), std::chrono::nanoseconds{0}));
    }

    cluster_world& w_;
    workload& work_;
    kw::sim::random_source random_;
    plan plan_;
    std::chrono::nanoseconds until_;
    std::vector<std::string> strategies_;
    bool statics_ = false;
    std::vector<const kw::broker::group_shard*> shards_;
    std::vector<slot> slots_;
    std::vector<std::shared_ptr<life>> lives_;
    std::optional<kw::client> writer_;
    std::optional<kw::producer> producer_;
    std::int32_t count_;                       // of partitions that are written to
    std::uint64_t next_value_ = 1;
    int writing_ = 0;
    std::map<std::int32_t, std::int64_t> end_;  // behind the last acknowledged record
    std::map<std::int32_t, std::vector<std::pair<std::int64_t, std::int64_t>>> acknowledged_;  // when, and where it ended
    std::optional<losses> losses_;
    std::optional<liar> liar_;
    bool by_pattern_ = false;
    std::map<std::int32_t, std::int64_t> lost_at_;  // by partition: what was sent before then may be gone
    std::chrono::nanoseconds disturbed_{0}, behind_{0}, rest_until_{0};
    bool calm_ = false, closing_ = false;
};

}  // namespace schedules
