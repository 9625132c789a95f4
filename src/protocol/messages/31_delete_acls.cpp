#include <kafkawire/protocol/messages/31_delete_acls.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(delete_acls_request, "DeleteAcls", request)
KAFKAWIRE_MESSAGE(delete_acls_response, "DeleteAcls", response)
}  // namespace kafkawire::protocol
