#include <kafkawire/protocol/messages/61_describe_producers.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_producers_request, "DescribeProducers", request)
KAFKAWIRE_MESSAGE(describe_producers_response, "DescribeProducers", response)
}  // namespace kafkawire::protocol
