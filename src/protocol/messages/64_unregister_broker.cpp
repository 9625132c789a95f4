#include <kafkawire/protocol/messages/64_unregister_broker.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(unregister_broker_request, "UnregisterBroker", request)
KAFKAWIRE_MESSAGE(unregister_broker_response, "UnregisterBroker", response)
}  // namespace kafkawire::protocol
