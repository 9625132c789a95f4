#include <kafkawire/protocol/messages/65_describe_transactions.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_transactions_request, "DescribeTransactions", request)
KAFKAWIRE_MESSAGE(describe_transactions_response, "DescribeTransactions", response)
}  // namespace kafkawire::protocol
