#include "broker/group_log.hpp"

namespace kafkawire::broker {

std::optional<protocol::bytes> encode_versioned(const protocol::message_schema& schema, const void* message, std::int16_t prefix, std::int16_t version) {
    protocol::bytes to{static_cast<std::byte>(prefix >> 8), static_cast<std::byte>(prefix & 0xff)};
    if (protocol::encode(schema, message, version, to)) return {};
    return to;
}

std::int16_t leading_number(protocol::bytes_view of) noexcept {
    if (of.size() < 2) return -1;
    return static_cast<std::int16_t>(std::to_integer<unsigned>(of[0]) << 8 | std::to_integer<unsigned>(of[1]));
}

appended_records append_records(partition& to, const group_records& records, const moment& now, const transaction_of& by) {
    protocol::batch_options options;
    options.producer_id = by.producer_id;
    options.producer_epoch = by.producer_epoch;
    options.transactional = by.producer_id >= 0;
    protocol::batch_builder builder{options};
    for (const auto& r : records) {
        const auto value = r.value ? protocol::nullable_bytes{protocol::bytes_view{*r.value}} : protocol::nullable_bytes{};
        if (builder.append(now.wall_ms(), protocol::bytes_view{r.key}, value) != errc{}) return {.error = broker_errc::message_too_large};
    }
    protocol::bytes_view bytes;
    if (builder.close(bytes)) return {.error = broker_errc::message_too_large};
    if (by.producer_id < 0) {
        const auto done = to.append(bytes);
        return {done.error, done.base_offset, done.last_offset};
    }
    // The partition must know of the transaction before anybody can read its records.
    protocol::record_batches whole{bytes, false};
    const auto* header = whole.next();
    const auto batch = producer_batch::of(*header);
    const auto checked = to.producers().check(batch, append_origin::coordinator, true);
    if (checked.is == producer_state::verdict::kind::refuse) return {.error = checked.error};
    const auto done = to.append_unseen(bytes, {});
    if (done.error == broker_errc::none) to.producers().appended(batch, done.base_offset, checked);
    to.progressed();
    return {done.error, done.base_offset, done.last_offset};
}

void when_replicated(partition& in, std::int64_t last_offset, unique_function<void(broker_errc)> then) { in.when_replicated(last_offset, std::move(then)); }

namespace {

void replay_batch(protocol::bytes_view bytes, protocol::decompressor& decompressor, protocol::byte_buffer& scratch, unique_function<void(const replayed&)>& take) {
    protocol::record_batches batches{bytes, false};
    while (const auto* found = batches.next()) {
        auto batch = *found;
        protocol::record_cursor cursor;
        if (protocol::open_batch(batch, decompressor, scratch, {}, cursor)) continue;
        const bool in_transaction = batch.is_transactional() || batch.is_control();
        while (const auto* r = cursor.next()) {
            replayed event{.offset = r->offset, .producer_id = in_transaction ? batch.producer_id : -1};
            if (batch.is_control()) {
                const auto end = protocol::parse_control(*r);
                if (!end || (end->type != protocol::control_type::commit && end->type != protocol::control_type::abort)) continue;
                event.end_committed = end->type == protocol::control_type::commit;
            } else {
                if (r->key.is_null()) continue;
                event.key = r->key.view();
                if (!r->value.is_null()) event.value = r->value.view();
            }
            take(event);
        }
    }
}

}  // namespace

void replay(const partition& from, unique_function<void(const replayed&)> take) {
    protocol::decompressor decompressor;
    protocol::byte_buffer scratch;
    from.log().for_each_batch(from.log().start_offset(), [&](protocol::bytes_view batch) { replay_batch(batch, decompressor, scratch, take); });
}

}  // namespace kafkawire::broker
