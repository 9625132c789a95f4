// What coordinators keep in __consumer_offsets, in Kafka's own formats: a key is the number of its kind and a message of version 0, a value a
// version and a message of it; no value is a tombstone. Functions to make such records, to append them and to read them back.
#pragma once
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <vector>

#include "broker/clock.hpp"
#include "broker/partition.hpp"

namespace kafkawire::broker {



struct group_record {
    protocol::bytes key;
    std::optional<protocol::bytes> value;  ///< none: a tombstone
};
using group_records = std::vector<group_record>;

/// `version`, then the message; nothing if the format cannot say it (a string that is too long for it).
[[nodiscard]] std::optional<protocol::bytes> encode_versioned(const protocol::message_schema& schema, const void* message, std::int16_t prefix, std::int16_t version);
template <class Key>
[[nodiscard]] std::optional<protocol::bytes> encode_key(const Key& key) {
    return encode_versioned(protocol::schema_of<Key>(), &key, Key::key, 0);
}
/// Appends a record, unless the formats cannot say it.
template <class Key, class Value>
void put(group_records& to, const Key& key, const Value& value, std::int16_t version) {
    auto k = encode_key(key);
    auto v = encode_versioned(protocol::schema_of<Value>(), &value, version, version);
    if (k && v) to.push_back({std::move(*k), std::move(*v)});
}
template <class Key>
void put_tombstone(group_records& to, const Key& key) {
    if (auto k = encode_key(key)) to.push_back({std::move(*k), {}});
}

/// The number at the front of a key or value; -1: there is none.
[[nodiscard]] std::int16_t leading_number(protocol::bytes_view of) noexcept;
/// Decodes what follows the number at the front. Keys are of version 0; values say theirs.
template <class Message>
[[nodiscard]] bool decode_key(Message& to, protocol::bytes_view from) {
    return from.size() >= 2 && !protocol::decode(to, from.subspan(2), 0);
}
template <class Message>
[[nodiscard]] bool decode_value(Message& to, protocol::bytes_view from) {
    const auto version = leading_number(from);
    return version >= 0 && Message::versions.contains(version) && !protocol::decode(to, from.subspan(2), version);
}

/// Who writes a batch, where it belongs to a transaction.
struct transaction_of {
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
};

struct appended_records {
    broker_errc error = broker_errc::none;
    std::int64_t base_offset = -1, last_offset = -1;
};
/// Appends the records as one batch, as the leader, at the present time. At least one record.
[[nodiscard]] appended_records append_records(partition& to, const group_records& records, const moment& now, const transaction_of& by = {});

/// Calls `then` once the records up to `last_offset` are on all in-sync replicas, or with an error once they cannot be any more.
void when_replicated(partition& in, std::int64_t last_offset, unique_function<void(broker_errc)> then);

/// A record or the end of a transaction, as it is read back.
struct replayed {
    std::int64_t offset = -1;
    std::int64_t producer_id = -1;                  ///< of a transaction's records and its end; -1: of none
    std::optional<bool> end_committed{};            ///< the end of a transaction
    protocol::bytes_view key{};                     ///< of a record; valid during the call
    std::optional<protocol::bytes_view> value{};
};
/// Calls `take` for everything in the partition, in order. What cannot be read is skipped: a coordinator that does not start helps nobody.
void replay(const partition& from, unique_function<void(const replayed&)> take);

}  // namespace kafkawire::broker
