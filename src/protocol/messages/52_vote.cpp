#include <kafkawire/protocol/messages/52_vote.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(vote_request, "Vote", request)
KAFKAWIRE_MESSAGE(vote_response, "Vote", response)
}  // namespace kafkawire::protocol
