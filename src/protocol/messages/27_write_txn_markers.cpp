#include <kafkawire/protocol/messages/27_write_txn_markers.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(write_txn_markers_request, "WriteTxnMarkers", request)
KAFKAWIRE_MESSAGE(write_txn_markers_response, "WriteTxnMarkers", response)
}  // namespace kafkawire::protocol
