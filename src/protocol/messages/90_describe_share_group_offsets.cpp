#include <kafkawire/protocol/messages/90_describe_share_group_offsets.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_share_group_offsets_request, "DescribeShareGroupOffsets", request)
KAFKAWIRE_MESSAGE(describe_share_group_offsets_response, "DescribeShareGroupOffsets", response)
}  // namespace kafkawire::protocol
