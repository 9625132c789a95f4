#include "broker/log.hpp"

#include <kafkawire/protocol/crc32c.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>
#include <cstring>

#include "protocol/batch_layout.hpp"

namespace kafkawire::broker {
namespace {

constexpr std::size_t smallest_slab = 16u << 10, largest_slab = 4u << 20;
namespace field = protocol::detail::format2;
using protocol::detail::get;
using protocol::detail::put;

// The header's fields that change when a batch is appended; the checksum covers all but the first two. Bit 3 of the attributes says whose clock
// the timestamps are of.
void stamp(std::byte* batch, std::size_t size, std::int64_t base_offset, const log::changes& how) {
    put(batch, base_offset);
    put(batch + field::leader_epoch, how.leader_epoch);
    if (!how.max_timestamp && !how.log_append_time) return;
    const auto attributes = get<std::int16_t>(batch + field::attributes);
    put(batch + field::attributes, static_cast<std::int16_t>(how.log_append_time ? attributes | 8 : attributes & ~8));
    put(batch + field::max_timestamp, how.log_append_time ? *how.log_append_time : *how.max_timestamp);
    put(batch + field::crc, protocol::crc32c({batch + field::attributes, size - field::attributes}));
}

}  // namespace

log::~log() {
    for (const auto& s : slabs_) budget_->release(s.ticket, s.charged);
}

std::size_t log::find(std::int64_t offset) const noexcept {
    // Most readers are at the end or near it.
    if (entries_.empty() || entries_.back().last_offset < offset) return entries_.size();
    return static_cast<std::size_t>(std::partition_point(entries_.begin(), entries_.end(), [&](const entry& e) { return e.last_offset < offset; }) -
                                    entries_.begin());
}

std::error_code log::open(std::unique_ptr<segment_store> files, std::uint64_t segment_bytes) {
    files_ = std::move(files);
    segment_bytes_ = segment_bytes;
    start_ = end_ = files_->saved_start();
    epochs_ = files_->saved_epochs();
    const auto ec = files_->open([this](const protocol::record_batch& b, const segment_store::place& where) {
        entries_.push_back({b.base_offset, b.last_offset, b.max_timestamp, b.partition_leader_epoch, static_cast<std::uint32_t>(b.whole.size()), nullptr, where});
        size_ += b.whole.size();
        end_ = std::max(end_, b.next_offset());
        // What the last crash kept from being saved.
        if (epochs_.empty() || b.partition_leader_epoch > epochs_.back().epoch) epochs_.push_back({b.partition_leader_epoch, b.base_offset});
    });
    if (ec) return ec;
    if (!files_->segments().empty()) start_ = std::max(start_, files_->segments().front());
    while (!entries_.empty() && entries_.front().last_offset < start_) drop_front();
    truncate_epochs();
    return {};
}

std::byte* log::room(std::size_t bytes) {
    if (slabs_.empty() || slabs_.back().capacity - slabs_.back().used < bytes) {
        const auto grown = slabs_.empty() ? smallest_slab : std::min(largest_slab, slabs_.back().capacity * 4);
        slab s;
        s.capacity = s.charged = std::max(grown, bytes);
        s.bytes = std::make_shared_for_overwrite<std::byte[]>(s.capacity);
        s.first = first_number_ + entries_.size();
        s.ticket = budget_->take(*this, s.charged);
        slabs_.push_back(std::move(s));
    }
    return slabs_.back().bytes.get() + slabs_.back().used;
}

std::error_code log::append(protocol::bytes_view batch, const changes& how, std::int64_t& base_offset) {
    auto* at = room(batch.size());
    std::memcpy(at, batch.data(), batch.size());
    stamp(at, batch.size(), end_, how);
    segment_store::place place;
    if (files_)
        if (auto ec = files_->append({at, batch.size()}, end_, segment_bytes_, place)) return ec;
    auto& s = slabs_.back();
    s.used += batch.size();
    s.charged += sizeof(entry);
    budget_->grow(sizeof(entry));
    if (epochs_.empty() || how.leader_epoch > epochs_.back().epoch) begin_epoch(how.leader_epoch);
    const auto last = end_ + get<std::int32_t>(at + field::last_offset_delta);
    entries_.push_back({end_, last, get<std::int64_t>(at + field::max_timestamp), how.leader_epoch, static_cast<std::uint32_t>(batch.size()), at, place});
    size_ += batch.size();
    base_offset = std::exchange(end_, last + 1);
    if (budget_->used() > budget_->limit()) budget_->enforce(s.ticket);
    return {};
}

const log::slab* log::slab_of(std::uint64_t number) const noexcept {
    const auto after = std::partition_point(slabs_.begin(), slabs_.end(), [&](const slab& s) { return s.first <= number; });
    return after == slabs_.begin() ? nullptr : &*std::prev(after);
}

log::slice log::read(std::int64_t offset, std::int64_t limit, std::size_t max_bytes, bool first_whole) const {
    const auto from = find(offset);
    if (from == entries_.size() || entries_[from].base_offset >= limit) return {};
    const auto& first = entries_[from];
    const auto most = first_whole ? std::max<std::size_t>(max_bytes, first.size) : max_bytes;
    const auto* in = first.at ? slab_of(first_number_ + from) : nullptr;
    std::size_t bytes = 0;
    for (auto at = from; at < entries_.size() && entries_[at].base_offset < limit && bytes < most; ++at) {
        const auto& e = entries_[at];
        // Neighbours only; a truncation leaves a gap in its slab, whose bytes may still be on their way to somebody.
        if (in ? e.at != first.at + bytes || e.at >= in->bytes.get() + in->used : e.place.segment != first.place.segment || e.place.at != first.place.at + bytes) break;
        bytes += e.size;
    }
    bytes = std::min(bytes, most);
    if (bytes == 0) return {};
    if (in) return {{first.at, bytes}, in->bytes};
    auto block = std::make_shared_for_overwrite<std::byte[]>(bytes);
    if (files_->read(first.place, {block.get(), bytes})) return {};
    return {{block.get(), bytes}, block};
}

std::int64_t log::offset_behind(std::int64_t offset, std::size_t bytes) const noexcept {
    auto next = offset;
    for (auto at = find(offset); at < entries_.size() && bytes > 0; ++at) {
        bytes -= std::min<std::size_t>(bytes, entries_[at].size);
        next = entries_[at].last_offset + 1;
    }
    return next;
}

std::int64_t log::for_each_in(protocol::bytes_view batches, void* to, take_batch take) {
    std::int64_t next = 0;
    protocol::record_batches in{batches, false};
    while (const auto* b = in.next()) {
        take(to, b->whole);
        next = b->next_offset();
    }
    return next > 0 ? next : std::numeric_limits<std::int64_t>::max();
}

void log::drop_front() {
    size_ -= entries_.front().size;
    entries_.pop_front();
    ++first_number_;
    while (slabs_.size() > 1 && slabs_[1].first <= first_number_) drop_slab();
}

void log::drop_slab() {
    budget_->release(slabs_.front().ticket, slabs_.front().charged);
    slabs_.pop_front();
}

void log::drop_back() {
    size_ -= entries_.back().size;
    entries_.pop_back();
    const auto numbers = first_number_ + entries_.size();
    while (!slabs_.empty() && slabs_.back().first >= numbers && slabs_.size() > 1) {
        budget_->release(slabs_.back().ticket, slabs_.back().charged);
        slabs_.pop_back();
    }
    // The bytes of what went are not used again, but the slab goes on.
    if (!slabs_.empty()) slabs_.back().first = std::min(slabs_.back().first, numbers);
}

// The budget takes the oldest slab. With files its batches are still there; without, the log begins behind them.
void log::give_back(memory_budget::ticket which) {
    if (slabs_.empty() || slabs_.front().ticket != which) return;
    const auto end_number = slabs_.size() > 1 ? slabs_[1].first : first_number_ + entries_.size();
    const auto count = static_cast<std::size_t>(end_number - std::min(end_number, first_number_));
    if (files_) {
        for (std::size_t i = 0; i < count; ++i) entries_[i].at = nullptr;
    } else {
        if (count > 0) start_ = std::max(start_, entries_[count - 1].last_offset + 1);
        for (std::size_t i = 0; i < count; ++i) {
            size_ -= entries_.front().size;
            entries_.pop_front();
        }
        first_number_ += count;
        truncate_epochs();
    }
    drop_slab();
}

std::error_code log::truncate_to(std::int64_t offset) {
    const auto before = entries_.size();
    const auto from = find(offset);
    if (files_ && from < before)
        if (auto ec = files_->truncate(entries_[from].place)) return ec;
    while (entries_.size() > from) drop_back();
    end_ = std::min(end_, entries_.empty() ? std::max(std::min(offset, end_), start_) : std::max(entries_.back().last_offset + 1, start_));
    const auto epochs = epochs_.size();
    while (!epochs_.empty() && epochs_.back().offset >= end_ && epochs_.back().offset > start_) epochs_.pop_back();
    if (epochs != epochs_.size()) save_epochs();
    return {};
}

std::error_code log::raise_start(std::int64_t offset) {
    if (offset <= start_) return {};
    start_ = offset;
    while (!entries_.empty() && entries_.front().last_offset < start_) drop_front();
    end_ = std::max(end_, start_);
    truncate_epochs();
    if (!files_) return {};
    if (auto ec = files_->save_start(start_)) return ec;
    save_epochs();
    return files_->remove_before(start_);
}

std::error_code log::replace_front(std::size_t count, const std::vector<protocol::bytes>& batches) {
    count = std::min(count, entries_.size());
    if (count == 0 || batches.size() > count) return {};
    protocol::bytes all;
    for (const auto& b : batches) all.insert(all.end(), b.begin(), b.end());
    if (files_) {
        const auto upto = count < entries_.size() ? entries_[count].place.segment : std::numeric_limits<std::int64_t>::max();
        // Only whole segments can be put in the place of others.
        if (count == entries_.size() || entries_[count].place.at != 0) return std::make_error_code(std::errc::invalid_argument);
        if (auto ec = files_->rewrite(upto, files_->segments().front(), all)) return ec;
    }
    std::deque<entry> tail(entries_.begin() + static_cast<std::ptrdiff_t>(count), entries_.end());
    const auto tail_number = first_number_ + count;
    while (!slabs_.empty() && (slabs_.size() == 1 ? first_number_ + entries_.size() : slabs_[1].first) <= tail_number) drop_slab();
    // What stays is numbered as before, so that the slabs that are kept need not change; a slab that both parts lie in stays for the tail.
    entries_.clear();
    first_number_ = tail_number - batches.size();
    slab front;
    front.capacity = front.used = all.size();
    front.charged = all.size() + batches.size() * sizeof(entry);
    front.bytes = std::make_shared_for_overwrite<std::byte[]>(all.size());
    front.first = first_number_;
    if (!all.empty()) std::memcpy(front.bytes.get(), all.data(), all.size());
    std::size_t at = 0;
    size_ = 0;
    for (const auto& b : batches) {
        const auto* p = front.bytes.get() + at;
        const auto base = get<std::int64_t>(p);
        entries_.push_back({base, base + get<std::int32_t>(p + field::last_offset_delta), get<std::int64_t>(p + field::max_timestamp),
                            get<std::int32_t>(p + field::leader_epoch), static_cast<std::uint32_t>(b.size()), p,
                            {files_ ? files_->segments().front() : 0, at}});
        at += b.size();
    }
    if (!slabs_.empty()) slabs_.front().first = std::max(slabs_.front().first, tail_number);
    if (!batches.empty()) {
        front.ticket = budget_->take(*this, front.charged);
        slabs_.push_front(std::move(front));
    }
    entries_.insert(entries_.end(), tail.begin(), tail.end());
    for (const auto& e : entries_) size_ += e.size;
    return {};
}

void log::begin_epoch(std::int32_t epoch) {
    if (!epochs_.empty() && epoch <= epochs_.back().epoch) return;
    // An epoch in which nothing was written leaves no trace.
    while (!epochs_.empty() && epochs_.back().offset >= end_) epochs_.pop_back();
    epochs_.push_back({epoch, end_});
    save_epochs();
}

epoch_start log::end_of_epoch(std::int32_t epoch) const noexcept {
    if (epoch < 0 || epochs_.empty()) return {-1, -1};
    if (epoch == epochs_.back().epoch) return {epoch, end_};
    const auto after = std::partition_point(epochs_.begin(), epochs_.end(), [&](const epoch_start& e) { return e.epoch <= epoch; });
    if (after == epochs_.end()) return {-1, -1};
    // Before all that is known: where the first one begins, under the name that was asked for.
    if (after == epochs_.begin()) return {epoch, after->offset};
    return {std::prev(after)->epoch, after->offset};
}

// Epochs that ended before the log's start are forgotten, the one that holds it begins there.
void log::truncate_epochs() {
    std::size_t gone = 0;
    while (gone + 1 < epochs_.size() && epochs_[gone + 1].offset <= start_) ++gone;
    epochs_.erase(epochs_.begin(), epochs_.begin() + static_cast<std::ptrdiff_t>(gone));
    if (!epochs_.empty() && epochs_.front().offset < start_) epochs_.front().offset = start_;
}

void log::save_epochs() {
    // Should this fail, opening finds the epochs in the batches.
    if (files_) static_cast<void>(files_->save_epochs(epochs_));
}

}  // namespace kafkawire::broker
