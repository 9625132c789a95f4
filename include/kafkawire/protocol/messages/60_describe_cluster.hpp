// DescribeCluster (key 60): cluster id, controller and brokers, without topics.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_cluster_response;

struct describe_cluster_request {
    using response = describe_cluster_response;
    static constexpr std::int16_t key = 60;
    static constexpr version_range versions = between(0, 2), flexible = all();

    bool include_cluster_authorized_operations = false;
    std::int8_t endpoint_type = 1;
    bool include_fenced_brokers = false;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_cluster_request&, const describe_cluster_request&) = default;
};

constexpr auto describe(type<describe_cluster_request>) {
    using m = describe_cluster_request;
    return fields(
        field<&m::include_cluster_authorized_operations>("includeClusterAuthorizedOperations"),
        field<&m::endpoint_type>("endpointType", {.in = since(1)}),
        field<&m::include_fenced_brokers>("includeFencedBrokers", {.in = since(2)}));
}

struct describe_cluster_response {
    static constexpr std::int16_t key = 60;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct broker {
        std::int32_t broker_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::optional<std::string> rack;
        bool is_fenced = false;
        tagged_fields unknown_tags;
        friend bool operator==(const broker&, const broker&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::int8_t endpoint_type = 1;
    std::string cluster_id;
    std::int32_t controller_id = -1;
    std::vector<broker> brokers;
    std::int32_t cluster_authorized_operations = -2147483648;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_cluster_response&, const describe_cluster_response&) = default;
};

constexpr auto describe(type<describe_cluster_response::broker>) {
    using m = describe_cluster_response::broker;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::host>("host"),
        field<&m::port>("port"),
        field<&m::rack>("rack", {.nullable = all()}),
        field<&m::is_fenced>("isFenced", {.in = since(2)}));
}
constexpr auto describe(type<describe_cluster_response>) {
    using m = describe_cluster_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::endpoint_type>("endpointType", {.in = since(1)}),
        field<&m::cluster_id>("clusterId"),
        field<&m::controller_id>("controllerId"),
        field<&m::brokers>("brokers"),
        field<&m::cluster_authorized_operations>("clusterAuthorizedOperations"));
}

}  // namespace kafkawire::protocol::messages
