// What an embedded cluster is made with.
#pragma once
#include <kafkawire/security.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kafkawire::broker {

/// A topic that is there from the start.
struct topic_spec {
    std::string name{};
    std::int32_t partitions = 1;
    std::int16_t replication_factor = -1;        ///< -1: min(3, nodes)
    std::map<std::string, std::string> configs{};  ///< Kafka's names: "max.message.bytes", "cleanup.policy", ...
};

/// Somebody whom a listener with SASL knows.
struct user_spec {
    std::string name{};
    secret password{};
};

/// Where clients are told to come to: advertised.listeners.
struct advertised_address {
    std::string host{};                          ///< empty: where the node listens
    std::uint16_t port = 0;                      ///< 0: the one that it listens on
};

/// What the cluster's listeners want of clients: all nodes alike, there is no second listener.
struct listener_security {
    kafkawire::security_protocol protocol = kafkawire::security_protocol::plaintext;
    std::string certificate{};                     ///< PEM; for the hosts of all nodes
    secret key{};                                  ///< PEM
    std::string client_ca{};                       ///< PEM; not empty: clients must show a certificate of that authority
    std::vector<kafkawire::sasl_mechanism> mechanisms{};  ///< those that are offered
    std::vector<user_spec> users{};                ///< of PLAIN and SCRAM
    std::chrono::milliseconds session_lifetime{0}; ///< connections.max.reauth.ms: clients show again who they are before it is over; 0: once is enough
    std::uint32_t scram_iterations = 4096;
    /// OAUTHBEARER believes every token that says whose it is and has not expired. Without this it is refused when the cluster is made, and where the
    /// cluster does not listen on the loopback interface it is refused in any case.
    bool insecure_test_tokens = false;
};

/// The defaults make a cluster of one node in memory, on a free port of the loopback interface, that behaves as Kafka 4.3 does.
struct options {
    std::int32_t nodes = 1;                      ///< numbered from first_node_id on
    std::int32_t first_node_id = 1;
    std::string host = "127.0.0.1";              ///< an IP address: what the nodes listen on, and tell clients
    std::vector<std::string> hosts{};              ///< of the nodes, in order, where they have one each; missing ones: `host`
    std::vector<std::uint16_t> ports{};            ///< of the nodes, in order; missing ones and 0: the system chooses
    std::vector<advertised_address> advertised{};  ///< of the nodes, in order; missing ones: where they listen
    std::string cluster_id{};                      ///< empty: made from the seed
    std::string as_version = "4.3";              ///< offers the APIs and versions of that Kafka; "4.3", "3.9" or "2.8"
    std::string folder{};                          ///< keep everything here, across restarts; empty: in memory
    std::uint64_t max_bytes = 1u << 30;          ///< of records in memory, over all partitions; the oldest go first
    std::uint32_t max_request = 100u << 20;      ///< socket.request.max.bytes: a longer frame closes the connection
    std::chrono::nanoseconds replication_delay{0};  ///< after which the other replicas have what the leader has; 0: at once
    std::uint64_t seed = 0;                      ///< of ids and choices; the same seed and requests give the same answers. 0: chosen by chance
    std::vector<topic_spec> topics{};
    std::map<std::string, std::string> configs{};  ///< of the brokers, Kafka's names: "auto.create.topics.enable", "num.partitions", ...
    listener_security security{};
};

}  // namespace kafkawire::broker
