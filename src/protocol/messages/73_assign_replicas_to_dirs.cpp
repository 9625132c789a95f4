#include <kafkawire/protocol/messages/73_assign_replicas_to_dirs.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(assign_replicas_to_dirs_request, "AssignReplicasToDirs", request)
KAFKAWIRE_MESSAGE(assign_replicas_to_dirs_response, "AssignReplicasToDirs", response)
}  // namespace kafkawire::protocol
