// cluster_state: what all nodes of the embedded cluster know together: nodes, topics, configuration, coordinators, the time of the present
// event and the timers. Handlers read and change it; nothing here knows connections or bytes.
// Owns: all of it. Never: does I/O. Not thread-safe.
#pragma once
#include <kafkawire/broker/options.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/types.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/cluster_journal.hpp"
#include "broker/kafka_versions.hpp"
#include "broker/partition.hpp"
#include "broker/random.hpp"
#include "broker/timers.hpp"

namespace kafkawire::broker {

class transaction_coordinator;
class batch_checker;
class fetch_sessions;

struct node {
    enum class status : std::uint8_t { up, paused, down };
    std::int32_t id = 0;
    std::string host;
    std::uint16_t port = 0;
    std::string advertised;                              // instead of the host; empty: nothing else
    std::uint16_t advertised_port = 0;                   // 0: the same
    std::optional<std::string> rack;
    status is = status::up;
    std::uint64_t status_changes = 0;

    // What clients are told.
    [[nodiscard]] const std::string& told_host() const noexcept { return advertised.empty() ? host : advertised; }
    [[nodiscard]] std::uint16_t told_port() const noexcept { return advertised_port ? advertised_port : port; }
};

struct topic {
    std::string name;
    protocol::uuid id;
    bool internal = false;
    std::map<std::string, std::string> configs;          // what was set; defaults come from the table of configs
    std::vector<std::unique_ptr<partition>> partitions;  // by index

    [[nodiscard]] partition* find(std::int32_t index) const noexcept {
        return index >= 0 && static_cast<std::size_t>(index) < partitions.size() ? partitions[static_cast<std::size_t>(index)].get() : nullptr;
    }
};

class group_coordinator;

class cluster_state {
public:
    /// `files`: where everything is kept, if anywhere; what is there already comes back. See storage_error() afterwards.
    cluster_state(broker::options o, moment now, std::shared_ptr<storage> files = nullptr);
    ~cluster_state();
    cluster_state(const cluster_state&) = delete;
    cluster_state& operator=(const cluster_state&) = delete;

    [[nodiscard]] const broker::options& options() const noexcept { return options_; }
    /// The Kafka that it passes for.
    [[nodiscard]] const kafka_release& release() const noexcept { return *release_; }
    [[nodiscard]] const std::string& cluster_id() const noexcept { return cluster_id_; }
    /// The time of the event that is being handled.
    [[nodiscard]] const moment& now() const noexcept { return now_; }
    void set_now(moment now) noexcept { now_ = now; }
    [[nodiscard]] broker::timers& timers() noexcept { return timers_; }
    [[nodiscard]] const broker::timers& timers() const noexcept { return timers_; }
    [[nodiscard]] random_source& random() noexcept { return random_; }
    [[nodiscard]] protocol::uuid random_uuid() noexcept;

    [[nodiscard]] std::vector<node>& nodes() noexcept { return nodes_; }
    [[nodiscard]] const std::vector<node>& nodes() const noexcept { return nodes_; }
    [[nodiscard]] node* find_node(std::int32_t id) noexcept;
    /// The node that leads the cluster: the first that is up.
    [[nodiscard]] std::int32_t controller() const noexcept;

