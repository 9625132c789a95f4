// sender_fsm: batches that are compressed elsewhere; and, below, what old brokers cannot take as it was built (old_formats.hpp).
#include <kafkawire/protocol/record_batch.hpp>

#include "client/old_formats.hpp"

namespace kafkawire::client_detail {

namespace {

constexpr std::size_t kept_jobs = 8;  // each has the buffers of a batch, and its codec's

}  // namespace

// The batch has its place in the queue from now on, and what comes behind it waits for it.
void sender_fsm::send_away(partition_queue& p, batch_ptr b, protocol::batch_builder& build, sender_actions& out) {
    auto job = free_jobs_.empty() ? std::make_shared<compress_job>() : std::move(free_jobs_.back());
    if (!free_jobs_.empty()) free_jobs_.pop_back();
    std::swap(job->builder, build);
    job->bytes = take_buffer();
    job->wrong = {};
    job->batch = b;
    b->compressing = true;
    counts_.records += static_cast<std::uint64_t>(b->count);
    ++counts_.batches;
    p.closed.push_back(std::move(b));
    out.push_back(compress_batch{std::move(job)});
}

void compress_job::run() noexcept {
    try {
        wrong = builder.finish(*bytes, records_sum, with);
    } catch (...) {
        wrong = {errc::compression_failed, "no memory to compress a batch"};
    }
}

void sender_fsm::compressed(const std::shared_ptr<compress_job>& job, time_point now, std::int64_t wall_ms, sender_actions& out) {
    const auto b = std::exchange(job->batch, {}).lock();
    auto bytes = std::move(job->bytes);
    if (free_jobs_.size() < kept_jobs) free_jobs_.push_back(job);
    if (stopped_ || !b || b->told) return recycle(std::move(bytes));  // it was told meanwhile: its time was over, or its transaction
    auto& p = *b->where;
    b->compressing = false;
    if (job->wrong) {
        error why;
        why.code = job->wrong.code;
        why.text = std::string{job->wrong.what};
        const auto story = std::make_shared<const error>(std::move(why));
        if (settings_.transactional) fail_transaction_for(story, out);
        tell(*b, story, -1, -1, out);
        std::erase(p.closed, b);
        forget(b);
        recycle(std::move(bytes));
    } else {
        b->bytes = std::move(bytes);
        b->records_sum = job->records_sum;
        used_ -= b->charged;
        b->charged = b->bytes->size();
        used_ += b->charged;
    }
    admit_waiting(now, wall_ms, out);
    consider(p, now, true, out);
    if (p.leader >= 0) pump(broker(p.leader), now, true, out);
}

using protocol::codec_error;

codec_error check_for_version(protocol::bytes_view batch, std::int16_t produce_version, bool sequenced) noexcept {
    if (produce_version >= first_with_zstd) return {};
    if (sequenced && produce_version < first_with_batches)
        return {errc::not_in_version, "the broker is older than Kafka 0.11 and keeps no sequences, while others of its cluster do: idempotence = off sends to it at least once"};
    constexpr std::size_t codec_at = 22;  // the low byte of the attributes
    if (batch.size() > codec_at && (std::to_integer<unsigned>(batch[codec_at]) & 7) == static_cast<unsigned>(protocol::compression::zstd))
        return {errc::not_in_version, "the broker is older than Kafka 2.1 and has no zstd: compression = lz4 or gzip works with it"};
    return {};
}

codec_error as_messages(protocol::bytes_view batch, std::int16_t produce_version, int level, protocol::byte_buffer& to) {
    protocol::record_reader in{batch};
    protocol::batch_builder build;
    const auto* r = in.next();
    build.start({.magic = static_cast<std::int8_t>(produce_version < 2 ? 0 : 1), .codec = in.batch().codec(), .level = level});
    build.reserve(batch.size() + batch.size() / 2);
    for (; r; r = in.next()) {
        if (!r->headers.empty()) return {errc::not_in_version, "the broker is older than Kafka 0.11, and its records have no headers: send them without"};
        if (const auto wrong = build.append(r->timestamp, r->key, r->value); wrong != errc{}) return {wrong, "the records of the batch do not fit into the broker's older format"};
    }
    if (in.error()) return {in.error().code, "a batch of our own cannot be read"};
    protocol::bytes_view messages;
    if (const auto wrong = build.close(messages)) return wrong;
    to.append(messages);
    return {};
}

bool adapt(produce_part& part, std::int16_t produce_version, bool sequenced) {
    part.unsayable = check_for_version(part.bytes->view(), produce_version, sequenced);
    if (!part.unsayable && produce_version < first_with_batches) {
        auto messages = std::make_shared<protocol::byte_buffer>();
        part.unsayable = as_messages(part.bytes->view(), produce_version, part.where->topic->settings.level, *messages);
        if (!part.unsayable) part.bytes = std::move(messages);
    }
    return !part.unsayable;
}

}  // namespace kafkawire::client_detail
