#include <kafkawire/protocol/messages/36_sasl_authenticate.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(sasl_authenticate_request, "SaslAuthenticate", request)
KAFKAWIRE_MESSAGE(sasl_authenticate_response, "SaslAuthenticate", response)
}  // namespace kafkawire::protocol
