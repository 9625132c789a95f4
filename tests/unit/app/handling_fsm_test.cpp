// The machine behind handlers, called by hand: time is a number.
#include "app/handling_fsm.hpp"

#include <algorithm>
#include <random>

#include "catch.hpp"

using namespace std::chrono_literals;
namespace app = kafkawire::app;
namespace event = kafkawire::app::handling_event;
namespace action = kafkawire::app::handling_action;

namespace {

struct bench {
    explicit bench(const app::handler_options& o, bool batched = false) : machine{o, batched} {}

    app::handling_fsm machine;
    app::time_point now{};
    app::handling_fsm::actions last;

    bench& step(app::handling_happening e) {
        last.clear();
        machine.step(std::move(e), now, last);
        return *this;
    }
    bench& pass(std::chrono::milliseconds d) {
        now += d;
        return step(event::tick{});
    }
    bench& arrive(std::uint32_t partition, std::vector<std::optional<std::uint64_t>> keys, std::int64_t from = 0) {
        event::arrived e{partition, {}};
        for (const auto& k : keys) e.messages.push_back({from++, 7, k, false});
        return step(std::move(e));
    }
    template <class A>
    [[nodiscard]] std::vector<A> all() const {
        std::vector<A> found;
        for (const auto& a : last)
            if (const auto* x = std::get_if<A>(&a)) found.push_back(*x);
        return found;
    }
    template <class A>
    [[nodiscard]] A only() const {
        const auto found = all<A>();
        REQUIRE(found.size() == 1);
        return found[0];
    }
    // How far the last step confirmed; -1: not at all.
    [[nodiscard]] std::int64_t confirmed() const {
        const auto found = all<action::confirm>();
        return found.empty() ? -1 : found.back().offset;
    }
};

}  // namespace

TEST_CASE("one message after the other, each confirmed when its function has taken it", "[handling]") {
    bench b{{}};
    b.arrive(1, {{}, {}, {}}, 10);
    for (std::int64_t offset = 10; offset < 13; ++offset) {
        const auto call = b.only<action::call>();
        CHECK(call.messages == std::vector<std::uint64_t>{static_cast<std::uint64_t>(offset - 10)});
        CHECK(call.attempt == 1);
        b.step(event::finished{call.call, true});
        CHECK(b.confirmed() == offset);
        CHECK(b.only<action::confirm>().leader_epoch == 7);
    }
    CHECK(b.all<action::call>().empty());
    CHECK(b.machine.numbers().handled == 3);
    CHECK_FALSE(b.machine.next_wakeup());
}

TEST_CASE("max_retry 0: tried until it is taken, never confirmed before, every retry_interval", "[handling]") {
    bench b{{.retry_interval = 3s}};
    b.arrive(1, {{}, {}});
    auto call = b.only<action::call>();
    for (int tries = 1; tries <= 50; ++tries) {
        CHECK(call.attempt == tries);
        b.step(event::finished{call.call, false});
        CHECK(b.last.empty());
        CHECK(b.pass(2999ms).last.empty());
        b.pass(1ms);
        call = b.only<action::call>();
        CHECK(call.messages == std::vector<std::uint64_t>{0});
    }
    b.step(event::finished{call.call, true});
    CHECK(b.confirmed() == 0);
    CHECK(b.only<action::call>().messages == std::vector<std::uint64_t>{1});
    CHECK(b.machine.numbers().failures == 50);
    CHECK(b.machine.numbers().retries == 50);
}

TEST_CASE("max_retry below 0: one try, confirmed, and on", "[handling]") {
    bench b{{.max_retry = -1}};
    b.arrive(1, {{}, {}});
    b.step(event::finished{b.only<action::call>().call, false});
    CHECK(b.only<action::give_up>().tries == 1);
    CHECK(b.confirmed() == 0);
    CHECK(b.only<action::call>().messages == std::vector<std::uint64_t>{1});
    CHECK(b.machine.numbers().given_up == 1);
}

