#include <kafkawire/protocol/messages/transaction_log.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(transaction_log_key, "TransactionLogKey", record_key)
KAFKAWIRE_MESSAGE(transaction_log_value, "TransactionLogValue", record_value)
}  // namespace kafkawire::protocol
