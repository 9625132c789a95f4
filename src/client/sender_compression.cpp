// sender_fsm: batches that are compressed elsewhere.
#include "client/sender_fsm.hpp"

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

}  // namespace kafkawire::client_detail