TEST_CASE("max_retry n: n+1 tries, then what after_last_try says", "[handling]") {
    const auto fail_all = [](bench& b) {
        b.arrive(1, {{}, {}});
        for (int tries = 1; tries <= 3; ++tries) {
            const auto call = b.only<action::call>();
            CHECK(call.attempt == tries);
            b.step(event::finished{call.call, false});
            if (tries < 3) b.pass(3s);
        }
    };
    SECTION("go on") {
        bench b{{.max_retry = 2}};
        fail_all(b);
        CHECK(b.only<action::give_up>().tries == 3);
        CHECK(b.confirmed() == 0);
        CHECK(b.only<action::call>().messages == std::vector<std::uint64_t>{1});
    }
    SECTION("stop") {
        bench b{{.max_retry = 2, .after_last_try = app::last_resort::stop}};
        fail_all(b);
        (void)b.only<action::failing>();
        CHECK(b.only<action::stopped>().running == 0);
        CHECK(b.confirmed() == -1);
        CHECK(b.machine.is_stopped());
    }
    SECTION("dead letter: confirmed when it is there; what was not taken is sent again") {
        bench b{{.max_retry = 2, .after_last_try = app::last_resort::dead_letter, .dead_letter_topic = "dead"}};
        fail_all(b);
        auto sent = b.only<action::park>();
        CHECK(sent.dead);
        CHECK(sent.tries == 3);
        CHECK(b.confirmed() == -1);
        b.step(event::parked{sent.message, false});
        CHECK(b.last.empty());
        b.pass(3s);
        sent = b.only<action::park>();
        b.step(event::parked{sent.message, true});
        CHECK(b.confirmed() == 0);
        CHECK(b.only<action::call>().messages == std::vector<std::uint64_t>{1});
        CHECK(b.machine.numbers().to_dead_letters == 1);
    }
    SECTION("retry topic; what comes from there and fails again is a dead letter") {
        bench b{{.max_retry = -1, .after_last_try = app::last_resort::retry_topic, .retry_topic = "again", .dead_letter_topic = "dead"}};
        event::arrived e{1, {{5, 0, {}, false}, {6, 0, {}, true}}};
        b.step(std::move(e));
        b.step(event::finished{b.only<action::call>().call, false});
        auto sent = b.only<action::park>();
        CHECK_FALSE(sent.dead);
        b.step(event::parked{sent.message, true});
        CHECK(b.confirmed() == 5);
        b.step(event::finished{b.only<action::call>().call, false});
        sent = b.only<action::park>();
        CHECK(sent.dead);
        b.step(event::parked{sent.message, true});
        CHECK(b.confirmed() == 6);
        CHECK(b.machine.numbers().to_retry_topic == 1);
        CHECK(b.machine.numbers().to_dead_letters == 1);
    }
}

TEST_CASE("side by side by key: a key's messages follow each other, and nothing is confirmed before what lies before it", "[handling]") {
    bench b{{.parallel = 3}};
    b.arrive(1, {1, 2, 1, {}});
    const auto calls = b.all<action::call>();
    REQUIRE(calls.size() == 3);  // 1, 2, and the one without a key; the second 1 waits for the first
    CHECK(calls[0].messages[0] == 0);
    CHECK(calls[1].messages[0] == 1);
    CHECK(calls[2].messages[0] == 3);
    b.step(event::finished{calls[2].call, true});
    CHECK(b.confirmed() == -1);
    b.step(event::finished{calls[1].call, true});
    CHECK(b.confirmed() == -1);
    CHECK(b.all<action::call>().empty());
    b.step(event::finished{calls[0].call, true});
    CHECK(b.confirmed() == 1);
    b.step(event::finished{b.only<action::call>().call, true});
    CHECK(b.confirmed() == 3);
}

TEST_CASE("a key that waits for its next try holds back nobody else; by partition it holds back its partition", "[handling]") {
    bench by_key{{.parallel = 2}};
    by_key.arrive(1, {1, 1, 2});
    auto calls = by_key.all<action::call>();
    REQUIRE(calls.size() == 2);
    by_key.step(event::finished{calls[0].call, false}).step(event::finished{calls[1].call, true});
    CHECK(by_key.all<action::call>().empty());
    by_key.arrive(1, {3}, 3);
    CHECK(by_key.only<action::call>().messages[0] == 3);

    bench by_partition{{.parallel = 2, .order = app::handler_order::partition}};
    by_partition.arrive(1, {1, 2});
    const auto call = by_partition.only<action::call>();
    by_partition.step(event::finished{call.call, false}).arrive(2, {3});
    CHECK(by_partition.only<action::call>().partition == 2);
    by_partition.pass(3s);
    CHECK(by_partition.only<action::call>().messages[0] == 0);
}

