#include <kafkawire/protocol/messages/04_leader_and_isr.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(leader_and_isr_request, "LeaderAndIsr", request)
KAFKAWIRE_MESSAGE(leader_and_isr_response, "LeaderAndIsr", response)
}  // namespace kafkawire::protocol
