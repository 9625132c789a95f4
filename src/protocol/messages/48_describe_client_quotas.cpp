#include <kafkawire/protocol/messages/48_describe_client_quotas.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_client_quotas_request, "DescribeClientQuotas", request)
KAFKAWIRE_MESSAGE(describe_client_quotas_response, "DescribeClientQuotas", response)
}  // namespace kafkawire::protocol
