#include <kafkawire/protocol/messages/17_sasl_handshake.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(sasl_handshake_request, "SaslHandshake", request)
KAFKAWIRE_MESSAGE(sasl_handshake_response, "SaslHandshake", response)
}  // namespace kafkawire::protocol
