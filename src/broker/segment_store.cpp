#include "broker/segment_store.hpp"

#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace kafkawire::broker {
namespace {

constexpr std::string_view log_ending = ".log";
constexpr std::size_t read_at_once = 4u << 20;

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc{} || end != text.data() + text.size()) return {};
    return n;
}

}  // namespace

std::string segment_store::name_of(std::int64_t base) const {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%020lld", static_cast<long long>(base));
    return folder_ + '/' + digits + std::string{log_ending};
}

std::error_code segment_store::open_segment(std::int64_t base, bool must_exist) {
    if (file_ && open_ == base) return {};
    std::error_code ec;
    auto file = storage_->open(name_of(base), ec, must_exist);
    if (ec) return ec;
    file_ = std::move(file);
    open_ = base;
    return {};
}

std::error_code segment_store::scan(void* to, take_batch take) {
    segments_.clear();
    for (const auto& name : storage_->list(folder_)) {
        if (name.ends_with(".cleaned")) static_cast<void>(storage_->remove(folder_ + '/' + name));
        if (!name.ends_with(log_ending)) continue;
        if (const auto base = number(std::string_view{name}.substr(0, name.size() - log_ending.size())); base && *base >= 0) segments_.push_back(*base);
    }
    std::sort(segments_.begin(), segments_.end());
    std::int64_t next_offset = -1;
    bool torn = false;
    for (std::size_t i = 0; i < segments_.size();) {
        // What follows a torn segment was never acknowledged after it; what an earlier one covers was left by a compaction that a crash cut short.
        const bool covered = next_offset > segments_[i];
        if (!torn && !covered) {
            if (auto ec = scan_segment(segments_[i], next_offset, torn, to, take)) return ec;
            ++i;
        } else {
            if (auto ec = storage_->remove(name_of(segments_[i]))) return ec;
            segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    return segments_.empty() ? std::error_code{} : open_segment(segments_.back(), true);
}

// Reads a window that moves over the file: batches that lie in it whole are taken, the rest is read again with what follows.
std::error_code segment_store::scan_segment(std::int64_t base, std::int64_t& next_offset, bool& torn, void* to, take_batch take) {
    if (auto ec = open_segment(base, true)) return ec;
    const auto size = file_->size();
    protocol::bytes window;
    std::uint64_t at = 0;
    for (auto wanted = read_at_once; at < size;) {
        window.resize(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size - at)));
        if (auto ec = file_->read(at, window)) return ec;
        protocol::record_batches in{window};
        std::size_t used = 0;
        while (const auto* b = in.next()) {
            if (b->magic != 2 || b->base_offset < std::max(next_offset, base)) break;
            take(to, *b, {base, at + b->offset});
            next_offset = b->next_offset();
            used = b->offset + b->whole.size();
        }
        at += used;
        if (used > 0) {
            wanted = read_at_once;
        } else if (in.error() || in.cut_bytes() == 0 || at + window.size() == size) {
            torn = true;  // a bad batch, or a last one that is not whole
            return file_->truncate(at);
        } else {
            wanted = window.size() * 2;  // a batch that is longer than the window
        }
    }
    return {};
}

std::int64_t segment_store::saved_start() const {
    const auto text = storage_->load(folder_ + "/log-start-offset", 64);
    return text ? std::max<std::int64_t>(number(*text).value_or(0), 0) : 0;
}

std::error_code segment_store::save_start(std::int64_t offset) { return storage_->replace(folder_ + "/log-start-offset", std::to_string(offset), false); }

std::vector<epoch_start> segment_store::saved_epochs() const {
    std::vector<epoch_start> epochs;
    const auto text = storage_->load(folder_ + "/leader-epoch-checkpoint");
    if (!text) return epochs;
    std::string_view rest{*text};
    for (int line = 0; !rest.empty(); ++line) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto words = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto blank = words.find(' ');
        if (line < 2 || blank == std::string_view::npos) continue;
        const auto epoch = number(words.substr(0, blank)), offset = number(words.substr(blank + 1));
        if (!epoch || !offset || (!epochs.empty() && (*epoch <= epochs.back().epoch || *offset < epochs.back().offset))) break;
        epochs.push_back({static_cast<std::int32_t>(*epoch), *offset});
    }
    return epochs;
}

