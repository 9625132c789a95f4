#include <kafkawire/protocol/messages/29_describe_acls.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_acls_request, "DescribeAcls", request)
KAFKAWIRE_MESSAGE(describe_acls_response, "DescribeAcls", response)
}  // namespace kafkawire::protocol
