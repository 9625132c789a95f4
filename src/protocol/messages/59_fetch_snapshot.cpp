#include <kafkawire/protocol/messages/59_fetch_snapshot.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(fetch_snapshot_request, "FetchSnapshot", request)
KAFKAWIRE_MESSAGE(fetch_snapshot_response, "FetchSnapshot", response)
}  // namespace kafkawire::protocol
