// FindCoordinator: the node that coordinates a group or a transactional id: the leader of the partition, of __consumer_offsets or
// __transaction_state, that the name's hash chooses. The internal topic is made when it is first asked for; until it has leaders the answer is
// COORDINATOR_NOT_AVAILABLE.
// Version 0 asks for groups alone. From version 4 on several names are asked for at once. Version 5 may be answered with
// TRANSACTION_ABORTABLE, version 6 knows share groups, which are not here: INVALID_REQUEST.
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::find_coordinator_request;
using protocol::messages::find_coordinator_response;

struct found_coordinator {
    broker_errc error = broker_errc::none;
    const node* at = nullptr;
};

found_coordinator look_up(cluster_state& cluster, std::int8_t key_type, std::string_view name) {
    if (key_type != 0 && key_type != 1) return {.error = broker_errc::invalid_request};
    const auto topic_name = key_type == 0 ? group_topic : transaction_topic;
    const auto* there = cluster.find_topic(topic_name);
    if (!there) {
        make_internal_topic(cluster, topic_name);
        return {.error = broker_errc::coordinator_not_available};
    }
    const auto* p = there->find(coordinator_partition(cluster, topic_name, name));
    const auto* at = p ? cluster.find_node(p->leader()) : nullptr;
    if (!at || at->is == node::status::down) return {.error = broker_errc::coordinator_not_available};
    return {.at = at};
}

std::string sentence(broker_errc e) {
    if (e == broker_errc::none) return "NONE";
    if (e == broker_errc::coordinator_not_available) return "The coordinator is not available.";
    return "This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the "
           "broker logs for more details.";
}

}  // namespace

void find_coordinator(cluster_state& cluster, exchange from, const find_coordinator_request& asked) {
    find_coordinator_response answer;
    if (from.version() < 4) {
        const auto f = look_up(cluster, from.version() == 0 ? std::int8_t{0} : asked.key_type, asked.coordinator_key);
        answer.error_code = code_of(f.error);
        answer.error_message = sentence(f.error);
        answer.node_id = f.at ? f.at->id : -1;
        answer.host = f.at ? f.at->told_host() : "";
        answer.port = f.at ? f.at->told_port() : -1;
    }
    for (const auto& key : asked.coordinator_keys) {
        const auto f = look_up(cluster, asked.key_type, key);
        auto& to = answer.coordinators.emplace_back();
        to.key = key;
        if (asked.key_type < 0 || asked.key_type > 2) to.error_message = sentence(f.error);  // else it stays empty, whatever the error
        to.error_code = code_of(f.error);
        to.node_id = f.at ? f.at->id : -1;
        to.host = f.at ? f.at->told_host() : "";
        to.port = f.at ? f.at->told_port() : -1;
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
