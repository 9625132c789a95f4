#include <kafkawire/protocol/messages/consumer_protocol.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(consumer_protocol_subscription, "ConsumerProtocolSubscription", data)
KAFKAWIRE_MESSAGE(consumer_protocol_assignment, "ConsumerProtocolAssignment", data)
}  // namespace kafkawire::protocol
