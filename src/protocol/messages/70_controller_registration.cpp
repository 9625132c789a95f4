#include <kafkawire/protocol/messages/70_controller_registration.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(controller_registration_request, "ControllerRegistration", request)
KAFKAWIRE_MESSAGE(controller_registration_response, "ControllerRegistration", response)
}  // namespace kafkawire::protocol
