#include <kafkawire/protocol/messages/39_renew_delegation_token.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(renew_delegation_token_request, "RenewDelegationToken", request)
KAFKAWIRE_MESSAGE(renew_delegation_token_response, "RenewDelegationToken", response)
}  // namespace kafkawire::protocol
