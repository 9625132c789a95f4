// The rare steps of walking records, and records that own their bytes.
#include <kafkawire/records.hpp>

// Opened as the header does that declares them: clang's names of symbols go by that.
namespace kafkawire::inline v0_1 {

consumer_record::consumer_record(const record_view& from)
    : topic{from.topic}, partition{from.partition}, offset{from.offset}, timestamp{from.timestamp}, leader_epoch{from.leader_epoch}, timestamps{from.timestamps} {
    if (!from.key.is_null()) key.emplace(from.key.text());
    if (!from.value.is_null()) value.emplace(from.value.text());
    headers.reserve(from.headers.size());
    for (const auto h : from.headers) {
        auto& mine = headers.emplace_back();
        mine.key = h.key;
        if (!h.value.is_null()) mine.value.emplace(h.value.text());
    }
}

namespace client_detail {

void note_walk(const record_chunk& chunk, const protocol::records_error& why, std::int64_t at) noexcept {
    auto& to = *chunk.walked;
    if (to.writing.exchange(true)) return;  // the first one counts
    to.error = why;
    to.at = at;
    to.failed.store(true, std::memory_order_release);
}

error story_of(const record_chunk& chunk) {
    error e;
    const auto& walked = *chunk.walked;
    if (!walked.failed.load(std::memory_order_acquire)) return e;
    e.code = make_error_code(walked.error.code);
    e.text = *chunk.topic + '-' + std::to_string(chunk.partition) + " at offset " + std::to_string(walked.at) + ": " + walked.error.message();
    e.hint = "skip() steps over the batch";
    return e;
}

}  // namespace client_detail

void partition_records::iterator::next_batch() noexcept {
    for (;;) {
        if (const auto& wrong = cursor_.error()) {
            client_detail::note_walk(*chunk_, wrong, now_.offset + 1);
            break;
        }
        if (++batch_ >= chunk_->batches.size()) break;
        cursor_ = chunk_->batches[batch_].cursor;
        if (const auto* r = cursor_.next()) return show(*r);
    }
    left_ = -1;
}

// All that was announced was given. A last batch that holds more than it announces is wrong nevertheless.
void partition_records::iterator::finish() noexcept {
    left_ = -1;
    if (!chunk_ || batch_ + 1 < chunk_->batches.size() || cursor_.next()) return;
    if (const auto& wrong = cursor_.error()) client_detail::note_walk(*chunk_, wrong, now_.offset + 1);
}

void records::iterator::next_part() {
    while (next_ && next_ != end_) {
        in_ = next_->begin();
        ++next_;
        if (!in_.ended()) return;
    }
    in_ = {};
    next_ = end_ = nullptr;
}

error records::error() const {
    for (const auto& p : parts_)
        if (auto e = p.error()) return e;
    return {};
}

}  // namespace kafkawire::inline v0_1
