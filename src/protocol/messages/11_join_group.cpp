#include <kafkawire/protocol/messages/11_join_group.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(join_group_request, "JoinGroup", request)
KAFKAWIRE_MESSAGE(join_group_response, "JoinGroup", response)
}  // namespace kafkawire::protocol
