#include <kafkawire/protocol/messages/12_heartbeat.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(heartbeat_request, "Heartbeat", request)
KAFKAWIRE_MESSAGE(heartbeat_response, "Heartbeat", response)
}  // namespace kafkawire::protocol
