#include <kafkawire/protocol/messages/23_offset_for_leader_epoch.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(offset_for_leader_epoch_request, "OffsetForLeaderEpoch", request)
KAFKAWIRE_MESSAGE(offset_for_leader_epoch_response, "OffsetForLeaderEpoch", response)
}  // namespace kafkawire::protocol
