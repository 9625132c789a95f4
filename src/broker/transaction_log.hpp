// The records of __transaction_state, in Kafka's own formats: one per step of a transactional id, keyed by it; no value when it is
// forgotten.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include "broker/transaction_fsm.hpp"

namespace kafkawire::broker {

struct transaction_log_record {
    protocol::bytes key;
    std::optional<protocol::bytes> value;  // none: a tombstone
};

/// A step as it is written. With a transaction version of 1 and more the value has version 1, which knows next ids and client versions.
/// Dead makes a tombstone.
[[nodiscard]] transaction_log_record to_log_record(const std::string& id, const transaction_facts& facts, std::int16_t transaction_version);

struct logged_transaction {
    std::string id;
    std::optional<transaction_facts> facts;  // none: forgotten
};
/// A record as it lies in the log; nothing if it is not one of these, or of a version that is not known.
[[nodiscard]] std::optional<logged_transaction> from_log_record(protocol::bytes_view key, const std::optional<protocol::bytes_view>& value);

}  // namespace kafkawire::broker
