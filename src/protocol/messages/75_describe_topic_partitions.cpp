#include <kafkawire/protocol/messages/75_describe_topic_partitions.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_topic_partitions_request, "DescribeTopicPartitions", request)
KAFKAWIRE_MESSAGE(describe_topic_partitions_response, "DescribeTopicPartitions", response)
}  // namespace kafkawire::protocol
