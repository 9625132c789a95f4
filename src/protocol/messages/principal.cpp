#include <kafkawire/protocol/messages/principal.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(default_principal_data, "DefaultPrincipalData", data)
}  // namespace kafkawire::protocol
