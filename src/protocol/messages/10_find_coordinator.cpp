#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(find_coordinator_request, "FindCoordinator", request)
KAFKAWIRE_MESSAGE(find_coordinator_response, "FindCoordinator", response)
}  // namespace kafkawire::protocol
