#include <kafkawire/protocol/messages/44_incremental_alter_configs.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(incremental_alter_configs_request, "IncrementalAlterConfigs", request)
KAFKAWIRE_MESSAGE(incremental_alter_configs_response, "IncrementalAlterConfigs", response)
}  // namespace kafkawire::protocol
