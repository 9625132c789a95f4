#include "broker/handlers.hpp"

#include "broker/sasl_server.hpp"

#include <algorithm>
#include <array>

namespace kafkawire::protocol::messages {
struct list_offsets_request;
struct delete_records_request;
struct offset_for_leader_epoch_request;
struct metadata_request;
struct produce_request;
struct fetch_request;
struct api_versions_request;
struct create_topics_request;
struct delete_topics_request;
struct describe_configs_request;
struct alter_configs_request;
struct create_partitions_request;
struct incremental_alter_configs_request;
struct describe_cluster_request;
struct describe_topic_partitions_request;
struct init_producer_id_request;
struct add_partitions_to_txn_request;
struct add_offsets_to_txn_request;
struct end_txn_request;
struct write_txn_markers_request;
struct describe_producers_request;
struct describe_transactions_request;
struct offset_commit_request;
struct offset_fetch_request;
struct find_coordinator_request;
struct join_group_request;
struct heartbeat_request;
struct leave_group_request;
struct sync_group_request;
struct describe_groups_request;
struct list_groups_request;
struct delete_groups_request;
struct offset_delete_request;
struct consumer_group_heartbeat_request;
struct consumer_group_describe_request;
struct txn_offset_commit_request;
struct list_transactions_request;
}  // namespace kafkawire::protocol::messages

