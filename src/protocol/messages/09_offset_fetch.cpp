#include <kafkawire/protocol/messages/09_offset_fetch.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(offset_fetch_request, "OffsetFetch", request)
KAFKAWIRE_MESSAGE(offset_fetch_response, "OffsetFetch", response)
}  // namespace kafkawire::protocol
