#include <kafkawire/protocol/messages/76_share_group_heartbeat.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(share_group_heartbeat_request, "ShareGroupHeartbeat", request)
KAFKAWIRE_MESSAGE(share_group_heartbeat_response, "ShareGroupHeartbeat", response)
}  // namespace kafkawire::protocol
