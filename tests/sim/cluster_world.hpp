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

/// What differs between schedules.
struct world_shape {
    std::string as_version = "4.3";   // the nodes behave as those of that Kafka
    std::int32_t count = partitions;  // of the topic
    std::map<std::string, std::string> configs{};
    bool shipped = false;             // and another topic, to write what was made of the first
};
inline constexpr const char* shipped = "shipped";

class cluster_world {
public:
    explicit cluster_world(settings& s, const world_shape& of = {});
    ~cluster_world();
    [[nodiscard]] static kw::client_options options_of(const char* id);
    /// The client is made anew, with one more host in its bootstrap list.
    void trust(const std::string& host);

    kw::sim::world world;
    kw::sim::link_settings usual;                  ///< of every link, when nothing befalls it
    kw::sim::host& app;
    kw::sim::host& auditor;
    std::vector<kw::sim::host*> nodes;
    std::set<std::int32_t> lagging;                // nodes whose Metadata is of some while ago
    std::vector<kw::sim::host*> members;  // applications on hosts of their own, which faults of the network hit too
    std::optional<kw::broker::cluster> cluster;
    std::optional<kw::client> client;        // on app
    std::optional<kw::client> audit_client;  // on auditor, which no fault reaches

    [[nodiscard]] std::int64_t now() const { return std::chrono::nanoseconds{world.now().time_since_epoch()}.count(); }
};

}  // namespace schedules
