#include <kafkawire/protocol/messages/55_describe_quorum.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_quorum_request, "DescribeQuorum", request)
KAFKAWIRE_MESSAGE(describe_quorum_response, "DescribeQuorum", response)
}  // namespace kafkawire::protocol
