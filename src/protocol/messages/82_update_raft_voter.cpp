#include <kafkawire/protocol/messages/82_update_raft_voter.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(update_raft_voter_request, "UpdateRaftVoter", request)
KAFKAWIRE_MESSAGE(update_raft_voter_response, "UpdateRaftVoter", response)
}  // namespace kafkawire::protocol
