// Faults of the network, the nodes and their answers, drawn from the world's seed.
#pragma once
#include "cluster_world.hpp"

namespace schedules {

/// What a storm may do.
struct weather {
    int faults = 6;
    /// Also what a client needs its own wits for: all nodes gone, elections without end, clocks that jump, any error code of the protocol, ...
    bool wide = false;
    /// Also the requests of transactions and the coordinators of groups, which the other schedules have no use for.
    bool transactions = false;
    /// Also the requests of consumers and of the members of groups, with any error code, and the coordinator of their group.
    bool groups = false;
};

/// The group of those schedules.
inline constexpr const char* readers = "readers";

/// Faults at random moments until `until`, all of them over by then. Only those that touched something count as fired.
class storm {
public:
    storm(cluster_world& w, std::chrono::nanoseconds until, const weather& how);
    [[nodiscard]] std::uint64_t fired() const;
    /// Everything is well again: called at the end, and harmless when it is.
    void calm();

private:
    void strike();
    void strike_network();
    void strike_nodes();
    void strike_partitions();
    void strike_answers();
    void strike_cluster();
    void strike_codes();
    void strike_groups();
    [[nodiscard]] kw::sim::host& some_application();
    void restart_in_turn(std::int32_t number);
    void elect_until(std::chrono::nanoseconds end);
    void plant_for(const kw::broker::fault& f, std::chrono::nanoseconds d);
    std::chrono::nanoseconds spell();  // how long a fault lasts
    template <class F>
    void later(std::chrono::nanoseconds d, F f) {
        w_.world.after(d, std::move(f));
    }
    cluster_world& w_;
    kw::broker::control control_;
    std::vector<kw::broker::fault_id> planted_;
    std::chrono::nanoseconds until_;
    bool wide_;
    bool transactions_;
    bool groups_;
    std::uint64_t fired_ = 0;
};

}  // namespace schedules
