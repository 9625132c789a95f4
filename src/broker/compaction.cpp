#include "broker/compaction.hpp"

#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <string>
#include <unordered_map>

namespace kafkawire::broker {
namespace {

// How many of the first batches may be put together: those that are decided and, with files, fill whole segments.
std::size_t compactable(const partition& p) {
    const auto& entries = p.log().entries();
    auto count = entries.size();
    while (count > 0 && entries[count - 1].last_offset >= p.last_stable_offset()) --count;
    if (p.log().has_files())
        while (count > 0 && (count == entries.size() || entries[count].place.at != 0)) --count;
    return count;
}

class compactor {
public:
    explicit compactor(const partition& p) : partition_{p}, count_{compactable(p)} {
        const auto& entries = p.log().entries();
        if (count_ == 0) return;
        end_ = entries[count_ - 1].last_offset + 1;
        for (const auto& a : p.producers().aborted(p.log().start_offset(), end_)) aborted_.push_back(a);
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    // Which record of each key is the last, in the whole log: a newer one makes an older one superfluous wherever it lies.
    void look_at_keys() {
        each(partition_.log().end_offset(), [this](const protocol::record_batch& b, const protocol::record_view& r) {
            if (r.offset >= partition_.last_stable_offset() || r.key.is_null() || is_aborted(b, r.offset)) return;
            last_[std::string{r.key.text()}] = r.offset;
        });
    }
    // One batch for each that has something left, so that leader epochs stay where they are.
    std::vector<protocol::bytes> rebuild(bool drop_tombstones) {
        std::vector<protocol::bytes> made;
        protocol::batch_builder builder;
        std::vector<protocol::header_view> headers;
        const auto& entries = partition_.log().entries();
        for (std::size_t i = 0; i < count_; ++i) {
            const auto& e = entries[i];
            builder.start({.base_offset = e.base_offset, .partition_leader_epoch = e.leader_epoch, .last_offset = e.last_offset});
            each_of(e, [&](const protocol::record_batch& b, const protocol::record_view& r) {
                if (is_aborted(b, r.offset)) return;
                if (!r.key.is_null()) {
                    const auto at = last_.find(std::string{r.key.text()});
                    if (at == last_.end() || at->second != r.offset || (drop_tombstones && r.value.is_null())) return;
                }
                headers.assign(r.headers.begin(), r.headers.end());
                static_cast<void>(builder.append_at(r.offset, r.timestamp, r.key, r.value, headers));
            });
            protocol::bytes_view whole;
            if (!builder.empty() && !builder.close(whole)) made.emplace_back(whole.begin(), whole.end());
        }
        return made;
    }

private:
    [[nodiscard]] bool is_aborted(const protocol::record_batch& b, std::int64_t offset) const {
        if (!b.is_transactional()) return false;
        for (const auto& a : aborted_)
            if (a.producer_id == b.producer_id && offset >= a.first_offset && offset <= a.last_offset) return true;
        return false;
    }
    template <class Take>
    void each(std::int64_t end, Take take) {
        for (const auto& e : partition_.log().entries())
            if (e.base_offset < end) each_of(e, take);
    }
    // Control batches are passed over, and so they go.
    template <class Take>
    void each_of(const log::entry& e, Take take) {
        const auto bytes = partition_.log().read(e.base_offset, e.base_offset + 1, e.size, true);
        reader_.start(bytes.data, {.check_crcs = false});
        while (const auto* r = reader_.next()) take(reader_.batch(), *r);
    }

    const partition& partition_;
    std::size_t count_;
    std::int64_t end_ = 0;
    std::vector<aborted_transaction> aborted_;
    std::unordered_map<std::string, std::int64_t> last_;
    protocol::record_reader reader_;
};

}  // namespace

std::error_code compact(partition& p, bool drop_tombstones) {
    compactor c{p};
    if (c.count() == 0) return {};
    c.look_at_keys();
    return p.log().replace_front(c.count(), c.rebuild(drop_tombstones));
}

}  // namespace kafkawire::broker
