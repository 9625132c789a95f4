#include <kafkawire/protocol/messages/91_alter_share_group_offsets.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(alter_share_group_offsets_request, "AlterShareGroupOffsets", request)
KAFKAWIRE_MESSAGE(alter_share_group_offsets_response, "AlterShareGroupOffsets", response)
}  // namespace kafkawire::protocol
