#include <kafkawire/protocol/messages/33_alter_configs.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(alter_configs_request, "AlterConfigs", request)
KAFKAWIRE_MESSAGE(alter_configs_response, "AlterConfigs", response)
}  // namespace kafkawire::protocol
