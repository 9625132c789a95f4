#include <kafkawire/protocol/messages/24_add_partitions_to_txn.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(add_partitions_to_txn_request, "AddPartitionsToTxn", request)
KAFKAWIRE_MESSAGE(add_partitions_to_txn_response, "AddPartitionsToTxn", response)
}  // namespace kafkawire::protocol
