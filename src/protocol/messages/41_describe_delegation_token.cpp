#include <kafkawire/protocol/messages/41_describe_delegation_token.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_delegation_token_request, "DescribeDelegationToken", request)
KAFKAWIRE_MESSAGE(describe_delegation_token_response, "DescribeDelegationToken", response)
}  // namespace kafkawire::protocol
