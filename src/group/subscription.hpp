// What members of a classic group tell each other through the coordinator, which does not look inside: a subscription in JoinGroup, an
// assignment in SyncGroup, each after the two bytes of its version; and inside a subscription of "sticky" the user data in which an eager
// member says what it had.
//
// Readers take what a stranger may have written. A version newer than ours is read as our newest, since versions only append; what follows is
// left unread. Bytes are believed as in protocol/codec.hpp: memory stays within max_expansion() times their size. Nothing is thrown.
// All functions are pure and thread-safe.
#pragma once
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/consumer_protocol.hpp>

namespace kafkawire::group {

using subscription_message = protocol::messages::consumer_protocol_subscription;
using assignment_message = protocol::messages::consumer_protocol_assignment;

/// The version that is written: the newest. A member that knows an older one only reads the part that it knows.
inline constexpr std::int16_t subscription_version = subscription_message::versions.highest;

/// Reads version and message into `to`, which should be fresh. Errors are those of protocol::decode, and errc::unsupported_version for a
/// version below 0; offsets count from the version's first byte.
protocol::wire_error read_subscription(protocol::bytes_view from, subscription_message& to);
/// The same of an assignment. No bytes at all are an empty assignment: so a coordinator answers a member that the leader left out.
protocol::wire_error read_assignment(protocol::bytes_view from, assignment_message& to);

/// Appends version and message; `to` is as it was on an error (a text or a list that the wire's integers cannot count).
protocol::wire_error write_subscription(const subscription_message& from, protocol::bytes& to, std::int16_t version = subscription_version);
protocol::wire_error write_assignment(const assignment_message& from, protocol::bytes& to, std::int16_t version = subscription_version);

/// What a member of "sticky" says of its last assignment. Version 0 had no generation; there is no version on the wire.
struct sticky_user_data {
    struct topic_partitions {
        std::string topic;
        std::vector<std::int32_t> partitions;
        friend bool operator==(const topic_partitions&, const topic_partitions&) = default;
    };
    std::vector<topic_partitions> previous;
    std::int32_t generation = -1;  ///< -1: not said
    friend bool operator==(const sticky_user_data&, const sticky_user_data&) = default;
};

/// Reads either version: a generation is there if four bytes are left after the partitions. On an error `to` is empty.
protocol::wire_error read_sticky_user_data(protocol::bytes_view from, sticky_user_data& to);
/// Appends version 1.
void write_sticky_user_data(const sticky_user_data& from, protocol::bytes& to);

/// Cooperative members write their generation alone, where subscriptions have no field for it: four bytes.
protocol::wire_error read_cooperative_user_data(protocol::bytes_view from, std::int32_t& generation);
void write_cooperative_user_data(std::int32_t generation, protocol::bytes& to);

}  // namespace kafkawire::group
