#include <kafkawire/protocol/messages/offsets_topic.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(offset_commit_key, "OffsetCommitKey", record_key)
KAFKAWIRE_MESSAGE(offset_commit_value, "OffsetCommitValue", record_value)
KAFKAWIRE_MESSAGE(legacy_offset_commit_key, "LegacyOffsetCommitKey", record_key)
KAFKAWIRE_MESSAGE(legacy_offset_commit_value, "LegacyOffsetCommitValue", record_value)
KAFKAWIRE_MESSAGE(group_metadata_key, "GroupMetadataKey", record_key)
KAFKAWIRE_MESSAGE(group_metadata_value, "GroupMetadataValue", record_value)
}  // namespace kafkawire::protocol
