#include <kafkawire/protocol/messages/40_expire_delegation_token.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(expire_delegation_token_request, "ExpireDelegationToken", request)
KAFKAWIRE_MESSAGE(expire_delegation_token_response, "ExpireDelegationToken", response)
}  // namespace kafkawire::protocol
