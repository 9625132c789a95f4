#include "member.hpp"

#include <kafkawire/consumer.hpp>
#include <kafkawire/tokens.hpp>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <stdexcept>

#include "../numbered_record.hpp"
#include "member_io.hpp"

namespace faults {

namespace {

using namespace std::chrono_literals;

// Reads and commits.
class reading_member {
public:
    explicit reading_member(const member_options& o) : options_{o}, client_{io_, client_of(o)}, consumer_{client_, consumer_of(o)} {
        consumer_.on_assigned([this](kw::rebalance_step s) {
            for (const auto& p : s.partitions()) {
                positions_.erase(p.partition);
                to_.add({.what = told::assigned, .partition = p.partition});
            }
            to_.flush();
        });
        consumer_.on_revoked([this](kw::rebalance_step s) { asio::co_spawn(io_, give_up(std::move(s)), asio::detached); });
        consumer_.on_lost([this](kw::rebalance_step s) {
            std::fprintf(stderr, "lost: %s\n", s.why().message().c_str());
            gone(s, told::lost);
        });
    }

    int run() {
        asio::signal_set signals{io_, SIGTERM, SIGINT};
        signals.async_wait([this](std::error_code ec, int) {
            if (ec) return;
            stopping_ = true;
            asio::co_spawn(io_, close(), asio::detached);
        });
        asio::signal_set curious{io_, SIGUSR1};
        answer(curious);
        to_.add({.what = told::ready});
        to_.flush();
        asio::co_spawn(io_, read(), rethrow);
        if (!options_.auto_commit) asio::co_spawn(io_, commit(), rethrow);
        io_.run();
        return 0;
    }

private:
    static void rethrow(std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    }
    void answer(asio::signal_set& curious) {
        curious.async_wait([this, &curious](std::error_code ec, int) {
            if (ec) return;
            describe(consumer_);
            answer(curious);
        });
    }
    void gone(const kw::rebalance_step& s, told how) {
        for (const auto& p : s.partitions()) {
            positions_.erase(p.partition);
            to_.add({.what = how, .partition = p.partition});
        }
        to_.flush();
    }

    asio::awaitable<void> read() {
        while (!stopping_) {
            auto [why, got] = co_await consumer_.async_poll(kw::as_tuple(asio::use_awaitable));
            if (why == kw::errc::client_closed) break;
            if (why) {
                std::fprintf(stderr, "poll: %s\n", why.message().c_str());
                to_.add({.what = told::trouble, .count = why.value()});
                to_.flush();
                continue;
            }
            report_records(options_, got, to_);
            for (const auto& part : got.partitions()) positions_[part.partition()] = {part.next_offset(), part.leader_epoch(), true};
        }
    }

    asio::awaitable<void> commit() {
        asio::steady_timer timer{io_};
        while (!stopping_) {
            timer.expires_after(200ms);
            co_await timer.async_wait(asio::use_awaitable);
            co_await commit_positions(nullptr);
        }
    }
    // What was reported and is not committed, of these partitions or of all.
    asio::awaitable<void> commit_positions(const kw::rebalance_step* of) {
        std::vector<kw::committed_offset> what;
        for (auto& [partition, at] : positions_) {
            if (!at.fresh) continue;
            if (of && std::none_of(of->partitions().begin(), of->partitions().end(), [n = partition](const auto& p) { return p.partition == n; })) continue;
            at.fresh = false;
            what.push_back({options_.topic, partition, at.offset, at.leader_epoch, {}});
        }
        if (what.empty()) co_return;
        ++committing_;
        auto [why] = co_await consumer_.async_commit(what, kw::as_tuple(asio::use_awaitable));
        --committing_;
        if (why) {
            std::fprintf(stderr, "commit: %s\n", why.message().c_str());
            to_.add({.what = told::refused, .count = why.value()});
            for (const auto& w : what)
                if (const auto p = positions_.find(w.partition); p != positions_.end()) p->second.fresh = true;
        } else
            for (const auto& w : what) to_.add({.what = told::committed, .partition = w.partition, .offset = w.offset});
        to_.flush();
    }
    asio::awaitable<void> give_up(kw::rebalance_step step) {
        if (!options_.auto_commit) {
            asio::steady_timer timer{io_};
            while (committing_ > 0) {  // what is on its way is not committed yet
                timer.expires_after(5ms);
                co_await timer.async_wait(asio::use_awaitable);
            }
            co_await commit_positions(&step);
        }
        gone(step, told::revoked);
        step.finish();
    }
    asio::awaitable<void> close() {
        (void)co_await consumer_.async_close(kw::as_tuple(asio::use_awaitable));
        to_.add({.what = told::ended});
        to_.flush();
        co_await client_.async_close(asio::use_awaitable);
        io_.stop();
    }

