#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(produce_request, "Produce", request)
KAFKAWIRE_MESSAGE(produce_response, "Produce", response)
}  // namespace kafkawire::protocol
