// Records on their way to Kafka, and what became of them.
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/record.hpp>

#include <chrono>
#include <optional>

namespace kafkawire::inline v0_1 {

/// A time as Kafka stores it: milliseconds since 1970.
using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;
using protocol::header_view;
using protocol::nullable_bytes;

/// A record to be sent: views only, nothing is owned, so that it can be written inside a co_await. What it refers to is borrowed until the
/// record is accepted: until the call returns, or, for one that had to wait for room, until the operation completes.
struct record {
    std::string_view topic = {};
    nullable_bytes key = {};                             ///< null: none
    nullable_bytes value = {};                           ///< null: a tombstone
    std::span<const header_view> headers = {};
    std::int32_t partition = -1;                         ///< -1: the partitioner chooses
    std::optional<kafkawire::timestamp> timestamp = {};  ///< none: now
    std::uint64_t tag = 0;                               ///< comes back in delivery reports; 0: none, and costs nothing
};

/// Where a record is now. `topic` is a name that lives as long as the client.
struct delivery {
    std::string_view topic;
    std::int32_t partition = -1;
    std::int64_t offset = -1;                            ///< -1: not told (acks=0, or the broker had the record already and said no more)
    kafkawire::timestamp timestamp{};                    ///< of the record; of the broker where the topic is set up so
};

/// What became of one batch: of records of one partition that follow each other. Views are valid inside the handler only.
struct delivery_report {
    std::string_view topic;
    std::int32_t partition = -1;
    std::int64_t base_offset = -1;                       ///< of the first; the others follow without gaps
    std::size_t count = 0;
    kafkawire::timestamp timestamp{};                    ///< of the first
    const error* why = nullptr;                          ///< null: acknowledged; else condition::not_persisted or maybe_persisted
    std::span<const std::uint64_t> tags;                 ///< one for each record, if any of them had one; else empty
};

/// What became of the records of one async_send_batch.
struct batch_result {
    std::size_t acknowledged = 0;
    std::size_t not_persisted = 0;                       ///< certainly not in the log
    std::size_t maybe_persisted = 0;                     ///< nobody knows
};

}  // namespace kafkawire::inline v0_1
