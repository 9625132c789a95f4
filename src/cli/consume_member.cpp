#include "cli/consume_member.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <kafkawire/consumer.hpp>

namespace kafkawire::cli {

namespace {

constexpr std::chrono::seconds between_commits{1};
constexpr std::chrono::milliseconds between_looks{100};  // whether the end is reached
constexpr std::chrono::milliseconds to_settle{500};      // more partitions may come, one step after the other
constexpr std::chrono::seconds to_leave{10};

std::string names_of(const std::vector<topic_partition>& partitions) {
    std::string text;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
        if (i == 0 || partitions[i].topic != partitions[i - 1].topic) text += fmt::format("{}{}:", i ? " " : "", partitions[i].topic);
        else text += ',';
        text += std::to_string(partitions[i].partition);
    }
    return text;
}

class member {
public:
    member(session& s, const member_plan& p, record_printer& out) : session_{s}, plan_{p}, out_{out}, in_{s.cluster(), p.reading}, look_{s.io()} {
        in_.on_assigned([this](rebalance_step step) {
            changed_ = std::chrono::steady_clock::now();
            if (!step.partitions().empty()) note(fmt::format("reads {}", names_of(step.partitions())));
        });
        in_.on_revoked([this](rebalance_step step) { give_up(std::move(step)); });
        in_.on_lost([this](rebalance_step step) {
            for (const auto& gone : step.partitions()) printed_.erase(gone);
            note(fmt::format("lost {}: {}", names_of(step.partitions()), step.why().message()));
        });
    }

    asio::awaitable<status> run() {
        session_.on_stop([this] { end(); });
        const bool bounded = plan_.most || plan_.until_end;
        if (bounded && session_.ctx().timeout_given) give_up_at_ = std::chrono::steady_clock::now() + session_.ctx().timeout;
        look();
        while (!ended_) {
            error why;
            records got;
            co_await poll(why, got);
            if (ended_) break;
            if (why) {
                if (!told(why)) end();
                continue;
            }
            print(got);
            if (plan_.most && count_ >= *plan_.most) end();
            else if (std::chrono::steady_clock::now() - committed_ >= between_commits) commit();
        }
        while (!closed_) co_await session_.sleep(std::chrono::milliseconds{5});
        if (wrong_) throw *wrong_;
        if (late_) note(fmt::format("the time is up after {} record{}", count_, count_ == 1 ? "" : "s"));
        co_return late_ ? status::partial : status::done;
    }

private:
    asio::awaitable<void> poll(error& why, records& got) {
        try {
            got = co_await in_.async_poll(detailed(asio::use_awaitable));
        } catch (const system_error& e) {
            why = e.detail();
        }
    }
    // Whether it may go on: what passes by itself is only noted.
    bool told(const error& why) {
        if (why.code == errc::client_closed) return false;
        if (why.code == condition::retriable) {
            note(why.message());
            return true;
        }
        if (!wrong_) wrong_ = from_error(why, "cannot consume");
        return false;
    }
    void print(const records& got) {
        for (const auto& r : got) {
            shown_record one;
            one.topic = r.topic;
            one.partition = r.partition;
            one.offset = r.offset;
            one.timestamp = r.timestamp.time_since_epoch().count();
            one.log_append_time = r.timestamps == timestamp_type::log_append;
            one.key = shown(r.key);
            one.value = shown(r.value);
            for (const auto& h : r.headers) one.headers.push_back({h.key, shown(h.value)});
            one.leader_epoch = r.leader_epoch;
            out_.print(one, ++count_);
            if (plan_.unbuffered) out_.flush();
            if (last_.topic != r.topic || last_.partition != r.partition) last_ = {std::string{r.topic}, r.partition};
            printed_[last_] = {r.offset + 1, r.leader_epoch};
            if (plan_.most && count_ >= *plan_.most) break;
        }
        // What was written before a pause is seen before the pause.
        out_.flush();
    }