TEST_CASE("no more calls than parallel, over all partitions; freed places go round", "[handling]") {
    bench b{{.parallel = 2, .order = app::handler_order::partition}};
    b.arrive(1, {{}, {}});
    const auto one = b.only<action::call>();
    b.arrive(2, {{}, {}});
    (void)b.only<action::call>();
    b.arrive(3, {{}});
    CHECK(b.all<action::call>().empty());
    b.step(event::finished{one.call, true});
    CHECK(b.only<action::call>().partition == 3);
}

TEST_CASE("a batch is full, or has waited for batch_flush; an error has all of it again", "[handling]") {
    bench b{{.batch = 3, .batch_flush = 2s}, true};
    b.arrive(1, {{}, {}});
    CHECK(b.last.empty());
    b.now += 500ms;
    b.arrive(1, {{}, {}}, 2);
    auto call = b.only<action::call>();
    CHECK(call.messages == std::vector<std::uint64_t>{0, 1, 2});
    b.step(event::finished{call.call, false});
    CHECK(b.confirmed() == -1);
    b.pass(3s);
    call = b.only<action::call>();
    CHECK(call.attempt == 2);
    CHECK(call.messages == std::vector<std::uint64_t>{0, 1, 2});
    b.step(event::finished{call.call, true});
    CHECK(b.confirmed() == 2);
    // The fourth came long ago.
    CHECK(b.only<action::call>().messages == std::vector<std::uint64_t>{3});

    bench late{{.batch = 100, .batch_flush = 2s}, true};
    late.arrive(1, {{}});
    CHECK(late.machine.next_wakeup() == late.now + 2s);
    CHECK(late.pass(1999ms).all<action::call>().empty());
    CHECK(late.pass(1ms).only<action::call>().messages.size() == 1);
}

TEST_CASE("revoked in the middle: what runs may end, nothing new is begun, and the partition is let go when all is done", "[handling]") {
    bench b{{.parallel = 2}};
    b.arrive(1, {1, 2, 3});
    const auto calls = b.all<action::call>();
    b.step(event::revoked{{1, 9}, b.now + 10s});
    CHECK(b.only<action::release>().partition == 9);  // nothing of it was ever here
    CHECK(b.all<action::call>().empty());
    b.step(event::finished{calls[1].call, true});
    CHECK(b.all<action::release>().empty());
    b.step(event::finished{calls[0].call, true});
    CHECK(b.confirmed() == 1);
    CHECK(b.only<action::release>().partition == 1);
    CHECK(b.last.size() >= 2);
    CHECK(std::holds_alternative<action::release>(b.last.back()));
}

TEST_CASE("revoked, and a handler is not done by the deadline: let go, and never confirmed", "[handling]") {
    bench b{{}};
    b.arrive(1, {{}});
    const auto call = b.only<action::call>();
    b.step(event::revoked{{1}, b.now + 10s});
    CHECK(b.pass(9s).all<action::release>().empty());
    CHECK(b.pass(1s).only<action::release>().partition == 1);
    // The same partition again, under its new number: the place of the old call is still taken.
    b.arrive(2, {{}});
    CHECK(b.all<action::call>().empty());
    b.step(event::finished{call.call, true});
    CHECK(b.confirmed() == -1);
    CHECK(b.only<action::call>().partition == 2);
    CHECK(b.machine.numbers().unfinished == 1);
}

TEST_CASE("revoked while it waits for its next try: let go at once; a failure while it goes is not tried again", "[handling]") {
    bench b{{}};
    b.arrive(1, {{}});
    b.step(event::finished{b.only<action::call>().call, false});
    b.step(event::revoked{{1}, b.now + 10s});
    CHECK(b.only<action::release>().partition == 1);
    b.arrive(2, {{}});
    const auto call = b.only<action::call>();
    b.step(event::revoked{{2}, b.now + 10s});
    b.step(event::finished{call.call, false});
    CHECK(b.confirmed() == -1);
    CHECK(b.only<action::release>().partition == 2);
    CHECK_FALSE(b.machine.next_wakeup());
}

