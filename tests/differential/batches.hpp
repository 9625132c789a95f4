// Record batches as short descriptions, both ways.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include "script.hpp"

namespace differential {

/// The bytes of {with: [{k, v, h, t}], codec, magic, pid, epoch, seq, txn, ...} or of a list of such; README.md has all members.
/// `t` of a record is added to `first_time`. Throws std::runtime_error for a description that makes no sense.
kafkawire::protocol::bytes build_batches(const document& description, std::int64_t first_time);

/// What lies in a `records` field, batch by batch, and what is wrong with it.
document describe_batches(kafkawire::protocol::bytes_view records);

}  // namespace differential
