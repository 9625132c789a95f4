// The table of APIs. A new API is a line here and a file under messages/.
#include <kafkawire/protocol/api.hpp>

#include <algorithm>
#include <cctype>

#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/02_list_offsets.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/04_leader_and_isr.hpp>
#include <kafkawire/protocol/messages/05_stop_replica.hpp>
#include <kafkawire/protocol/messages/06_update_metadata.hpp>
#include <kafkawire/protocol/messages/07_controlled_shutdown.hpp>
#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>
#include <kafkawire/protocol/messages/12_heartbeat.hpp>
#include <kafkawire/protocol/messages/13_leave_group.hpp>
#include <kafkawire/protocol/messages/14_sync_group.hpp>
#include <kafkawire/protocol/messages/15_describe_groups.hpp>
#include <kafkawire/protocol/messages/16_list_groups.hpp>
#include <kafkawire/protocol/messages/17_sasl_handshake.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/20_delete_topics.hpp>
#include <kafkawire/protocol/messages/21_delete_records.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/messages/23_offset_for_leader_epoch.hpp>
#include <kafkawire/protocol/messages/24_add_partitions_to_txn.hpp>
#include <kafkawire/protocol/messages/25_add_offsets_to_txn.hpp>
#include <kafkawire/protocol/messages/26_end_txn.hpp>
#include <kafkawire/protocol/messages/27_write_txn_markers.hpp>
#include <kafkawire/protocol/messages/28_txn_offset_commit.hpp>
#include <kafkawire/protocol/messages/29_describe_acls.hpp>
#include <kafkawire/protocol/messages/30_create_acls.hpp>
#include <kafkawire/protocol/messages/31_delete_acls.hpp>
#include <kafkawire/protocol/messages/32_describe_configs.hpp>
#include <kafkawire/protocol/messages/33_alter_configs.hpp>
#include <kafkawire/protocol/messages/34_alter_replica_log_dirs.hpp>
#include <kafkawire/protocol/messages/35_describe_log_dirs.hpp>
#include <kafkawire/protocol/messages/36_sasl_authenticate.hpp>
#include <kafkawire/protocol/messages/37_create_partitions.hpp>
#include <kafkawire/protocol/messages/38_create_delegation_token.hpp>
#include <kafkawire/protocol/messages/39_renew_delegation_token.hpp>
#include <kafkawire/protocol/messages/40_expire_delegation_token.hpp>
#include <kafkawire/protocol/messages/41_describe_delegation_token.hpp>
#include <kafkawire/protocol/messages/42_delete_groups.hpp>
#include <kafkawire/protocol/messages/43_elect_leaders.hpp>
#include <kafkawire/protocol/messages/44_incremental_alter_configs.hpp>
#include <kafkawire/protocol/messages/45_alter_partition_reassignments.hpp>
#include <kafkawire/protocol/messages/46_list_partition_reassignments.hpp>
#include <kafkawire/protocol/messages/47_offset_delete.hpp>
#include <kafkawire/protocol/messages/48_describe_client_quotas.hpp>
#include <kafkawire/protocol/messages/49_alter_client_quotas.hpp>
#include <kafkawire/protocol/messages/50_describe_user_scram_credentials.hpp>
#include <kafkawire/protocol/messages/51_alter_user_scram_credentials.hpp>
#include <kafkawire/protocol/messages/52_vote.hpp>
#include <kafkawire/protocol/messages/53_begin_quorum_epoch.hpp>
#include <kafkawire/protocol/messages/54_end_quorum_epoch.hpp>
#include <kafkawire/protocol/messages/55_describe_quorum.hpp>
#include <kafkawire/protocol/messages/56_alter_partition.hpp>
#include <kafkawire/protocol/messages/57_update_features.hpp>
#include <kafkawire/protocol/messages/58_envelope.hpp>
#include <kafkawire/protocol/messages/59_fetch_snapshot.hpp>
#include <kafkawire/protocol/messages/60_describe_cluster.hpp>
#include <kafkawire/protocol/messages/61_describe_producers.hpp>
#include <kafkawire/protocol/messages/62_broker_registration.hpp>
#include <kafkawire/protocol/messages/63_broker_heartbeat.hpp>
#include <kafkawire/protocol/messages/64_unregister_broker.hpp>
#include <kafkawire/protocol/messages/65_describe_transactions.hpp>
#include <kafkawire/protocol/messages/66_list_transactions.hpp>
#include <kafkawire/protocol/messages/67_allocate_producer_ids.hpp>
#include <kafkawire/protocol/messages/68_consumer_group_heartbeat.hpp>
#include <kafkawire/protocol/messages/69_consumer_group_describe.hpp>
#include <kafkawire/protocol/messages/70_controller_registration.hpp>
#include <kafkawire/protocol/messages/71_get_telemetry_subscriptions.hpp>
#include <kafkawire/protocol/messages/72_push_telemetry.hpp>
#include <kafkawire/protocol/messages/73_assign_replicas_to_dirs.hpp>
#include <kafkawire/protocol/messages/74_list_config_resources.hpp>
#include <kafkawire/protocol/messages/75_describe_topic_partitions.hpp>
#include <kafkawire/protocol/messages/76_share_group_heartbeat.hpp>
#include <kafkawire/protocol/messages/77_share_group_describe.hpp>
#include <kafkawire/protocol/messages/78_share_fetch.hpp>
#include <kafkawire/protocol/messages/79_share_acknowledge.hpp>
#include <kafkawire/protocol/messages/80_add_raft_voter.hpp>
#include <kafkawire/protocol/messages/81_remove_raft_voter.hpp>
#include <kafkawire/protocol/messages/82_update_raft_voter.hpp>
#include <kafkawire/protocol/messages/83_initialize_share_group_state.hpp>
#include <kafkawire/protocol/messages/84_read_share_group_state.hpp>
#include <kafkawire/protocol/messages/85_write_share_group_state.hpp>
#include <kafkawire/protocol/messages/86_delete_share_group_state.hpp>
#include <kafkawire/protocol/messages/87_read_share_group_state_summary.hpp>
#include <kafkawire/protocol/messages/88_streams_group_heartbeat.hpp>
#include <kafkawire/protocol/messages/89_streams_group_describe.hpp>
#include <kafkawire/protocol/messages/90_describe_share_group_offsets.hpp>
#include <kafkawire/protocol/messages/91_alter_share_group_offsets.hpp>
#include <kafkawire/protocol/messages/92_delete_share_group_offsets.hpp>
#include <kafkawire/protocol/messages/consumer_group_log.hpp>
#include <kafkawire/protocol/messages/consumer_protocol.hpp>
#include <kafkawire/protocol/messages/control_records.hpp>
#include <kafkawire/protocol/messages/headers.hpp>
#include <kafkawire/protocol/messages/offsets_topic.hpp>
#include <kafkawire/protocol/messages/principal.hpp>
#include <kafkawire/protocol/messages/share_group_log.hpp>
#include <kafkawire/protocol/messages/streams_group_log.hpp>
#include <kafkawire/protocol/messages/transaction_log.hpp>

