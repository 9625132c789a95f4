#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(init_producer_id_request, "InitProducerId", request)
KAFKAWIRE_MESSAGE(init_producer_id_response, "InitProducerId", response)
}  // namespace kafkawire::protocol
