#include <kafkawire/protocol/messages/77_share_group_describe.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(share_group_describe_request, "ShareGroupDescribe", request)
KAFKAWIRE_MESSAGE(share_group_describe_response, "ShareGroupDescribe", response)
}  // namespace kafkawire::protocol