namespace kafkawire::protocol {

namespace {

constexpr listeners on_broker{.broker = true, .controller = false};
constexpr listeners on_controller{.broker = false, .controller = true};
constexpr listeners on_both{.broker = true, .controller = true};
constexpr listeners nowhere{};

template <class Request>
api_info api(std::string_view summary, version_range kafka_4_3, int latest_stable, listeners in) {
    const auto& request = schema_of<Request>();
    return {request.key, request.name, summary, &request, &schema_of<response_of_t<Request>>(), kafka_4_3, static_cast<std::int16_t>(latest_stable), in};
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::span<const api_info> apis() {
    using namespace messages;
    static const std::vector<api_info> table = {
        api<produce_request>("appends record batches to partitions; the leader answers with the offset that each batch got.", between(3, 13), 13, on_broker),
        api<fetch_request>("reads record batches from partitions, waiting until enough bytes are there.", between(4, 18), 18, on_both),
        api<list_offsets_request>("finds the offset that belongs to a timestamp, or the first or last one of a partition.", between(1, 11), 11, on_broker),
        api<metadata_request>("tells the brokers of the cluster, and of topics their partitions, leaders and replicas.", between(0, 13), 13, on_broker),
        api<leader_and_isr_request>("the ZooKeeper-era controller tells brokers which partitions they lead or follow.", none(), -1, nowhere),
        api<stop_replica_request>("the ZooKeeper-era controller tells a broker to stop or delete replicas.", none(), -1, nowhere),
        api<update_metadata_request>("the ZooKeeper-era controller spreads the cluster's metadata to brokers.", none(), -1, nowhere),
        api<controlled_shutdown_request>("a ZooKeeper-era broker asks to hand over its leaderships before it stops.", none(), -1, nowhere),
        api<offset_commit_request>("a consumer group stores how far it has read.", between(2, 10), 10, on_broker),
        api<offset_fetch_request>("reads what a consumer group has stored.", between(1, 10), 10, on_broker),
        api<find_coordinator_request>("which broker coordinates a group, a transactional id or a share group.", between(0, 6), 6, on_broker),
        api<join_group_request>("classic group protocol: a member joins, or joins again for a rebalance, and waits for the others.", between(0, 9), 9, on_broker),
        api<heartbeat_request>("classic group protocol: a member is alive and learns of rebalances.", between(0, 4), 4, on_broker),
        api<leave_group_request>("classic group protocol: members leave at once instead of by timeout.", between(0, 5), 5, on_broker),
        api<sync_group_request>("classic group protocol: the leader hands in the assignment, each member receives its own.", between(0, 5), 5, on_broker),
        api<describe_groups_request>("state, protocol and members of classic groups.", between(0, 6), 6, on_broker),
        api<list_groups_request>("the groups that a broker coordinates.", between(0, 5), 5, on_broker),
        api<sasl_handshake_request>("names the SASL mechanism that the connection will use.", between(0, 1), 1, on_both),
        api<api_versions_request>("the versions that a broker speaks, and the cluster's features; the first request of a connection.", between(0, 4), 4, on_both),
        api<create_topics_request>("creates topics with partitions, replicas and configuration.", between(2, 7), 7, on_both),
        api<delete_topics_request>("deletes topics by name or id.", between(1, 6), 6, on_both),
        api<delete_records_request>("moves the log start of partitions forward.", between(0, 2), 2, on_broker),
        api<init_producer_id_request>("gives an idempotent or transactional producer its id and epoch, fencing older ones.", between(0, 6), 5, on_broker),
        api<offset_for_leader_epoch_request>("where a leader epoch ended, to find a truncated log.", between(2, 4), 4, on_broker),
        api<add_partitions_to_txn_request>("adds partitions to a transaction, or verifies that they are in it.", between(0, 5), 5, on_broker),
        api<add_offsets_to_txn_request>("adds a group's offsets to a transaction.", between(0, 4), 4, on_broker),
        api<end_txn_request>("commits or aborts a transaction.", between(0, 5), 5, on_broker),
        api<write_txn_markers_request>("the transaction coordinator writes commit and abort markers to partitions.", between(1, 2), 2, on_broker),
        api<txn_offset_commit_request>("stores a group's offsets as part of a transaction.", between(0, 5), 5, on_broker),
        api<describe_acls_request>("finds access rules by a filter.", between(1, 3), 3, on_both),
        api<create_acls_request>("adds access rules.", between(1, 3), 3, on_both),
        api<delete_acls_request>("deletes the access rules that match a filter.", between(1, 3), 3, on_both),
        api<describe_configs_request>("reads the configuration of topics, brokers and other resources.", between(1, 4), 4, on_both),
        api<alter_configs_request>("replaces the whole configuration of a resource; IncrementalAlterConfigs is the safer way.", between(0, 2), 2, on_both),
        api<alter_replica_log_dirs_request>("moves replicas to other log folders of their broker.", between(1, 2), 2, on_broker),
        api<describe_log_dirs_request>("sizes and replicas of a broker's log folders.", between(1, 5), 5, on_broker),
        api<sasl_authenticate_request>("carries the messages of the SASL mechanism, and the session's lifetime.", between(0, 2), 2, on_both),
        api<create_partitions_request>("gives topics more partitions.", between(0, 3), 3, on_both),
        api<create_delegation_token_request>("makes a token that logs in for its owner.", between(1, 3), 3, on_both),
        api<renew_delegation_token_request>("prolongs a delegation token.", between(1, 2), 2, on_both),
        api<expire_delegation_token_request>("ends or shortens a delegation token.", between(1, 2), 2, on_both),
        api<describe_delegation_token_request>("lists delegation tokens by owner.", between(1, 3), 3, on_both),
        api<delete_groups_request>("deletes groups without members, with their offsets.", between(0, 2), 2, on_broker),
        api<elect_leaders_request>("makes preferred or unclean replicas leaders.", between(0, 2), 2, on_both),
        api<incremental_alter_configs_request>("sets, deletes, appends to or subtracts from single configuration entries.", between(0, 1), 1, on_both),
        api<alter_partition_reassignments_request>("starts or cancels moving partitions to other brokers.", between(0, 1), 1, on_both),
        api<list_partition_reassignments_request>("moves of partitions that are under way.", between(0, 0), 0, on_both),
        api<offset_delete_request>("deletes a group's stored offsets of chosen partitions.", between(0, 0), 0, on_broker),
        api<describe_client_quotas_request>("reads quotas by user, client id or address.", between(0, 1), 1, on_broker),
        api<alter_client_quotas_request>("sets or removes quotas.", between(0, 1), 1, on_both),
        api<describe_user_scram_credentials_request>("which SCRAM mechanisms and iteration counts users have; never secrets.", between(0, 0), 0, on_both),
        api<alter_user_scram_credentials_request>("sets or deletes users' SCRAM credentials.", between(0, 0), 0, on_both),
        api<vote_request>("KRaft: a candidate asks for votes.", between(0, 2), 2, on_controller),
        api<begin_quorum_epoch_request>("KRaft: a new leader announces its epoch.", between(0, 1), 1, on_controller),
        api<end_quorum_epoch_request>("KRaft: a leader gives up its epoch and names successors.", between(0, 1), 1, on_controller),
        api<describe_quorum_request>("KRaft: leader, voters, observers and how far each has come.", between(0, 2), 2, on_both),
        api<alter_partition_request>("a leader tells the controller of a changed in-sync set.", between(2, 3), 3, on_controller),
        api<update_features_request>("raises or lowers finalized feature levels.", between(0, 2), 2, on_both),
        api<envelope_request>("a broker forwards a client's request to the controller.", between(0, 0), 0, on_controller),
        api<fetch_snapshot_request>("KRaft: reads a part of a metadata snapshot.", between(0, 1), 1, on_controller),
        api<describe_cluster_request>("cluster id, controller and brokers, without topics.", between(0, 2), 2, on_both),
        api<describe_producers_request>("idempotent and transactional producers that a partition knows.", between(0, 0), 0, on_broker),
        api<broker_registration_request>("a broker announces itself to the controller.", between(0, 4), 4, on_controller),
        api<broker_heartbeat_request>("a broker tells the controller that it lives, and learns whether it is fenced.", between(0, 2), 2, on_controller),
        api<unregister_broker_request>("removes a broker's registration.", between(0, 0), 0, on_both),
        api<describe_transactions_request>("state and partitions of transactional ids.", between(0, 0), 0, on_broker),
        api<list_transactions_request>("the transactions that a coordinator knows, by a filter.", between(0, 2), 2, on_broker),
        api<allocate_producer_ids_request>("a broker reserves a block of producer ids.", between(0, 0), 0, on_controller),
        api<consumer_group_heartbeat_request>("KIP-848: the one request by which a consumer joins, stays, reports, receives partitions and leaves.", between(0, 1), 1, on_broker),
        api<consumer_group_describe_request>("KIP-848: state, epochs, members and assignments of consumer groups.", between(0, 1), 1, on_broker),
        api<controller_registration_request>("a controller announces its endpoints and features.", between(0, 0), 0, on_controller),
        api<get_telemetry_subscriptions_request>("KIP-714: which client metrics the cluster wants.", between(0, 0), 0, on_broker),
        api<push_telemetry_request>("KIP-714: hands over the client's metrics.", between(0, 0), 0, on_broker),
        api<assign_replicas_to_dirs_request>("a broker tells the controller which log folder holds which replica.", between(0, 0), 0, on_controller),
        api<list_config_resources_request>("names of the resources that have configuration; version 0 knew client metrics only.", between(0, 1), 1, on_broker),
        api<describe_topic_partitions_request>("topics' partitions page by page, for topics with very many.", between(0, 0), 0, on_broker),
        api<share_group_heartbeat_request>("KIP-932: a share consumer joins, stays and leaves.", between(1, 1), 1, on_broker),
        api<share_group_describe_request>("KIP-932: state, members and assignments of share groups.", between(1, 1), 1, on_broker),
        api<share_fetch_request>("KIP-932: acquires records for this consumer, and acknowledges earlier ones.", between(1, 2), 2, on_broker),
        api<share_acknowledge_request>("KIP-932: accepts, releases, rejects or renews acquired records.", between(1, 2), 2, on_broker),
        api<add_raft_voter_request>("KRaft: adds a voter to the quorum.", between(0, 1), 1, on_both),
        api<remove_raft_voter_request>("KRaft: removes a voter from the quorum.", between(0, 0), 0, on_both),
        api<update_raft_voter_request>("KRaft: a voter tells its endpoints and the versions it supports.", between(0, 0), 0, on_controller),
        api<initialize_share_group_state_request>("KIP-932, between brokers: makes a partition's share state.", between(0, 0), 0, on_broker),
        api<read_share_group_state_request>("KIP-932, between brokers: reads a partition's share state.", between(0, 0), 0, on_broker),
        api<write_share_group_state_request>("KIP-932, between brokers: stores a partition's share state.", between(0, 1), 1, on_broker),
        api<delete_share_group_state_request>("KIP-932, between brokers: deletes a partition's share state.", between(0, 0), 0, on_broker),
        api<read_share_group_state_summary_request>("KIP-932, between brokers: reads the start of a partition's share state without its batches.", between(0, 1), 1, on_broker),
        api<streams_group_heartbeat_request>("KIP-1071: a Kafka Streams member joins, reports its topology and receives tasks.", between(0, 0), 0, on_broker),
        api<streams_group_describe_request>("KIP-1071: state, topology and members of streams groups.", between(0, 0), 0, on_broker),
        api<describe_share_group_offsets_request>("KIP-932: where share groups begin to read.", between(0, 1), 1, on_broker),
        api<alter_share_group_offsets_request>("KIP-932: moves where an empty share group begins to read.", between(0, 0), 0, on_broker),
        api<delete_share_group_offsets_request>("KIP-932: deletes where a share group begins to read.", between(0, 0), 0, on_broker),
    };
    return table;
}

const api_info* find_api(std::int16_t key) noexcept {
    const auto all = apis();
    // The keys are the indices, without a gap; a test holds the table to that.
    return key >= 0 && static_cast<std::size_t>(key) < all.size() ? &all[static_cast<std::size_t>(key)] : nullptr;
}

const api_info* find_api(std::string_view name) noexcept {
    for (const auto& a : apis())
        if (same_name(a.name, name)) return &a;
    return nullptr;
}

std::span<const message_schema* const> messages_list() {
    using namespace messages;
    static const std::vector<const message_schema*> list = [] {
        std::vector<const message_schema*> all;
        for (const auto& a : apis()) {
            all.push_back(a.request);
            all.push_back(a.response);
        }
        for (const auto* data : {
                 &schema_of<request_header>(),
                 &schema_of<response_header>(),
                 &schema_of<consumer_protocol_subscription>(),
                 &schema_of<consumer_protocol_assignment>(),
                 &schema_of<default_principal_data>(),
                 &schema_of<control_record_type_schema>(),
                 &schema_of<end_txn_marker>(),
                 &schema_of<leader_change_message>(),
                 &schema_of<snapshot_header_record>(),
                 &schema_of<snapshot_footer_record>(),
                 &schema_of<kraft_version_record>(),
                 &schema_of<voters_record>(),
                 &schema_of<transaction_log_key>(),
                 &schema_of<transaction_log_value>(),
                 &schema_of<offset_commit_key>(),
                 &schema_of<offset_commit_value>(),
                 &schema_of<legacy_offset_commit_key>(),
                 &schema_of<legacy_offset_commit_value>(),
                 &schema_of<group_metadata_key>(),
                 &schema_of<group_metadata_value>(),
                 &schema_of<consumer_group_current_member_assignment_key>(),
                 &schema_of<consumer_group_current_member_assignment_value>(),
                 &schema_of<consumer_group_member_metadata_key>(),
                 &schema_of<consumer_group_member_metadata_value>(),
                 &schema_of<consumer_group_metadata_key>(),
                 &schema_of<consumer_group_metadata_value>(),
                 &schema_of<consumer_group_partition_metadata_key>(),
                 &schema_of<consumer_group_partition_metadata_value>(),
                 &schema_of<consumer_group_regular_expression_key>(),
                 &schema_of<consumer_group_regular_expression_value>(),
                 &schema_of<consumer_group_target_assignment_member_key>(),
                 &schema_of<consumer_group_target_assignment_member_value>(),
                 &schema_of<consumer_group_target_assignment_metadata_key>(),
                 &schema_of<consumer_group_target_assignment_metadata_value>(),
                 &schema_of<share_group_current_member_assignment_key>(),
                 &schema_of<share_group_current_member_assignment_value>(),
                 &schema_of<share_group_member_metadata_key>(),
                 &schema_of<share_group_member_metadata_value>(),
                 &schema_of<share_group_metadata_key>(),
                 &schema_of<share_group_metadata_value>(),
                 &schema_of<share_group_state_partition_metadata_key>(),
                 &schema_of<share_group_state_partition_metadata_value>(),
                 &schema_of<share_group_target_assignment_member_key>(),
                 &schema_of<share_group_target_assignment_member_value>(),
                 &schema_of<share_group_target_assignment_metadata_key>(),
                 &schema_of<share_group_target_assignment_metadata_value>(),
                 &schema_of<streams_group_current_member_assignment_key>(),
                 &schema_of<streams_group_current_member_assignment_value>(),
                 &schema_of<streams_group_member_metadata_key>(),
                 &schema_of<streams_group_member_metadata_value>(),
                 &schema_of<streams_group_metadata_key>(),
                 &schema_of<streams_group_metadata_value>(),
                 &schema_of<streams_group_target_assignment_member_key>(),
                 &schema_of<streams_group_target_assignment_member_value>(),
                 &schema_of<streams_group_target_assignment_metadata_key>(),
                 &schema_of<streams_group_target_assignment_metadata_value>(),
                 &schema_of<streams_group_topology_key>(),
                 &schema_of<streams_group_topology_value>()})
            all.push_back(data);
        return all;
    }();
    return list;
}

const message_schema* find_data_message(std::string_view name) noexcept {
    for (const auto* m : messages_list())
        if (m->as != role::request && m->as != role::response && same_name(m->name, name)) return m;
    return nullptr;
}

}  // namespace kafkawire::protocol
