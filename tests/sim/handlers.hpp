// Consumer servers in the world of schedules: several members of one group whose handlers fail, vanish, are slow and hang, while members crash, stop
// and stand still, and somebody writes. Judged: every acknowledged record is handled at least once, or given up or sent away as the options say; no
// offset is committed before everything before it is; of a key (or a partition) nothing is begun while an earlier one of the same assignment is not
// done; what was sent to the other topic is there and says how often it was tried; the numbers are right; a stop ends in time and leaves everything
// committed.
#pragma once
#include <kafkawire/app/consumer_server.hpp>
#include <kafkawire/producer.hpp>

#include <map>
#include <optional>

#include "broker/witness.hpp"
#include "storm.hpp"

namespace schedules {

class handlers final : kw::broker::group_witness {
public:
    handlers(cluster_world& w, std::chrono::nanoseconds until);
    ~handlers();

    /// Everything goes well from now on; handlers too.
    void calm() { calm_ = true; }
    /// All records are done.
    [[nodiscard]] bool done() const { return writing_ == 0 && waits_for().empty(); }
    [[nodiscard]] std::string waits_for() const;
    /// All servers stop, in good order.
    void stop();
    [[nodiscard]] bool stopped() const;
    /// When all have stopped: what the group has committed, and what the other topic has.
    void audit();

    std::uint64_t sent = 0, acknowledged = 0, calls = 0, struck = 0, failed = 0, away = 0, commits = 0;
    std::map<std::string, int> found;
    std::string problems;

private:
    struct message {
        std::uint64_t value = 0;
        bool acknowledged = false;
        bool handled = false;                  // a function has taken it
        bool excused = false;                  // its last try has failed: it may be given up or sent away
    };
    struct place {
        std::int32_t partition;
        std::uint64_t epoch;                   // of the assignment
        std::string key;                       // what keeps its order
        auto operator<=>(const place&) const = default;
    };
    struct life {
        int number = 0;
        std::size_t slot = 0;
        kw::sim::host* host = nullptr;
        std::optional<kw::client> client;
        std::optional<kw::app::consumer_server> server;
        bool over = false, stopping = false, ended = false;
        std::uint64_t failures = 0;
        std::map<place, std::int64_t> begun;   // the latest offset
        std::map<place, int> running;
    };
    using life_pointer = std::shared_ptr<life>;
    void start(std::size_t slot);
    void end(life& l);
    void stop(const life_pointer& l);
    void stopped_one(const life_pointer& l, std::error_code why);
    void strike();
    void handle(const life_pointer& l, kw::app::call c);
    void finish(const life_pointer& l, const std::shared_ptr<kw::app::call>& c, const std::vector<place>& places, int how);
    void write();
    void begins(const kw::broker::group_shard&) override {}
    void ends(const kw::broker::group_shard&) override {}
    void taken(const kw::broker::committer& who, const std::vector<kw::broker::offset_commit>& what, const kw::broker::group& in) override;
    void blame(const std::string& name, const std::string& what) {
        if (++found[name] <= 5) problems += std::to_string(elapsed() / 1ms) + " ms: " + name + ": " + what + '\n';
    }
    [[nodiscard]] std::chrono::nanoseconds elapsed() const { return w_.world.elapsed(); }
    std::chrono::nanoseconds some(std::chrono::nanoseconds least, std::chrono::nanoseconds most) { return random_.between(least, most); }

    cluster_world& w_;
    kw::sim::random_source random_;
    std::chrono::nanoseconds until_;
    kw::app::handler_options options_;
    bool batched_ = false;
    std::vector<kw::sim::host*> hosts_;
    std::vector<life_pointer> slots_, lives_;
    std::optional<kw::client> writer_;
    std::optional<kw::producer> producer_;
    std::map<std::pair<std::int32_t, std::int64_t>, message> records_;
    std::uint64_t next_value_ = 1;
    int writing_ = 0;
    bool calm_ = false, stopping_ = false;
};

/// 40 s of it, under 8 faults of the network and the nodes; then all must be done, and stopped well.
result run_handlers(settings& s);

}  // namespace schedules
