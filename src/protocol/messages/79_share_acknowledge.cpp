#include <kafkawire/protocol/messages/79_share_acknowledge.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(share_acknowledge_request, "ShareAcknowledge", request)
KAFKAWIRE_MESSAGE(share_acknowledge_response, "ShareAcknowledge", response)
}  // namespace kafkawire::protocol
