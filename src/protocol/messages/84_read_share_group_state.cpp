#include <kafkawire/protocol/messages/84_read_share_group_state.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(read_share_group_state_request, "ReadShareGroupState", request)
KAFKAWIRE_MESSAGE(read_share_group_state_response, "ReadShareGroupState", response)
}  // namespace kafkawire::protocol
