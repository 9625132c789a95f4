#include <kafkawire/protocol/messages/89_streams_group_describe.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(streams_group_describe_request, "StreamsGroupDescribe", request)
KAFKAWIRE_MESSAGE(streams_group_describe_response, "StreamsGroupDescribe", response)
}  // namespace kafkawire::protocol
