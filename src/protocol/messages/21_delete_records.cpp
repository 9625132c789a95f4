#include <kafkawire/protocol/messages/21_delete_records.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(delete_records_request, "DeleteRecords", request)
KAFKAWIRE_MESSAGE(delete_records_response, "DeleteRecords", response)
}  // namespace kafkawire::protocol