std::error_code segment_store::save_epochs(std::span<const epoch_start> epochs) {
    auto text = "0\n" + std::to_string(epochs.size()) + '\n';
    for (const auto& e : epochs) text += std::to_string(e.epoch) + ' ' + std::to_string(e.offset) + '\n';
    return storage_->replace(folder_ + "/leader-epoch-checkpoint", text, false);
}

std::optional<protocol::uuid> segment_store::saved_topic_id() const {
    constexpr std::string_view word = "topic_id: ";
    const auto text = storage_->load(folder_ + "/partition.metadata", 1024);
    const auto at = text ? text->find(word) : std::string::npos;
    if (at == std::string::npos) return {};
    return protocol::uuid::from_string(std::string_view{*text}.substr(at + word.size(), 22));
}

std::error_code segment_store::save_topic_id(const protocol::uuid& id) {
    return storage_->replace(folder_ + "/partition.metadata", "version: 0\ntopic_id: " + id.to_string() + "\n", false);
}

std::error_code segment_store::append(protocol::bytes_view batch, std::int64_t base_offset, std::uint64_t segment_bytes, place& where) {
    if (segments_.empty() || rolled_ || (open_ == segments_.back() && file_ && file_->size() > 0 && file_->size() + batch.size() > segment_bytes)) {
        if (segments_.empty() || segments_.back() != base_offset) {
            if (auto ec = open_segment(base_offset, false)) return ec;
            segments_.push_back(base_offset);
        }
        rolled_ = false;
    }
    if (auto ec = open_segment(segments_.back(), true)) return ec;
    where = {segments_.back(), file_->size()};
    return file_->append(batch);
}

std::error_code segment_store::read(const place& from, std::span<std::byte> to) {
    if (open_ == from.segment && file_) return file_->read(from.at, to);
    std::error_code ec;
    const auto file = storage_->open(name_of(from.segment), ec, true);
    return ec ? ec : file->read(from.at, to);
}

std::error_code segment_store::truncate(const place& from) {
    while (!segments_.empty() && segments_.back() > from.segment) {
        file_.reset();
        if (auto ec = storage_->remove(name_of(segments_.back()))) return ec;
        segments_.pop_back();
    }
    if (segments_.empty()) return {};
    if (auto ec = open_segment(segments_.back(), true)) return ec;
    return file_->truncate(from.at);
}

std::error_code segment_store::clear() {
    file_.reset();
    for (; !segments_.empty(); segments_.pop_back())
        if (auto ec = storage_->remove(name_of(segments_.back()))) return ec;
    return {};
}

std::error_code segment_store::remove_before(std::int64_t offset) {
    // A segment ends where the next one begins.
    while (segments_.size() > 1 && segments_[1] <= offset) {
        if (auto ec = storage_->remove(name_of(segments_.front()))) return ec;
        segments_.erase(segments_.begin());
    }
    return {};
}

std::error_code segment_store::rewrite(std::int64_t upto, std::int64_t first_base, protocol::bytes_view batches) {
    const auto beside = name_of(first_base) + ".cleaned";
    std::error_code ec = storage_->remove(beside);
    if (ec) return ec;
    {
        const auto file = storage_->open(beside, ec);
        if (ec || (ec = file->append(batches)) || (ec = file->flush())) return ec;
    }
    if ((ec = storage_->rename(beside, name_of(first_base)))) return ec;
    file_.reset();
    const auto end = std::lower_bound(segments_.begin(), segments_.end(), upto);
    for (auto at = segments_.begin(); at != end; ++at)
        if (*at != first_base && (ec = storage_->remove(name_of(*at)))) return ec;
    segments_.erase(segments_.begin(), end);
    segments_.insert(segments_.begin(), first_base);
    return {};
}

std::error_code segment_store::flush() { return file_ ? file_->flush() : std::error_code{}; }

}  // namespace kafkawire::broker
