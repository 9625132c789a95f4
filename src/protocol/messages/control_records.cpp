#include <kafkawire/protocol/messages/control_records.hpp>
#include <kafkawire/protocol/schema_table.hpp>

namespace kafkawire::protocol {
KAFKAWIRE_MESSAGE(control_record_type_schema, "ControlRecordTypeSchema", data)
KAFKAWIRE_MESSAGE(end_txn_marker, "EndTxnMarker", data)
KAFKAWIRE_MESSAGE(leader_change_message, "LeaderChangeMessage", data)
KAFKAWIRE_MESSAGE(snapshot_header_record, "SnapshotHeaderRecord", data)
KAFKAWIRE_MESSAGE(snapshot_footer_record, "SnapshotFooterRecord", data)
KAFKAWIRE_MESSAGE(kraft_version_record, "KRaftVersionRecord", data)
KAFKAWIRE_MESSAGE(voters_record, "VotersRecord", data)
}  // namespace kafkawire::protocol
