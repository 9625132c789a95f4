#include <kafkawire/protocol/messages/38_create_delegation_token.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(create_delegation_token_request, "CreateDelegationToken", request)
KAFKAWIRE_MESSAGE(create_delegation_token_response, "CreateDelegationToken", response)
}  // namespace kafkawire::protocol
