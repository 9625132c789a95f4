#include <kafkawire/protocol/messages/72_push_telemetry.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(push_telemetry_request, "PushTelemetry", request)
KAFKAWIRE_MESSAGE(push_telemetry_response, "PushTelemetry", response)
}  // namespace kafkawire::protocol
