#include <kafkawire/protocol/messages/58_envelope.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(envelope_request, "Envelope", request)
KAFKAWIRE_MESSAGE(envelope_response, "Envelope", response)
}  // namespace kafkawire::protocol
