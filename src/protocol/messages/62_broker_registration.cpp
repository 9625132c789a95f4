#include <kafkawire/protocol/messages/62_broker_registration.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(broker_registration_request, "BrokerRegistration", request)
KAFKAWIRE_MESSAGE(broker_registration_response, "BrokerRegistration", response)
}  // namespace kafkawire::protocol
