#include <kafkawire/protocol/messages/53_begin_quorum_epoch.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(begin_quorum_epoch_request, "BeginQuorumEpoch", request)
KAFKAWIRE_MESSAGE(begin_quorum_epoch_response, "BeginQuorumEpoch", response)
}  // namespace kafkawire::protocol
