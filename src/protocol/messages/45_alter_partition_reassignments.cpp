#include <kafkawire/protocol/messages/45_alter_partition_reassignments.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(alter_partition_reassignments_request, "AlterPartitionReassignments", request)
KAFKAWIRE_MESSAGE(alter_partition_reassignments_response, "AlterPartitionReassignments", response)
}  // namespace kafkawire::protocol
