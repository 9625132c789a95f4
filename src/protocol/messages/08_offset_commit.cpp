#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(offset_commit_request, "OffsetCommit", request)
KAFKAWIRE_MESSAGE(offset_commit_response, "OffsetCommit", response)
}  // namespace kafkawire::protocol
