#include <kafkawire/protocol/messages/83_initialize_share_group_state.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(initialize_share_group_state_request, "InitializeShareGroupState", request)
KAFKAWIRE_MESSAGE(initialize_share_group_state_response, "InitializeShareGroupState", response)
}  // namespace kafkawire::protocol
