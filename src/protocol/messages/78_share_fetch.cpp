#include <kafkawire/protocol/messages/78_share_fetch.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(share_fetch_request, "ShareFetch", request)
KAFKAWIRE_MESSAGE(share_fetch_response, "ShareFetch", response)
}  // namespace kafkawire::protocol
