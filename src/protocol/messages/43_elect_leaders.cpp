#include <kafkawire/protocol/messages/43_elect_leaders.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(elect_leaders_request, "ElectLeaders", request)
KAFKAWIRE_MESSAGE(elect_leaders_response, "ElectLeaders", response)
}  // namespace kafkawire::protocol
