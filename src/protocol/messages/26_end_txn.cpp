#include <kafkawire/protocol/messages/26_end_txn.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(end_txn_request, "EndTxn", request)
KAFKAWIRE_MESSAGE(end_txn_response, "EndTxn", response)
}  // namespace kafkawire::protocol
