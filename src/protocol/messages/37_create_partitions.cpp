#include <kafkawire/protocol/messages/37_create_partitions.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(create_partitions_request, "CreatePartitions", request)
KAFKAWIRE_MESSAGE(create_partitions_response, "CreatePartitions", response)
}  // namespace kafkawire::protocol
