#include <kafkawire/protocol/messages/87_read_share_group_state_summary.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(read_share_group_state_summary_request, "ReadShareGroupStateSummary", request)
KAFKAWIRE_MESSAGE(read_share_group_state_summary_response, "ReadShareGroupStateSummary", response)
}  // namespace kafkawire::protocol
