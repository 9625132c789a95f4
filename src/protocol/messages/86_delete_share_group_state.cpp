#include <kafkawire/protocol/messages/86_delete_share_group_state.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(delete_share_group_state_request, "DeleteShareGroupState", request)
KAFKAWIRE_MESSAGE(delete_share_group_state_response, "DeleteShareGroupState", response)
}  // namespace kafkawire::protocol
