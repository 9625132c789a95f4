#include <kafkawire/report_stream.hpp>

#include <algorithm>
#include <deque>
#include <mutex>

namespace kafkawire::client_detail {

namespace {

error error_of(errc code) {
    error e;
    e.code = code;
    return e;
}

std::size_t bytes_of(const batch_report& r) noexcept { return sizeof r + r.topic.size() + r.tags.size() * sizeof r.tags[0] + r.why.text.size() + r.why.hint.size(); }

void add_to(const batch_report& r, batch_result& in) noexcept {
    if (!r.why) in.acknowledged += r.count;
    else (r.why.code == condition::maybe_persisted ? in.maybe_persisted : in.not_persisted) += r.count;
}

}  // namespace

// Either reports wait for readers, or readers for reports, never both. Readers are told with the lock free: their executor may be anything.
struct report_queue::state {
    std::mutex lock;
    std::size_t most, bytes = 0;
    std::deque<batch_report> reports;
    std::deque<std::shared_ptr<report_reader>> readers;
    batch_result missed;
    bool ended = false, abandoned = false;

    batch_report take() {
        auto r = std::move(reports.front());
        reports.pop_front();
        bytes -= bytes_of(r);
        r.missed = std::exchange(missed, {});
        return r;
    }
};

report_queue::report_queue(std::size_t bytes) : state_{std::make_unique<state>()} { state_->most = bytes; }
report_queue::~report_queue() = default;

void report_queue::put(const delivery_report& r) {
    batch_report own;
    own.topic = r.topic;
    own.partition = r.partition;
    own.base_offset = r.base_offset;
    own.count = r.count;
    own.timestamp = r.timestamp;
    if (r.why) own.why = *r.why;
    own.tags.assign(r.tags.begin(), r.tags.end());
    auto& s = *state_;
    std::shared_ptr<report_reader> who;
    {
        const std::lock_guard hold{s.lock};
        if (s.abandoned) return;
        s.bytes += bytes_of(own);
        s.reports.push_back(std::move(own));
        if (!s.readers.empty()) {
            who = std::move(s.readers.front());
            s.readers.pop_front();
            own = s.take();
        }
        while (s.bytes > s.most && s.reports.size() > 1) {
            add_to(s.reports.front(), s.missed);
            s.bytes -= bytes_of(s.reports.front());
            s.reports.pop_front();
        }
    }
    if (who) who->finish({}, std::move(own));
}

void report_queue::next(std::shared_ptr<report_reader> who) {
    auto& s = *state_;
    batch_report r;
    error why;
    {
        const std::lock_guard hold{s.lock};
        if (!s.reports.empty()) {
            r = s.take();
        } else if (s.ended) {
            why = error_of(errc::client_closed);
            r.missed = std::exchange(s.missed, {});
        } else {
            return s.readers.push_back(std::move(who));
        }
    }
    who->finish(std::move(why), std::move(r));
}

std::optional<batch_report> report_queue::try_next() {
    auto& s = *state_;
    const std::lock_guard hold{s.lock};
    if (s.reports.empty()) return std::nullopt;
    return s.take();
}

void report_queue::end() {
    auto& s = *state_;
    std::deque<std::shared_ptr<report_reader>> readers;
    {
        const std::lock_guard hold{s.lock};
        s.ended = true;
        readers.swap(s.readers);
    }
    for (const auto& who : readers) who->finish(error_of(errc::client_closed), {});
}

void report_queue::abandon() {
    auto& s = *state_;
    std::deque<std::shared_ptr<report_reader>> readers;
    {
        const std::lock_guard hold{s.lock};
        s.abandoned = true;
        s.reports.clear();
        s.bytes = 0;
        readers.swap(s.readers);
    }
    for (const auto& who : readers) who->finish(error_of(errc::canceled), {});
}

void report_queue::cancel(const std::weak_ptr<report_reader>& weak) {
    const auto who = weak.lock();
    if (!who) return;
    auto& s = *state_;
    {
        const std::lock_guard hold{s.lock};
        const auto at = std::find(s.readers.begin(), s.readers.end(), who);
        if (at == s.readers.end()) return;  // it has its report
        s.readers.erase(at);
    }
    who->finish(error_of(errc::canceled), {});
}

}  // namespace kafkawire::client_detail
