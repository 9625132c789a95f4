#include <kafkawire/protocol/messages/16_list_groups.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(list_groups_request, "ListGroups", request)
KAFKAWIRE_MESSAGE(list_groups_response, "ListGroups", response)
}  // namespace kafkawire::protocol
