#include <kafkawire/protocol/messages/30_create_acls.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(create_acls_request, "CreateAcls", request)
KAFKAWIRE_MESSAGE(create_acls_response, "CreateAcls", response)
}  // namespace kafkawire::protocol
