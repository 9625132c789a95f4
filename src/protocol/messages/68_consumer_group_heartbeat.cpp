#include <kafkawire/protocol/messages/68_consumer_group_heartbeat.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(consumer_group_heartbeat_request, "ConsumerGroupHeartbeat", request)
KAFKAWIRE_MESSAGE(consumer_group_heartbeat_response, "ConsumerGroupHeartbeat", response)
}  // namespace kafkawire::protocol
