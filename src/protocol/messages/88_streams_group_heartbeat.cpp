#include <kafkawire/protocol/messages/88_streams_group_heartbeat.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(streams_group_heartbeat_request, "StreamsGroupHeartbeat", request)
KAFKAWIRE_MESSAGE(streams_group_heartbeat_response, "StreamsGroupHeartbeat", response)
}  // namespace kafkawire::protocol
