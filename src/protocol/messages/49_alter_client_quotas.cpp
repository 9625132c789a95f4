#include <kafkawire/protocol/messages/49_alter_client_quotas.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(alter_client_quotas_request, "AlterClientQuotas", request)
KAFKAWIRE_MESSAGE(alter_client_quotas_response, "AlterClientQuotas", response)
}  // namespace kafkawire::protocol
