#include <kafkawire/protocol/messages/32_describe_configs.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_configs_request, "DescribeConfigs", request)
KAFKAWIRE_MESSAGE(describe_configs_response, "DescribeConfigs", response)
}  // namespace kafkawire::protocol
