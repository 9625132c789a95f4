#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(fetch_request, "Fetch", request)
KAFKAWIRE_MESSAGE(fetch_response, "Fetch", response)
}  // namespace kafkawire::protocol
