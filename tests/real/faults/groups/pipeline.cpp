// A member that consumes, transforms and produces, each poll in a transaction that also has the offsets: its output has every input once.
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <csignal>
#include <cstdio>
#include <map>

#include "member_io.hpp"

namespace faults {

namespace {

using namespace std::chrono_literals;

kw::producer_options producer_of(const member_options& o) {
    kw::producer_options p;
    p.transactional_id = o.transactional_id;
    p.transaction_timeout = 10s;
    p.delivery_timeout = 9s;
    p.create_topics = false;
    return p;
}

class pipeline {
public:
    explicit pipeline(const member_options& o)
        : options_{o}, client_{io_, client_of(o)}, producer_{client_, producer_of(o)}, consumer_{client_, consumer_of(o)} {
        consumer_.on_assigned([this](kw::rebalance_step s) {
            for (const auto& p : s.partitions()) to_.add({.what = told::assigned, .partition = p.partition});
            to_.flush();
        });
        // A partition goes when the transaction that has its records is over.
        consumer_.on_revoked([this](kw::rebalance_step s) { asio::co_spawn(io_, give_up(std::move(s)), asio::detached); });
        consumer_.on_lost([this](kw::rebalance_step s) { gone(s, told::lost); });
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
        asio::co_spawn(io_, work(), [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
        io_.run();
        return status_;
    }

private:
    void answer(asio::signal_set& curious) {
        curious.async_wait([this, &curious](std::error_code ec, int) {
            if (ec) return;
            describe(consumer_);
            answer(curious);
        });
    }
    static double seconds() { return static_cast<double>(shared_clock()) / 1e9; }
    void gone(const kw::rebalance_step& s, told how) {
        for (const auto& p : s.partitions()) {
            std::fprintf(stderr, "%.3f partition %d %s\n", seconds(), p.partition, how == told::lost ? "lost" : "revoked");
            to_.add({.what = how, .partition = p.partition});
        }
        to_.flush();
    }
    asio::awaitable<void> give_up(kw::rebalance_step s) {
        asio::steady_timer timer{io_};
        while (busy_) {
            timer.expires_after(5ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
        gone(s, told::revoked);
    }
    asio::awaitable<void> close() {
        (void)co_await consumer_.async_close(kw::as_tuple(asio::use_awaitable));
        (void)co_await producer_.async_close(5s, kw::as_tuple(asio::use_awaitable));
        to_.add({.what = told::ended});
        to_.flush();
        co_await client_.async_close(asio::use_awaitable);
        io_.stop();
    }

    asio::awaitable<void> work() {
        // What a former worker of this name left open keeps the group's offsets back.
        for (bool ready = false; !ready && !stopping_;) {
            auto [why] = co_await producer_.async_init_transactions(8s, kw::as_tuple(asio::use_awaitable));
            ready = !why;
            if (why) (void)failed("init", why);
            if (fatal_) co_return give_in();
        }
        while (!stopping_) {
            auto [why, got] = co_await consumer_.async_poll(2'000, kw::as_tuple(asio::use_awaitable));
            if (why == kw::errc::client_closed) co_return;
            if (why) {
                std::fprintf(stderr, "poll: %s\n", why.message().c_str());
                continue;
            }
            if (got.empty()) continue;
            for (const auto& part : got.partitions())
                if (auto& epoch = epochs_[part.partition()]; epoch != part.assignment_epoch()) {
                    epoch = part.assignment_epoch();
                    std::fprintf(stderr, "%.3f partition %d from %lld on, assignment %llu\n", seconds(), part.partition(), static_cast<long long>(part.first_offset()),
                                 static_cast<unsigned long long>(epoch));
                }
            busy_ = true;
            // As whom they were got: a member that is not that any more cannot commit them.
            const auto as = consumer_.group_metadata();
            const bool done = co_await passed_on(got, as);
            to_.add({.what = done ? told::done : told::undone, .count = static_cast<std::int64_t>(got.size())});
            if (!done) rewind(got);
            busy_ = false;
            to_.flush();
            if (fatal_) co_return give_in();
        }
    }
    void give_in() {
        status_ = 3;
        io_.stop();
    }
    void rewind(const kw::records& got) {
        for (const auto& part : got.partitions()) {
            // Not if it was lost meanwhile, even if it is ours again: others may have passed these records on.
            const auto now = consumer_.reading(part.topic(), part.partition());
            if (now && now->assignment_epoch == part.assignment_epoch()) {
                std::fprintf(stderr, "%.3f partition %d again from %lld on\n", seconds(), part.partition(), static_cast<long long>(part.first_offset()));
                (void)consumer_.seek(part.topic(), part.partition(), kw::start_position::at(part.first_offset()));
            }
        }
    }

    asio::awaitable<bool> passed_on(const kw::records& got, const kw::group_metadata& as) {
        auto [why, tx] = co_await producer_.async_begin_transaction(8s, kw::as_tuple(asio::use_awaitable));
        if (why) co_return failed("begin", why);
        std::vector<kw::topic_offset> offsets;
        for (const auto& part : got.partitions()) {
            for (const auto& r : part) {
                const kw::record out{.topic = options_.output, .value = r.value, .partition = r.partition};
                auto code = producer_.try_send(out);
                if (code == kw::errc::would_wait) {
                    auto [later] = co_await producer_.async_enqueue(out, kw::as_tuple(asio::use_awaitable));
                    code = later;
                }
                if (code) {
                    (void)co_await tx.async_abort(kw::as_tuple(asio::use_awaitable));
                    co_return failed("send", code);
                }
            }
            offsets.push_back({part.topic(), part.partition(), part.next_offset(), part.leader_epoch()});
        }
        auto [refused] = co_await tx.async_send_offsets(offsets, as, kw::as_tuple(asio::use_awaitable));
        if (refused) {
            (void)co_await tx.async_abort(kw::as_tuple(asio::use_awaitable));
            co_return failed("offsets", refused);
        }
        // A result that is not known yet is found out by asking again.
        for (;;) {
            auto [end] = co_await tx.async_commit(kw::as_tuple(asio::use_awaitable));
            if (!end) co_return true;
            failed("commit", end);
            if (fatal_ || end != kw::condition::maybe_persisted) co_return false;
        }
    }
    bool failed(const char* where, std::error_code why) {
        std::fprintf(stderr, "%.3f %s: %s\n", seconds(), where, why.message().c_str());
        if (why == kw::condition::fatal || why == kw::condition::fenced) fatal_ = true;
        return false;
    }

    const member_options options_;
    asio::io_context io_{1};
    kw::client client_;
    kw::producer producer_;
    kw::consumer consumer_;
    reporter to_;
    bool stopping_ = false, busy_ = false, fatal_ = false;
    std::map<std::int32_t, std::uint64_t> epochs_;
    int status_ = 0;
};

}  // namespace

int run_pipeline(const member_options& o) { return pipeline{o}.run(); }

}  // namespace faults
