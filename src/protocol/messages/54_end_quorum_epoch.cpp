#include <kafkawire/protocol/messages/54_end_quorum_epoch.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(end_quorum_epoch_request, "EndQuorumEpoch", request)
KAFKAWIRE_MESSAGE(end_quorum_epoch_response, "EndQuorumEpoch", response)
}  // namespace kafkawire::protocol
