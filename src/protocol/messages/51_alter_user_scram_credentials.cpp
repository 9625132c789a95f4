#include <kafkawire/protocol/messages/51_alter_user_scram_credentials.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(alter_user_scram_credentials_request, "AlterUserScramCredentials", request)
KAFKAWIRE_MESSAGE(alter_user_scram_credentials_response, "AlterUserScramCredentials", response)
}  // namespace kafkawire::protocol
