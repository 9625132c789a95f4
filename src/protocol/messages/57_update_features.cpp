#include <kafkawire/protocol/messages/57_update_features.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(update_features_request, "UpdateFeatures", request)
KAFKAWIRE_MESSAGE(update_features_response, "UpdateFeatures", response)
}  // namespace kafkawire::protocol
