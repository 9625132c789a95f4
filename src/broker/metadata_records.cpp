#include "broker/metadata_records.hpp"

#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(topic_record, "TopicRecord", record_value)
KAFKAWIRE_MESSAGE(partition_record, "PartitionRecord", record_value)
KAFKAWIRE_MESSAGE(config_record, "ConfigRecord", record_value)
KAFKAWIRE_MESSAGE(remove_topic_record, "RemoveTopicRecord", record_value)
KAFKAWIRE_MESSAGE(producer_ids_record, "ProducerIdsRecord", record_value)
}  // namespace kafkawire::protocol
