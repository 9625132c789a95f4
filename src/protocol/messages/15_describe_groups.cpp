#include <kafkawire/protocol/messages/15_describe_groups.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_groups_request, "DescribeGroups", request)
KAFKAWIRE_MESSAGE(describe_groups_response, "DescribeGroups", response)
}  // namespace kafkawire::protocol