    struct position {
        std::int64_t offset = -1;
        std::int32_t leader_epoch = -1;
        bool fresh = false;  // not committed
    };
    const member_options options_;
    asio::io_context io_{1};
    kw::client client_;
    kw::consumer consumer_;
    reporter to_;
    std::map<std::int32_t, position> positions_;  // behind what was reported
    int committing_ = 0;
    bool stopping_ = false;
};

}  // namespace

std::string text_of(const member_options& o) {
    std::ostringstream out;
    out << o.bootstrap << ' ' << o.group << ' ' << o.topic << ' ' << o.consumer_protocol << ' ' << o.assignors << ' ' << o.auto_commit << ' '
        << o.session_timeout.count() << ' ' << o.heartbeat_interval.count() << ' ' << o.run << ' ' << (o.output.empty() ? "-" : o.output) << ' '
        << (o.transactional_id.empty() ? "-" : o.transactional_id);
    return out.str();
}

member_options member_options_of(const std::string& text) {
    std::istringstream in{text};
    member_options o;
    std::int64_t session = 0, heartbeat = 0;
    if (!(in >> o.bootstrap >> o.group >> o.topic >> o.consumer_protocol >> o.assignors >> o.auto_commit >> session >> heartbeat >> o.run >> o.output >> o.transactional_id))
        throw std::invalid_argument("a member's options cannot be read: " + text);
    o.session_timeout = std::chrono::milliseconds{session};
    o.heartbeat_interval = std::chrono::milliseconds{heartbeat};
    if (o.output == "-") o.output.clear();
    if (o.transactional_id == "-") o.transactional_id.clear();
    return o;
}

void reporter::add(report r) {
    r.at = shared_clock();
    waiting_.push_back(r);
}
void reporter::flush() {
    const auto* from = reinterpret_cast<const char*>(waiting_.data());
    for (std::size_t left = waiting_.size() * sizeof(report); left > 0;) {
        const auto n = ::write(STDOUT_FILENO, from, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) std::_Exit(1);
        from += n;
        left -= static_cast<std::size_t>(n);
    }
    waiting_.clear();
}

kw::client_options client_of(const member_options& o) {
    kw::client_options c;
    c.bootstrap = o.bootstrap;
    c.client_id = "member-of-" + o.group;
    c.metadata_max_age = 3s;  // partitions are added
    return c;
}

kw::consumer_options consumer_of(const member_options& o) {
    kw::consumer_options c;
    c.group = o.group;
    c.topics = {o.topic};
    c.auto_offset_reset = kw::offset_reset::earliest;
    c.group_protocol = o.consumer_protocol ? kw::group_protocol::consumer : kw::group_protocol::classic;
    c.assignors = {o.assignors};
    c.session_timeout = o.session_timeout;
    c.heartbeat_interval = o.heartbeat_interval;
    c.rebalance_timeout = 10s;
    c.auto_commit = o.auto_commit;
    c.auto_commit_interval = 500ms;
    return c;
}

void describe(const kw::consumer& c) {
    const auto now = std::chrono::steady_clock::now();
    if (const auto m = c.membership()) {
        const auto heard = m->last_heartbeat ? std::chrono::duration_cast<std::chrono::milliseconds>(now - *m->last_heartbeat).count() : -1;
        std::fprintf(stderr, "%s %s, generation %d, coordinator %d, %zu partitions, heartbeat %lld ms ago, %llu rebalances, %llu losses, last error '%s', of a commit '%s'\n", m->state.c_str(),
                     m->member_id.c_str(), m->generation, m->coordinator, m->assignment.size(), static_cast<long long>(heard), static_cast<unsigned long long>(m->rebalances),
                     static_cast<unsigned long long>(m->losses), m->last_error.message().c_str(), m->last_commit_error.message().c_str());
        for (const auto& p : m->assignment) std::fprintf(stderr, "  has %s %d\n", p.topic.c_str(), p.partition);
    }
    static constexpr const char* names[] = {"resetting", "validating", "fetching", "failed"};
    for (const auto& r : c.readings())
        std::fprintf(stderr, "  reads %s %d: %s%s, position %lld, end %lld, assignment %llu%s%s\n", r.topic.c_str(), r.partition, names[static_cast<int>(r.state)], r.paused ? ", paused" : "",
                     static_cast<long long>(r.position), static_cast<long long>(r.log.high), static_cast<unsigned long long>(r.assignment_epoch), r.why ? ", " : "", r.why ? r.why->message().c_str() : "");
}

void report_records(const member_options& o, const kw::records& got, reporter& to) {
    std::string scratch;
    for (const auto& part : got.partitions()) {
        report run{.what = told::records, .partition = part.partition(), .epoch = part.assignment_epoch()};
        for (const auto& r : part) {
            const auto n = read_value(o.run, r.value.text(), scratch);
            if (!n || n->partition != r.partition) {
                to.add({.what = told::altered, .partition = r.partition, .offset = r.offset});
                continue;
            }
            if (run.count > 0 && run.offset + run.count == r.offset && run.index + static_cast<std::uint64_t>(run.count) == n->index) {
                ++run.count;
                continue;
            }
            if (run.count > 0) to.add(run);
            run.offset = r.offset;
            run.index = n->index;
            run.count = 1;
        }
        if (run.count > 0) to.add(run);
    }
    to.flush();
}

int run_member(const member_options& o) { return reading_member{o}.run(); }

}  // namespace faults
