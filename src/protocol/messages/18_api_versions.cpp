#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(api_versions_request, "ApiVersions", request)
KAFKAWIRE_MESSAGE(api_versions_response, "ApiVersions", response)
}  // namespace kafkawire::protocol
