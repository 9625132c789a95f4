#include <kafkawire/protocol/messages/06_update_metadata.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(update_metadata_request, "UpdateMetadata", request)
KAFKAWIRE_MESSAGE(update_metadata_response, "UpdateMetadata", response)
}  // namespace kafkawire::protocol