namespace kafkawire::broker {

namespace messages = protocol::messages;

// One line per API. The message types stay incomplete here, so that adding a message rebuilds its handler alone.
void produce(cluster_state& cluster, exchange from, const messages::produce_request& request);
void fetch(cluster_state& cluster, exchange from, const messages::fetch_request& request);
void list_offsets(cluster_state& cluster, exchange from, const messages::list_offsets_request& request);
void delete_records(cluster_state& cluster, exchange from, const messages::delete_records_request& request);
void offset_for_leader_epoch(cluster_state& cluster, exchange from, const messages::offset_for_leader_epoch_request& request);
void metadata(cluster_state& cluster, exchange from, const messages::metadata_request& request);
void api_versions(cluster_state& cluster, exchange from, const messages::api_versions_request& request);
void create_topics(cluster_state& cluster, exchange from, const messages::create_topics_request& request);
void delete_topics(cluster_state& cluster, exchange from, const messages::delete_topics_request& request);
void describe_configs(cluster_state& cluster, exchange from, const messages::describe_configs_request& request);
void alter_configs(cluster_state& cluster, exchange from, const messages::alter_configs_request& request);
void create_partitions(cluster_state& cluster, exchange from, const messages::create_partitions_request& request);
void incremental_alter_configs(cluster_state& cluster, exchange from, const messages::incremental_alter_configs_request& request);
void describe_cluster(cluster_state& cluster, exchange from, const messages::describe_cluster_request& request);
void describe_topic_partitions(cluster_state& cluster, exchange from, const messages::describe_topic_partitions_request& request);
void init_producer_id(cluster_state& cluster, exchange from, const messages::init_producer_id_request& request);
void add_partitions_to_txn(cluster_state& cluster, exchange from, const messages::add_partitions_to_txn_request& request);
void add_offsets_to_txn(cluster_state& cluster, exchange from, const messages::add_offsets_to_txn_request& request);
void end_txn(cluster_state& cluster, exchange from, const messages::end_txn_request& request);
void write_txn_markers(cluster_state& cluster, exchange from, const messages::write_txn_markers_request& request);
void describe_producers(cluster_state& cluster, exchange from, const messages::describe_producers_request& request);
void describe_transactions(cluster_state& cluster, exchange from, const messages::describe_transactions_request& request);
void offset_commit(cluster_state& cluster, exchange from, const messages::offset_commit_request& request);
void offset_fetch(cluster_state& cluster, exchange from, const messages::offset_fetch_request& request);
void find_coordinator(cluster_state& cluster, exchange from, const messages::find_coordinator_request& request);
void join_group(cluster_state& cluster, exchange from, const messages::join_group_request& request);
void heartbeat(cluster_state& cluster, exchange from, const messages::heartbeat_request& request);
void leave_group(cluster_state& cluster, exchange from, const messages::leave_group_request& request);
void sync_group(cluster_state& cluster, exchange from, const messages::sync_group_request& request);
void describe_groups(cluster_state& cluster, exchange from, const messages::describe_groups_request& request);
void list_groups(cluster_state& cluster, exchange from, const messages::list_groups_request& request);
void delete_groups(cluster_state& cluster, exchange from, const messages::delete_groups_request& request);
void offset_delete(cluster_state& cluster, exchange from, const messages::offset_delete_request& request);
void consumer_group_heartbeat(cluster_state& cluster, exchange from, const messages::consumer_group_heartbeat_request& request);
void consumer_group_describe(cluster_state& cluster, exchange from, const messages::consumer_group_describe_request& request);
void txn_offset_commit(cluster_state& cluster, exchange from, const messages::txn_offset_commit_request& request);
void list_transactions(cluster_state& cluster, exchange from, const messages::list_transactions_request& request);

namespace {

template <class Request, void (*Handle)(cluster_state&, exchange, const Request&)>
void erased(cluster_state& cluster, exchange from, const void* request) {
    Handle(cluster, std::move(from), *static_cast<const Request*>(request));
}

constexpr std::array table{
    handler{0, erased<messages::produce_request, produce>},
    handler{1, erased<messages::fetch_request, fetch>},
    handler{2, erased<messages::list_offsets_request, list_offsets>},
    handler{3, erased<messages::metadata_request, metadata>},
    handler{8, erased<messages::offset_commit_request, offset_commit>},
    handler{9, erased<messages::offset_fetch_request, offset_fetch>},
    handler{10, erased<messages::find_coordinator_request, find_coordinator>},
    handler{11, erased<messages::join_group_request, join_group>},
    handler{12, erased<messages::heartbeat_request, heartbeat>},
    handler{13, erased<messages::leave_group_request, leave_group>},
    handler{14, erased<messages::sync_group_request, sync_group>},
    handler{15, erased<messages::describe_groups_request, describe_groups>},
    handler{16, erased<messages::list_groups_request, list_groups>},
    handler{18, erased<messages::api_versions_request, api_versions>},
    handler{19, erased<messages::create_topics_request, create_topics>},
    handler{20, erased<messages::delete_topics_request, delete_topics>},
    handler{21, erased<messages::delete_records_request, delete_records>},
    handler{22, erased<messages::init_producer_id_request, init_producer_id>},
    handler{23, erased<messages::offset_for_leader_epoch_request, offset_for_leader_epoch>},
    handler{24, erased<messages::add_partitions_to_txn_request, add_partitions_to_txn>},
    handler{25, erased<messages::add_offsets_to_txn_request, add_offsets_to_txn>},
    handler{26, erased<messages::end_txn_request, end_txn>},
    handler{27, erased<messages::write_txn_markers_request, write_txn_markers>},
    handler{28, erased<messages::txn_offset_commit_request, txn_offset_commit>},
    handler{32, erased<messages::describe_configs_request, describe_configs>},
    handler{33, erased<messages::alter_configs_request, alter_configs>},
    handler{37, erased<messages::create_partitions_request, create_partitions>},
    handler{42, erased<messages::delete_groups_request, delete_groups>},
    handler{44, erased<messages::incremental_alter_configs_request, incremental_alter_configs>},
    handler{47, erased<messages::offset_delete_request, offset_delete>},
    handler{60, erased<messages::describe_cluster_request, describe_cluster>},
    handler{61, erased<messages::describe_producers_request, describe_producers>},
    handler{65, erased<messages::describe_transactions_request, describe_transactions>},
    handler{66, erased<messages::list_transactions_request, list_transactions>},
    handler{68, erased<messages::consumer_group_heartbeat_request, consumer_group_heartbeat>},
    handler{69, erased<messages::consumer_group_describe_request, consumer_group_describe>},
    handler{75, erased<messages::describe_topic_partitions_request, describe_topic_partitions>},
};
static_assert(std::is_sorted(table.begin(), table.end(), [](const handler& a, const handler& b) { return a.key < b.key; }));

}  // namespace

std::span<const handler> handlers() noexcept { return table; }

const handler* find_handler(std::int16_t key) noexcept {
    const auto at = std::lower_bound(table.begin(), table.end(), key, [](const handler& h, std::int16_t k) { return h.key < k; });
    return at != table.end() && at->key == key ? &*at : nullptr;
}

protocol::version_range offered_versions(const cluster_state& cluster, std::int16_t key) noexcept {
    // Where nobody is asked who he is these two are not there.
    if (key == sasl_handshake_key || key == sasl_authenticate_key) return has_sasl(cluster.options().security.protocol) ? versions_in(cluster.release(), key) : protocol::none();
    const auto* h = find_handler(key);
    if (!h) return protocol::none();
    auto range = versions_in(cluster.release(), key);
    const auto newest = versions_in(kafka_releases().front(), key);
    range.lowest = std::max(range.lowest, h->lowest >= 0 ? h->lowest : newest.lowest);
    range.highest = std::min(range.highest, newest.highest);
    return range.empty() ? protocol::none() : range;
}

}  // namespace kafkawire::broker