TEST_CASE("lost: nothing of it is confirmed any more", "[handling]") {
    bench b{{}};
    b.arrive(1, {{}, {}});
    const auto call = b.only<action::call>();
    b.step(event::lost{{1}});
    CHECK(b.only<action::release>().partition == 1);
    b.step(event::finished{call.call, true});
    CHECK(b.last.empty());
}

TEST_CASE("a stop waits for what runs, and confirms it; it ends when its patience does", "[handling]") {
    bench b{{.parallel = 2}};
    b.arrive(1, {1, 2, 3});
    const auto calls = b.all<action::call>();
    b.step(event::stop_requested{30s});
    CHECK_FALSE(b.machine.takes());
    b.step(event::finished{calls[0].call, true});
    CHECK(b.confirmed() == 0);
    CHECK_FALSE(b.machine.is_stopped());
    SECTION("done in time") {
        b.step(event::finished{calls[1].call, true});
        CHECK(b.confirmed() == 1);
        CHECK(b.only<action::stopped>().running == 0);
    }
    SECTION("not done") {
        CHECK(b.machine.next_wakeup() == b.now + 1s);  // max_processing_time of what runs: it is told, and goes on
        b.pass(1s);
        CHECK(b.machine.next_wakeup() == b.now + 29s);
        b.pass(29s);
        CHECK(b.only<action::stopped>().running == 1);
        b.step(event::finished{calls[1].call, true});
        CHECK(b.confirmed() == -1);
    }
    b.step(event::revoked{{1}, {}});
    CHECK(b.only<action::release>().partition == 1);
}

TEST_CASE("a slow handler is told of once", "[handling]") {
    bench b{{.max_processing_time = 1s}};
    b.arrive(1, {{}});
    const auto call = b.only<action::call>();
    CHECK(b.pass(1s).only<action::slow>().call == call.call);
    CHECK(b.pass(60s).last.empty());
    b.step(event::finished{call.call, true});
    CHECK(b.confirmed() == 0);
}

TEST_CASE("a partition with too much in hand is paused until half of it is done", "[handling]") {
    bench b{{.max_pending = 4}};
    b.arrive(1, {{}, {}, {}, {}});
    CHECK(b.only<action::pause>().partition == 1);
    b.step(event::finished{b.only<action::call>().call, true});
    CHECK(b.all<action::resume>().empty());
    b.step(event::finished{b.only<action::call>().call, true});
    CHECK(b.only<action::resume>().partition == 1);
}

