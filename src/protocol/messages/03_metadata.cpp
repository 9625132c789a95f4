#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(metadata_request, "Metadata", request)
KAFKAWIRE_MESSAGE(metadata_response, "Metadata", response)
}  // namespace kafkawire::protocol
