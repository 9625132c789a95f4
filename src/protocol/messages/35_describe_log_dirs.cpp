#include <kafkawire/protocol/messages/35_describe_log_dirs.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_log_dirs_request, "DescribeLogDirs", request)
KAFKAWIRE_MESSAGE(describe_log_dirs_response, "DescribeLogDirs", response)
}  // namespace kafkawire::protocol
