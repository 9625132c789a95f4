// DescribeCluster: the cluster's id, its controller and nodes. Version 1 can be asked about controllers, who answer elsewhere; version 2 can list
// fenced nodes: those that are down.
#include <kafkawire/protocol/messages/60_describe_cluster.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {

void describe_cluster(cluster_state& cluster, exchange from, const protocol::messages::describe_cluster_request& asked) {
    constexpr std::int8_t brokers = 1, controllers = 2;
    constexpr std::int32_t all_operations = 8096;  // as bits by their numbers: what Kafka says where nothing is forbidden
    protocol::messages::describe_cluster_response answer;
    if (asked.endpoint_type != brokers) {
        const bool known = asked.endpoint_type == controllers;
        answer.error_code = code_of(known ? broker_errc::mismatched_endpoint_type : broker_errc::unsupported_endpoint_type);
        answer.error_message = known ? "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                                     : "Unsupported endpoint type " + std::to_string(asked.endpoint_type);
        return from.answer(answer);
    }
    answer.cluster_id = cluster.cluster_id();
    answer.controller_id = cluster.controller();
    for (const auto& n : cluster.nodes()) {
        const bool fenced = n.is == node::status::down;
        if (!fenced || asked.include_fenced_brokers) answer.brokers.push_back({n.id, n.told_host(), n.told_port(), n.rack, fenced, {}});
    }
    if (asked.include_cluster_authorized_operations) answer.cluster_authorized_operations = all_operations;
    from.answer(answer);
}

}  // namespace kafkawire::broker
