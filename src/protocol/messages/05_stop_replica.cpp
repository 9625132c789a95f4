#include <kafkawire/protocol/messages/05_stop_replica.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(stop_replica_request, "StopReplica", request)
KAFKAWIRE_MESSAGE(stop_replica_response, "StopReplica", response)
}  // namespace kafkawire::protocol
