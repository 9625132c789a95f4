#include <kafkawire/protocol/messages/14_sync_group.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(sync_group_request, "SyncGroup", request)
KAFKAWIRE_MESSAGE(sync_group_response, "SyncGroup", response)
}  // namespace kafkawire::protocol
