// Consumer groups as the cluster tells of them.
#pragma once
#include <cli/session.hpp>

namespace kafkawire::cli {

/// One line of a list of groups. Brokers before 2.6 do not tell the state, before 3.8 not the type: empty then.
struct group_listing {
    std::string name, type, state, protocol_type;
    std::int32_t coordinator = -1;
};
/// The groups of all brokers, by name. A broker that cannot be asked is a failure: its groups would be missing without a word.
asio::awaitable<std::vector<group_listing>> all_groups(session& s);

struct group_member {
    std::string id, client_id, host;
    std::optional<std::string> instance;    ///< of a static member
    std::optional<std::int32_t> epoch;      ///< with the new protocol only
    std::vector<partition_key> assigned;    ///< by topic and partition
    bool reconciling = false;               ///< with the new protocol: what it has is not yet what it is to have
};
struct group_view {
    std::string name, type, state, protocol_type, assignor;
    std::optional<std::int32_t> epoch;      ///< with the new protocol only
    std::int32_t coordinator = -1;
    std::vector<group_member> members;      ///< by client id and member id
};
/// A group that is not there is a failure that names the nearest.
asio::awaitable<group_view> describe_group(session& s, std::string name);

}  // namespace kafkawire::cli
