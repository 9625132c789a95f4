#include <kafkawire/protocol/messages/46_list_partition_reassignments.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(list_partition_reassignments_request, "ListPartitionReassignments", request)
KAFKAWIRE_MESSAGE(list_partition_reassignments_response, "ListPartitionReassignments", response)
}  // namespace kafkawire::protocol
