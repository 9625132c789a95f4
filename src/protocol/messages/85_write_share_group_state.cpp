#include <kafkawire/protocol/messages/85_write_share_group_state.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(write_share_group_state_request, "WriteShareGroupState", request)
KAFKAWIRE_MESSAGE(write_share_group_state_response, "WriteShareGroupState", response)
}  // namespace kafkawire::protocol
