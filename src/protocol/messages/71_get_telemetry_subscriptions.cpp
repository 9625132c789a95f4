#include <kafkawire/protocol/messages/71_get_telemetry_subscriptions.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(get_telemetry_subscriptions_request, "GetTelemetrySubscriptions", request)
KAFKAWIRE_MESSAGE(get_telemetry_subscriptions_response, "GetTelemetrySubscriptions", response)
}  // namespace kafkawire::protocol
