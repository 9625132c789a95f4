#include <kafkawire/protocol/messages/60_describe_cluster.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_cluster_request, "DescribeCluster", request)
KAFKAWIRE_MESSAGE(describe_cluster_response, "DescribeCluster", response)
}  // namespace kafkawire::protocol
