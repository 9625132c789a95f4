#include <kafkawire/protocol/messages/81_remove_raft_voter.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(remove_raft_voter_request, "RemoveRaftVoter", request)
KAFKAWIRE_MESSAGE(remove_raft_voter_response, "RemoveRaftVoter", response)
}  // namespace kafkawire::protocol
