// compaction: of a log whose topic keeps the last record of each key, what nobody needs any more goes: older records of a key, and records of
// transactions that were aborted. Records keep their offsets. It is for the cluster's own topics, so that they do not grow for ever, and for users'
// topics with cleanup.policy=compact.
// Never: touches records at or above the last stable offset, or (with files) in the last segment.
//
// Differences to Kafka's cleaner: tombstones of a key go with the key at once in the cluster's own topics, and stay in users' topics; committed records
// of transactions are written as plain ones, since all there is to know about them is known; keys are compared, not their hashes.
#pragma once
#include "broker/partition.hpp"

namespace kafkawire::broker {

/// Compacts what can be. `drop_tombstones`: a key whose last record has no value leaves nothing. Errors are the disk's; the log is as it was then.
std::error_code compact(partition& p, bool drop_tombstones);

}  // namespace kafkawire::broker
