#include <kafkawire/protocol/messages/74_list_config_resources.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(list_config_resources_request, "ListConfigResources", request)
KAFKAWIRE_MESSAGE(list_config_resources_response, "ListConfigResources", response)
}  // namespace kafkawire::protocol
