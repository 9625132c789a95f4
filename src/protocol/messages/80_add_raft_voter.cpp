#include <kafkawire/protocol/messages/80_add_raft_voter.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(add_raft_voter_request, "AddRaftVoter", request)
KAFKAWIRE_MESSAGE(add_raft_voter_response, "AddRaftVoter", response)
}  // namespace kafkawire::protocol
