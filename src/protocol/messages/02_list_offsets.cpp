#include <kafkawire/protocol/messages/02_list_offsets.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(list_offsets_request, "ListOffsets", request)
KAFKAWIRE_MESSAGE(list_offsets_response, "ListOffsets", response)
}  // namespace kafkawire::protocol