// Whatever happens: confirmed is a prefix of what is done, keys keep their order, no more than `parallel` run, and the end is reached.
TEST_CASE("a thousand random histories", "[handling]") {
    for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random{seed};
        const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
        app::handler_options o;
        const auto kind = below(3);
        o.max_retry = kind == 0 ? 0 : kind == 1 ? -1 : 2;
        o.parallel = 1 + below(4);
        o.order = below(2) ? app::handler_order::key : app::handler_order::partition;
        o.batch = below(2) ? 1 + below(4) : 0;
        o.max_pending = 5 + below(20);
        if (o.max_retry != 0 && below(2)) {
            o.after_last_try = app::last_resort::dead_letter;
            o.dead_letter_topic = "dead";
        }
        bench b{o, o.batch > 0};
        struct known {
            std::vector<std::optional<std::uint64_t>> keys;
            std::vector<bool> done;
            std::int64_t confirmed = -1;
            bool gone = false, leaving = false;
        };
        std::map<std::uint32_t, known> partitions;
        std::map<std::uint64_t, action::call> running;
        std::vector<app::message_place> sending;
        std::uint32_t newest = 0;
        const auto note = [&] {
            for (const auto& a : b.last) {
                if (const auto* c = std::get_if<action::call>(&a)) {
                    auto& p = partitions.at(c->partition);
                    REQUIRE_FALSE((p.gone || p.leaving));
                    for (const auto seq : c->messages) {
                        REQUIRE_FALSE(p.done[seq]);
                        for (std::size_t before = 0; before < seq; ++before) {
                            const bool here = std::find(c->messages.begin(), c->messages.end(), before) != c->messages.end();
                            const bool follows = o.parallel == 1 || o.order == app::handler_order::partition || (p.keys[seq] && p.keys[before] == p.keys[seq]);
                            if (follows) REQUIRE((here || p.done[before]));
                        }
                    }
                    running.emplace(c->call, *c);
                }
                if (const auto* g = std::get_if<action::give_up>(&a)) partitions.at(g->message.partition).done[g->message.seq] = true;
                if (const auto* s = std::get_if<action::park>(&a)) sending.push_back(s->message);
                if (const auto* r = std::get_if<action::release>(&a)) partitions[r->partition].gone = true;
                if (const auto* c = std::get_if<action::confirm>(&a)) {
                    auto& p = partitions.at(c->partition);
                    REQUIRE_FALSE(p.gone);
                    REQUIRE(c->offset > p.confirmed);
                    for (std::int64_t i = 0; i <= c->offset; ++i) REQUIRE(p.done[static_cast<std::size_t>(i)]);
                    p.confirmed = c->offset;
                }
            }
            REQUIRE(b.machine.under_way() == running.size());
            REQUIRE(running.size() <= o.parallel);
        };
        const auto finish = [&](bool well) {
            auto at = running.begin();
            std::advance(at, below(static_cast<std::uint32_t>(running.size())));
            const auto c = at->second;
            running.erase(at);
            if (well)
                for (const auto seq : c.messages) partitions.at(c.partition).done[seq] = true;
            b.step(event::finished{c.call, well});
            note();
        };
        const auto send = [&](bool well) {
            const auto which = below(static_cast<std::uint32_t>(sending.size()));
            const auto m = sending[which];
            sending.erase(sending.begin() + which);
            if (well) partitions.at(m.partition).done[m.seq] = true;
            b.step(event::parked{m, well});
            note();
        };
        for (int i = 0; i < 120; ++i) {
            const auto what = below(20);
            if (what < 6 || newest == 0) {
                if (newest == 0 || below(8) == 0) ++newest;
                const auto number = newest - below(std::min(newest, 3u));
                auto& p = partitions[number];
                if (p.gone || p.leaving) continue;
                std::vector<std::optional<std::uint64_t>> keys;
                for (auto n = 1 + below(5); n > 0; --n) keys.push_back(below(4) ? std::optional<std::uint64_t>{below(3)} : std::nullopt);
                const auto from = static_cast<std::int64_t>(p.keys.size());
                p.keys.insert(p.keys.end(), keys.begin(), keys.end());
                p.done.resize(p.keys.size());
                b.arrive(number, keys, from);
                note();
            } else if (what < 13 && !running.empty()) {
                finish(below(3) > 0);
            } else if (what < 15 && !sending.empty()) {
                send(below(3) > 0);
            } else if (what == 15) {
                const auto number = 1 + below(newest);
                if (partitions[number].gone || partitions[number].leaving) continue;
                if (below(2)) {
                    partitions[number].leaving = true;
                    b.step(event::revoked{{number}, b.now + 5s});
                } else {
                    b.step(event::lost{{number}});
                }
                note();
            } else {
                b.pass(std::chrono::milliseconds{below(4000)});
                note();
            }
        }
        // Everything goes well from now on: all that is still here is confirmed.
        for (int i = 0; i < 5000; ++i) {
            if (!running.empty()) finish(true);
            else if (!sending.empty()) send(true);
            else if (const auto next = b.machine.next_wakeup()) {
                b.now = std::max(b.now, *next);
                b.step(event::tick{});
                note();
            } else break;
        }
        for (const auto& [number, p] : partitions) {
            INFO("partition " << number);
            if (p.leaving) CHECK(p.gone);
            if (!p.gone) REQUIRE(p.confirmed == static_cast<std::int64_t>(p.keys.size()) - 1);
        }
        CHECK_FALSE(b.machine.next_wakeup());
        b.step(event::stop_requested{1s});
        CHECK(b.machine.is_stopped());
    }
}
