#include <kafkawire/protocol/messages/13_leave_group.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(leave_group_request, "LeaveGroup", request)
KAFKAWIRE_MESSAGE(leave_group_response, "LeaveGroup", response)
}  // namespace kafkawire::protocol
