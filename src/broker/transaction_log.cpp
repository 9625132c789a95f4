#include "broker/transaction_log.hpp"

#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/transaction_log.hpp>

namespace kafkawire::broker {
namespace {

using key_message = protocol::messages::transaction_log_key;
using value_message = protocol::messages::transaction_log_value;

// Keys and values begin with two bytes that say their kind or version.
protocol::bytes prefixed(std::int16_t number) { return {static_cast<std::byte>(number >> 8), static_cast<std::byte>(number & 0xff)}; }

std::optional<std::int16_t> prefix_of(protocol::bytes_view b) {
    if (b.size() < 2) return {};
    return static_cast<std::int16_t>(std::to_integer<int>(b[0]) << 8 | std::to_integer<int>(b[1]));
}

template <class Message>
std::optional<Message> read(protocol::bytes_view from, std::int16_t version) {
    Message m;
    if (protocol::decode(m, from.subspan(2), version)) return {};
    return m;
}

}  // namespace

transaction_log_record to_log_record(const std::string& id, const transaction_facts& facts, std::int16_t transaction_version) {
    transaction_log_record to{prefixed(0), {}};
    key_message key;
    key.transactional_id = id;
    // Neither can fail: all fields are in these versions, and ids came out of a request.
    static_cast<void>(protocol::encode(key, 0, to.key));
    if (facts.status == transaction_status::dead) return to;
    value_message v;
    v.producer_id = facts.producer_id;
    v.producer_epoch = facts.epoch;
    v.transaction_timeout_ms = facts.timeout_ms;
    v.transaction_status = static_cast<std::int8_t>(facts.status);
    v.transaction_last_update_timestamp_ms = facts.last_update_ms;
    v.transaction_start_timestamp_ms = facts.start_ms;
    v.transaction_partitions.reset();
    if (facts.status != transaction_status::empty) {
        auto& topics = v.transaction_partitions.emplace();
        for (const auto& p : facts.partitions) {
            if (topics.empty() || topics.back().topic != p.topic) topics.push_back({p.topic, {}, {}});
            topics.back().partition_ids.push_back(p.partition);
        }
    }
    const std::int16_t version = transaction_version >= 1 ? 1 : 0;
    if (version >= 1) {
        v.previous_producer_id = facts.previous_producer_id;
        v.next_producer_id = facts.next_producer_id;
        v.client_transaction_version = facts.client_version;
    }
    static_cast<void>(protocol::encode(v, version, to.value.emplace(prefixed(version))));
    return to;
}

std::optional<logged_transaction> from_log_record(protocol::bytes_view key, const std::optional<protocol::bytes_view>& value) {
    if (prefix_of(key) != 0) return {};
    auto k = read<key_message>(key, 0);
    if (!k) return {};
    logged_transaction to{std::move(k->transactional_id), {}};
    if (!value) return to;
    const auto version = prefix_of(*value);
    if (!version || *version < 0 || *version > 1) return {};
    const auto v = read<value_message>(*value, *version);
    // The states that are only passed through are never written, and times are times: a file that says otherwise is not believed.
    constexpr std::int64_t end_of_time = std::int64_t{1} << 60;
    if (!v || v->transaction_status < 0 || v->transaction_status >= static_cast<int>(transaction_status::dead)) return {};
    if (v->transaction_start_timestamp_ms < -1 || v->transaction_start_timestamp_ms > end_of_time || v->transaction_timeout_ms < 0)
        return {};
    auto& f = to.facts.emplace();
    f.producer_id = v->producer_id;
    f.previous_producer_id = v->previous_producer_id;
    f.next_producer_id = v->next_producer_id;
    f.epoch = v->producer_epoch;
    f.timeout_ms = v->transaction_timeout_ms;
    f.status = static_cast<transaction_status>(v->transaction_status);
    f.start_ms = v->transaction_start_timestamp_ms;
    f.last_update_ms = v->transaction_last_update_timestamp_ms;
    f.client_version = v->client_transaction_version;
    if (f.status != transaction_status::empty && v->transaction_partitions)
        for (const auto& t : *v->transaction_partitions)
            for (const auto p : t.partition_ids) f.partitions.insert({t.topic, p});
    return to;
}

}  // namespace kafkawire::broker
