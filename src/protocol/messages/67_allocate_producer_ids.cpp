#include <kafkawire/protocol/messages/67_allocate_producer_ids.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(allocate_producer_ids_request, "AllocateProducerIds", request)
KAFKAWIRE_MESSAGE(allocate_producer_ids_response, "AllocateProducerIds", response)
}  // namespace kafkawire::protocol
