#include <kafkawire/protocol/messages/50_describe_user_scram_credentials.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(describe_user_scram_credentials_request, "DescribeUserScramCredentials", request)
KAFKAWIRE_MESSAGE(describe_user_scram_credentials_response, "DescribeUserScramCredentials", response)
}  // namespace kafkawire::protocol
