#include <kafkawire/protocol/messages/69_consumer_group_describe.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(consumer_group_describe_request, "ConsumerGroupDescribe", request)
KAFKAWIRE_MESSAGE(consumer_group_describe_response, "ConsumerGroupDescribe", response)
}  // namespace kafkawire::protocol
