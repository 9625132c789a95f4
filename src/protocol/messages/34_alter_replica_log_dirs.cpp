#include <kafkawire/protocol/messages/34_alter_replica_log_dirs.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(alter_replica_log_dirs_request, "AlterReplicaLogDirs", request)
KAFKAWIRE_MESSAGE(alter_replica_log_dirs_response, "AlterReplicaLogDirs", response)
}  // namespace kafkawire::protocol
