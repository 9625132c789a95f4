#include <kafkawire/protocol/messages/92_delete_share_group_offsets.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(delete_share_group_offsets_request, "DeleteShareGroupOffsets", request)
KAFKAWIRE_MESSAGE(delete_share_group_offsets_response, "DeleteShareGroupOffsets", response)
}  // namespace kafkawire::protocol
