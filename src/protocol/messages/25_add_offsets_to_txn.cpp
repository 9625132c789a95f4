#include <kafkawire/protocol/messages/25_add_offsets_to_txn.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(add_offsets_to_txn_request, "AddOffsetsToTxn", request)
KAFKAWIRE_MESSAGE(add_offsets_to_txn_response, "AddOffsetsToTxn", response)
}  // namespace kafkawire::protocol
