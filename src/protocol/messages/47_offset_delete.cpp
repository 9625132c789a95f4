#include <kafkawire/protocol/messages/47_offset_delete.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(offset_delete_request, "OffsetDelete", request)
KAFKAWIRE_MESSAGE(offset_delete_response, "OffsetDelete", response)
}  // namespace kafkawire::protocol
