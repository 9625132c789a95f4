#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(create_topics_request, "CreateTopics", request)
KAFKAWIRE_MESSAGE(create_topics_response, "CreateTopics", response)
}  // namespace kafkawire::protocol
