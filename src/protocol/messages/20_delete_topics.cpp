#include <kafkawire/protocol/messages/20_delete_topics.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(delete_topics_request, "DeleteTopics", request)
KAFKAWIRE_MESSAGE(delete_topics_response, "DeleteTopics", response)
}  // namespace kafkawire::protocol