    [[nodiscard]] const std::map<std::string, topic, std::less<>>& topics() const noexcept { return topics_; }
    [[nodiscard]] topic* find_topic(std::string_view name) noexcept;
    [[nodiscard]] topic* find_topic(const protocol::uuid& id) noexcept;
    [[nodiscard]] partition* find_partition(std::string_view topic, std::int32_t index) noexcept;
    /// Makes a topic with its partitions spread over the nodes. The spec must have been checked; see topic_rules.hpp.
    topic& create_topic(const topic_spec& spec);
    /// The replicas of each partition, the first being the leader.
    using placement = std::vector<std::vector<std::int32_t>>;
    topic& create_topic(std::string name, const placement& replicas, std::map<std::string, std::string> configs);
    void add_partitions(topic& to, const placement& replicas);
    /// Takes it away, with its files. Those who watch its partitions are told; they then find that it is gone.
    void delete_topic(std::string_view name);
    /// Spreads partitions over the nodes that are up, leaders in turn. Empty: fewer than `copies` nodes are up.
    [[nodiscard]] placement place(std::int32_t partitions, std::int32_t copies);
    /// Takes a node down, up or into a pause, for its replicas too: see partition.hpp. A paused node's replicas leave the in-sync replicas
    /// after broker.session.timeout.ms, unless it is up again. Who serves its connections is told elsewhere.
    void set_node_status(std::int32_t node, node::status is);
    /// What all partitions share: limits, the replication delay, who watches leaders.
    [[nodiscard]] partition_world& world() noexcept { return world_; }
    /// For Produce: keeps its buffers from call to call.
    [[nodiscard]] batch_checker& checker() noexcept { return *checker_; }
    /// What clients have told a node that they fetch.
    [[nodiscard]] fetch_sessions& fetch_sessions_of(std::int32_t node);
    /// Where everything is kept; null: only in memory.
    [[nodiscard]] storage* files() const noexcept { return files_.get(); }
    /// What went wrong with the files of the cluster as a whole, first at the start; none: nothing.
    [[nodiscard]] std::error_code storage_error() const noexcept { return journal_ ? journal_->error() : std::error_code{}; }
    /// Ids of producers from here on were never given out, also before a restart.
    [[nodiscard]] std::int64_t first_free_producer_id() const noexcept { return first_free_producer_id_; }
    /// So many, from the first free one on, are given out now.
    void take_producer_ids(std::int64_t count);

    /// A broker's configuration entry by Kafka's name: what was set for all nodes, else the default.
    [[nodiscard]] std::string config(std::string_view name) const;
    [[nodiscard]] std::int64_t config_number(std::string_view name) const;
    [[nodiscard]] bool config_flag(std::string_view name) const;
    /// The same of a topic: its own entry, else the broker's, else the default.
    [[nodiscard]] std::string config(const topic& of, std::string_view name) const;
    [[nodiscard]] std::int64_t config_number(const topic& of, std::string_view name) const;
    /// What was set while the cluster runs: of one node by its number as text, of all nodes under "".
    [[nodiscard]] const std::map<std::string, std::string>& dynamic_configs(const std::string& node) const;
    /// Replace all that was set; checked before.
    void set_dynamic_configs(const std::string& node, std::map<std::string, std::string> to);
    void set_topic_configs(topic& of, std::map<std::string, std::string> to);

    /// Producer ids and transactions, of all nodes.
    [[nodiscard]] transaction_coordinator& transactions() noexcept { return *transactions_; }
    /// The coordinators of groups, of all nodes.
    [[nodiscard]] group_coordinator& groups() noexcept { return *groups_; }

private:
    void settle_defaults();
    void open_journal();
    topic& add_topic(topic t);
    void grow(topic& to, const placement& replicas);
    void open_files(const topic& of, partition& p);
    [[nodiscard]] bool unclean(const topic& of) const { return config(of, "unclean.leader.election.enable") == "true"; }
    void clean(const topic& of, partition& p);
    void tell_replicas(std::int32_t node, node::status is);

    broker::options options_;
    const kafka_release* release_;
    moment now_;
    broker::timers timers_;
    partition_world world_;
    std::shared_ptr<storage> files_;
    std::unique_ptr<batch_checker> checker_;
    std::map<std::int32_t, std::unique_ptr<fetch_sessions>> fetch_sessions_;
    random_source random_;
    std::string cluster_id_;
    std::vector<node> nodes_;
    std::map<std::string, topic, std::less<>> topics_;
    std::map<protocol::uuid, std::string> topic_names_;
    std::map<std::string, std::map<std::string, std::string>> dynamic_configs_;
    std::size_t next_leader_ = 0;
    std::int64_t first_free_producer_id_ = 0;
    std::unique_ptr<cluster_journal> journal_;  // null: nothing is kept
    bool starting_ = true;                      // folders of topics that are there already are taken over
    std::vector<topic> deleted_;  // until nobody is in the middle of using one
    std::unique_ptr<transaction_coordinator> transactions_;
    std::unique_ptr<group_coordinator> groups_;
};

}  // namespace kafkawire::broker
