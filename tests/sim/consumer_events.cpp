// What happens to members of groups in the world of schedules, beside the faults of the network and the nodes.
#include <kafkawire/protocol/messages/37_create_partitions.hpp>

#include <algorithm>
#include <charconv>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "consumers.hpp"

namespace schedules {

void consumers::strike() {
    auto& s = slots_[random_.below(slots_.size())];
    const auto what = random_.below(14);
    const auto l = s.now;
    if (!l || l->over || l->closing || s.paused || elapsed() >= until_) return;
    ++struck;
    disturbed();
    w_.world.note("strike", std::array<std::int64_t, 2>{l->known->number, static_cast<std::int64_t>(what)});
    switch (what) {
        case 0:
        case 1:
        case 2:
            end(*l);
            restart(s, random_.chance(500'000) ? some(1ms, 500ms) : some(1s, 12s));
            break;
        case 3:
        case 4: close_life(s); break;
        case 5:
        case 6:
        case 7: {
            const auto d = random_.chance(500'000) ? some(100ms, 4s) : some(4s, 14s);
            s.paused = true;
            s.host->pause();
            later(std::min(d, until_ - elapsed()), [this, &s] {
                s.host->resume();
                s.paused = false;
                ++s.bad_days;
                disturbed();
            });
            break;
        }
        case 8: l->slow_for = std::min(some(1s, 15s), until_ - elapsed()); break;
        case 9:
            if (plan_.by_hand) return drop_and_assign(l);
            l->consumer->unsubscribe();
            later(some(1ms, 3s), [this, l] {
                if (l->over || l->closing) return;
                l->consumer->subscribe({by_pattern_ ? "^ord[a-z]+" : topic});
                disturbed();
            });
            break;
        case 10:
        case 11: seek_somewhere(*l); break;
        default: pause_something(l); break;
    }
}

void consumers::seek_somewhere(life& l) {
    if (plan_.ships) return;  // what was shipped must not be read again
    for (auto& [n, h] : l.known->holds) {
        if (!h.reading || !h.next) continue;
        const auto back = static_cast<std::int64_t>(random_.below(30));
        const auto to = std::max<std::int64_t>(*h.next - back, 0);
        if (!l.consumer->seek(topic, n, kw::start_position::at(to))) judge.sought(*l.known, n, to);
        break;
    }
}

void consumers::pause_something(const std::shared_ptr<life>& l) {
    for (auto& [n, h] : l->known->holds) {
        if (!h.reading || l->consumer->pause(topic, n)) continue;
        judge.paused(*l->known, n, true);
        later(std::min(some(10ms, 6s), until_ - elapsed()), [this, l, p = n] {
            if (l->over) return;
            const auto at = l->known->holds.find(p);
            if (at == l->known->holds.end()) return;        // it is gone, and when it comes again it is not paused
            (void)l->consumer->resume(topic, p);
            judge.paused(*l->known, p, false);
            disturbed();
        });
        if (random_.chance(500'000)) break;
    }
}

void consumers::close_life(slot& s) {
    const auto l = s.now;
    l->closing = true;
    const auto began = elapsed();
    const auto days = s.bad_days;
    std::map<std::int32_t, std::int64_t> stood;
    for (const auto& [n, h] : l->known->holds)
        if (h.reading && h.next) stood[n] = *h.next;
    if (l->is_automatic())
        for (const auto& [p, next] : l->known->handed) judge.processed(*l->known, p, next);
    l->consumer->async_close(10s, [this, &s, l, began, days, stood](std::error_code) {
        const auto took = elapsed() - began;
        if (took > 10s + 100ms && s.bad_days == days && !s.paused) judge.blame("late", "closing took " + std::to_string(took / 1ms) + " ms");
        if (l->over) return;
        if (closing_ && l->is_automatic() && !plan_.by_hand) judge.closed_well(*l->known, stood);
        end(*l);
        if (!closing_) restart(s, random_.chance(500'000) ? some(1ms, 500ms) : some(1s, 8s));
    });
}

// Another one in its place, while it lives: which of them is to go the coordinator says.
void consumers::begin_twin() {
    for (auto& s : slots_) {
        const auto l = s.now;
        if (s.number % 2 || s.paused || !l || l->over || l->closing || elapsed() >= until_) continue;
        if (has_twin(*l)) continue;
        ++struck;
        w_.world.note("twin", std::array<std::int64_t, 1>{l->known->number});
        s.now.reset();
        start(s);
        return disturbed();
    }
}

// An error of a partition says which, and where it goes on.
void consumers::told_error(life& l, const kw::error& why) {
    const auto number_behind = [&](std::string_view what) -> std::int64_t {
        const auto at = why.text.find(what);
        std::int64_t n = -1;
        if (at != std::string::npos) (void)std::from_chars(why.text.data() + at + what.size(), why.text.data() + why.text.size(), n);
        return n;
    };
    if (why.code != kw::errc::log_truncated && why.code != kw::errc::topic_recreated) return;
    const auto partition = number_behind(std::string{topic} + '-');
    if (partition < 0) return judge.blame("false-alarm", "of no partition: " + why.text);
    const auto n = number_of(static_cast<std::int32_t>(partition));
    if (why.code == kw::errc::topic_recreated) judge.told_recreated(*l.known, n);
    else judge.told_truncated(*l.known, n, number_behind("behind offset "));
}

// What was acknowledged of it is no measure any more.
void consumers::forget(std::int32_t partition, std::int64_t from) {
    disturbed();
    const auto n = number_of(partition);
    lost_at_[n] = elapsed().count();
    if (from == 0) end_.erase(n);
    else if (const auto at = end_.find(n); at != end_.end()) at->second = std::min(at->second, from);
    std::erase_if(acknowledged_[n], [&](const auto& a) { return a.second > from; });
    if (acknowledged_[n].empty()) acknowledged_.erase(n);
}

asio::awaitable<void> consumers::grow() {
    const auto more = count_ + 1;
    if (more > partitions) co_return;
    for (int tries = 0; tries < 100; ++tries) {
        kw::protocol::messages::create_partitions_request m;
        auto& t = m.topics.emplace_back();
        t.name = topic;
        t.count = more;
        t.assignments.reset();
        m.timeout_ms = 5000;
        auto [ec, a] = co_await w_.audit_client->async_request(std::move(m), as_values);
        const auto code = ec || a.results.empty() ? kw::broker_errc::unknown_server_error : static_cast<kw::broker_errc>(a.results.front().error_code);
        if (code == kw::broker_errc::none || code == kw::broker_errc::invalid_partitions) {  // the second: by a try of before
            count_ = std::max(count_, more);
            ++struck;
            co_return;
        }
        (void)co_await w_.auditor.async_wait(50ms, as_values);
    }
}

}  // namespace schedules
