// The cluster, what is written to it, and the groups that read it.
#pragma once

#include <testcontainers/kafka_cluster.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "../cluster_admin.hpp"
#include "delivery_book.hpp"
#include "feeder.hpp"
#include "fleet.hpp"
#include "member.hpp"

namespace faults {

struct group_plan {
    std::string name;                  ///< also the group's id
    bool consumer_protocol = false;
    int ours = 10, java = 0, kcat = 0;
    bool pipeline = false;
    int auto_commit = 0;               ///< every so manieth of ours commits automatically; 0: none
};

/// A group and what is known of it.
struct group_state {
    group_state(group_plan p, const acknowledged_log& log) : plan{std::move(p)}, book{log} {}
    group_plan plan;
    group_book book;
    std::map<told, std::uint64_t> counts;
    std::uint64_t in_transactions = 0;  // records, of pipelines
    int died = 0;                       // members that ended by themselves though nobody had asked them to
};

struct stage_options {
    std::uint64_t seed = 1;
    double rate = 6'000, scale = 1;
    std::int32_t partitions = 24, most_partitions = 64;
    std::chrono::milliseconds session_timeout{6'000};
    std::string program;                ///< ourselves, for members
    std::vector<group_plan> groups;
    double pipeline_rate = 1'000;
    int nodes = 3;
    std::string version = "4.3.0";
};

class group_stage {
public:
    explicit group_stage(const stage_options& o);
    ~group_stage();

    /// All members of all groups; then the records.
    void begin();
    int start_member(group_state& g);
    void start_java(group_state& g);
    void start_kcat(group_state& g);
    /// Starts those that are missing, and counts those that ended by themselves.
    void complete_groups();
    void add_partitions(std::int32_t more);
    /// Ours, of that group, that run; not those of others.
    [[nodiscard]] std::vector<int> members(const group_state& g) const { return fleet_->running(g.plan.name + "-member"); }
    void kill(int member) { fleet_->kill(member); }
    void pause(int member) { fleet_->pause(member); }
    void resume(int member) { fleet_->resume(member); }
    bool leave(int member);
    /// Of other clients.
    [[nodiscard]] std::vector<int> foreigners(const group_state& g) const { return fleet_->running(g.plan.name + "-other"); }

    [[nodiscard]] std::vector<int> kcats(const group_state& g) const { return fleet_->running(g.plan.name + "-other-kcat"); }

    /// f(book) for each plain group, locked.
    template <class F>
    void each_book(F f) {
        const std::lock_guard lock{mutex_};
        for (auto& g : groups)
            if (!g->plan.pipeline) f(*g);
    }
    [[nodiscard]] std::vector<std::uint64_t> acknowledged_ends();
    [[nodiscard]] std::int64_t longest_nap() { return feeder_->longest_nap(); }
    [[nodiscard]] std::uint64_t again(const group_state& g);

    [[nodiscard]] std::string stories() { return fleet_->stories(""); }

    /// The end: no more records, everybody reads what there is, leaves; whether all of it is right. Prints a line for each group.
    bool finish();

    kafkawire::testing::kafka_cluster kafka;
    cluster_admin admin;
    stage_options options;
    std::mt19937_64 random;
    std::vector<std::unique_ptr<group_state>> groups;
    static constexpr const char *topic = "numbers", *input = "input", *probe = "probe";

private:
    void take(group_state& g, int member, const report& r);
    void take_line(group_state& g, int member, std::string_view line);
    bool judge(group_state& g);
    bool judge_pipeline(group_state& g);
    [[nodiscard]] bool pipelines() const;

    std::string folder_;
    std::mutex mutex_;                  // of what follows
    acknowledged_log log_, input_log_;
    std::int32_t partitions_;
    std::unique_ptr<feeder> feeder_, input_feeder_;
    std::unique_ptr<fleet> fleet_;
    std::string scratch_;
    int slots_ = 0;                     // transactional ids given
    std::map<int, int> slot_of_;        // by member
    std::vector<int> free_slots_;
};

}  // namespace faults
