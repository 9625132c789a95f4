#include <kafkawire/protocol/messages/07_controlled_shutdown.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(controlled_shutdown_request, "ControlledShutdown", request)
KAFKAWIRE_MESSAGE(controlled_shutdown_response, "ControlledShutdown", response)
}  // namespace kafkawire::protocol
