#include <kafkawire/protocol/messages/42_delete_groups.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(delete_groups_request, "DeleteGroups", request)
KAFKAWIRE_MESSAGE(delete_groups_response, "DeleteGroups", response)
}  // namespace kafkawire::protocol
