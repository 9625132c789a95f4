#include <kafkawire/protocol/messages/56_alter_partition.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(alter_partition_request, "AlterPartition", request)
KAFKAWIRE_MESSAGE(alter_partition_response, "AlterPartition", response)
}  // namespace kafkawire::protocol
