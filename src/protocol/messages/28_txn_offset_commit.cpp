#include <kafkawire/protocol/messages/28_txn_offset_commit.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(txn_offset_commit_request, "TxnOffsetCommit", request)
KAFKAWIRE_MESSAGE(txn_offset_commit_response, "TxnOffsetCommit", response)
}  // namespace kafkawire::protocol
