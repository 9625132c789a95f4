// Three nodes of the embedded cluster, an application and an auditor, each on a host of its own.
#pragma once
#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>
#include <kafkawire/simulation.hpp>

#include "schedule.hpp"

namespace schedules {

namespace kw = kafkawire;
using namespace std::chrono_literals;

constexpr std::int32_t partitions = 6;
inline constexpr const char* topic = "orders";

class cluster_world {
public:
    /// The nodes behave as those of that Kafka.
    explicit cluster_world(settings& s, const std::string& as_version = "4.3");
    ~cluster_world();

    kw::sim::world world;
    kw::sim::host& app;
    kw::sim::host& auditor;
    std::vector<kw::sim::host*> nodes;
    std::optional<kw::broker::cluster> cluster;
    std::optional<kw::client> client;        // on app
    std::optional<kw::client> audit_client;  // on auditor, which no fault reaches

    [[nodiscard]] std::int64_t now() const { return std::chrono::nanoseconds{world.now().time_since_epoch()}.count(); }
};

/// Faults at random moments until `until`, all of them over by then. Only those that touched something count as fired.
class storm {
public:
    storm(cluster_world& w, std::chrono::nanoseconds until, int faults);
    [[nodiscard]] std::uint64_t fired() const;
    /// Everything is well again: called at the end, and harmless when it is.
    void calm();

private:
    void strike();
    void strike_network();
    void strike_nodes();
    void strike_partitions();
    void strike_answers();
    std::chrono::nanoseconds spell();  // how long a fault lasts
    template <class F>
    void later(std::chrono::nanoseconds d, F f) {
        w_.world.after(d, std::move(f));
    }
    cluster_world& w_;
    kw::broker::control control_;
    std::vector<kw::broker::fault_id> planted_;
    std::chrono::nanoseconds until_;
    std::uint64_t fired_ = 0;
};

}  // namespace schedules