    std::vector<committed_offset> take_printed(const std::vector<topic_partition>* only) {
        std::vector<committed_offset> list;
        for (auto at = printed_.begin(); at != printed_.end();) {
            if (only && std::find(only->begin(), only->end(), at->first) == only->end()) {
                ++at;
                continue;
            }
            committed_offset one;
            one.topic = at->first.topic;
            one.partition = at->first.partition;
            one.offset = at->second.first;
            one.leader_epoch = at->second.second;
            list.push_back(std::move(one));
            at = printed_.erase(at);
        }
        return list;
    }
    void commit() {
        committed_ = std::chrono::steady_clock::now();
        auto list = take_printed(nullptr);
        if (list.empty()) return;
        in_.async_commit(list, detailed([this, list](const error& why) { commit_ended(why, list); }));
    }
    // Before another member gets them.
    void give_up(rebalance_step step) {
        auto list = take_printed(&step.partitions());
        if (list.empty()) return;
        auto held = std::make_shared<rebalance_step>(std::move(step));
        in_.async_commit(list, detailed([this, held, list](const error& why) { commit_ended(why, list); }));
    }
    void commit_ended(const error& why, const std::vector<committed_offset>& list) {
        if (!why) return;
        if (why.code == condition::retriable && !ended_) {
            // With the next commit, unless more has been printed since.
            for (const auto& c : list) printed_.try_emplace(topic_partition{c.topic, c.partition}, c.offset, c.leader_epoch);
            return note(why.message());
        }
        if (!wrong_) wrong_ = from_error(why, "cannot commit what was printed");
        end();
    }

    void end() {
        if (std::exchange(ended_, true)) return;
        look_.cancel();
        // Leaving revokes what is assigned, and so commits what was printed.
        in_.async_close(to_leave, [this](std::error_code) { closed_ = true; });
    }
    // From time to time: is it over?
    void look() {
        look_.expires_after(between_looks);
        look_.async_wait([this](std::error_code ec) {
            if (ec || ended_) return;
            if (give_up_at_ && std::chrono::steady_clock::now() >= *give_up_at_) {
                late_ = true;
                return end();
            }
            const bool there = at_the_end();
            if (there && plan_.until_end) return end();
            if (there && !std::exchange(said_so_, true)) note("at the end of what this member reads; waiting for more, Ctrl-C to stop");
            look();
        });
    }
    // Whether all that is this member's was read as far as it went when it was first seen.
    bool at_the_end() {
        const auto m = in_.membership();
        if (!m || m->state != "stable" || m->rebalances == 0 || std::chrono::steady_clock::now() - changed_ < to_settle) return false;
        const auto all = in_.readings();
        if (all.size() != m->assignment.size()) return false;
        bool there = true;
        for (const auto& r : all) {
            const auto end = plan_.reading.isolation == isolation::read_committed && r.log.stable >= 0 ? r.log.stable : r.log.high;
            const auto& first = ends_.try_emplace({r.topic, r.partition}, end).first->second;
            if (end < 0) ends_.erase({r.topic, r.partition});
            there = there && end >= 0 && r.position >= first;
        }
        return there;
    }

    session& session_;
    const member_plan& plan_;
    record_printer& out_;
    consumer in_;
    asio::steady_timer look_;
    std::map<topic_partition, std::pair<std::int64_t, std::int32_t>> printed_;  // and not committed yet: next offset, leader epoch
    std::map<topic_partition, std::int64_t> ends_;
    topic_partition last_;
    std::chrono::steady_clock::time_point changed_{};  // when partitions came last
    std::chrono::steady_clock::time_point committed_ = std::chrono::steady_clock::now();
    std::optional<std::chrono::steady_clock::time_point> give_up_at_;
    std::uint64_t count_ = 0;
    bool ended_ = false, closed_ = false, late_ = false, said_so_ = false;
    std::optional<failure> wrong_;
};

}  // namespace

asio::awaitable<status> consume_as_member(session& s, const member_plan& p, record_printer out) {
    // A topic that is not there is told at once, with the nearest name.
    std::vector<std::string> names;
    for (const auto& t : p.reading.topics)
        if (!t.starts_with('^')) names.push_back(t);
    if (!names.empty()) co_await need_topics(s, names);
    std::optional<member> m;
    try {
        m.emplace(s, p, out);
    } catch (const system_error& e) {
        if (e.detail().code == errc::bad_configuration) throw usage_error(e.detail().text, e.detail().hint);
        throw;
    }
    co_return co_await m->run();
}

}  // namespace kafkawire::cli
