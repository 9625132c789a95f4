#include <kafkawire/protocol/messages/headers.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(request_header, "RequestHeader", header)
KAFKAWIRE_MESSAGE(response_header, "ResponseHeader", header)
}  // namespace kafkawire::protocol
