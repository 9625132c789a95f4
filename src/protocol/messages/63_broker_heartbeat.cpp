#include <kafkawire/protocol/messages/63_broker_heartbeat.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(broker_heartbeat_request, "BrokerHeartbeat", request)
KAFKAWIRE_MESSAGE(broker_heartbeat_response, "BrokerHeartbeat", response)
}  // namespace kafkawire::protocol
