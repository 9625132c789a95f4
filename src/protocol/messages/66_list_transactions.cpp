#include <kafkawire/protocol/messages/66_list_transactions.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(list_transactions_request, "ListTransactions", request)
KAFKAWIRE_MESSAGE(list_transactions_response, "ListTransactions", response)
}  // namespace kafkawire::protocol
