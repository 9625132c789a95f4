// What a transaction makes of errors, lost answers and delays at each of its requests, against the embedded cluster: its outcome is told, and
// what is told is true. What each code means to the machine alone is in transaction_errors_test.cpp.
#include "client/sender_fsm.hpp"
#include "client/transaction_errors.hpp"
#include "transaction_cluster.hpp"

namespace transactions {
using kw::client_detail::produce_verdict;
namespace txn = kw::client_detail::txn;

namespace {

struct step {
    txn::api what;
    std::int16_t key;
    bool only_first_version;
};
constexpr step steps[] = {{txn::api::find_transaction, 10, false}, {txn::api::init_producer_id, 22, false}, {txn::api::add_partitions, 24, true},
                          {txn::api::produce, 0, false},           {txn::api::add_offsets, 25, true},       {txn::api::txn_offset_commit, 28, false},
                          {txn::api::end_txn, 26, false}};

bool begins(txn::api what) noexcept { return what == txn::api::find_transaction || what == txn::api::init_producer_id; }

enum class expected { committed, aborted, fatal, unknown_and_fatal, begin_refused, begin_fatal };

expected expectation(txn::api what, std::int16_t code, int version) {
    using txn::meaning;
    if (what == txn::api::produce) {
        const auto verdict = kw::client_detail::verdict_of(code);
        if (verdict == produce_verdict::success || verdict == produce_verdict::retry || verdict == produce_verdict::elsewhere) return expected::committed;
    }
    const bool nothing_begun = begins(what);
    switch (txn::meaning_of(what, code, nothing_begun ? 1 : version)) {
        case meaning::done:
        case meaning::soon:
        case meaning::again:
        case meaning::unclear:
        case meaning::elsewhere: return expected::committed;
        case meaning::abort:
        case meaning::renew:
        case meaning::forgotten: return nothing_begun ? expected::begin_refused : expected::aborted;
        case meaning::refused: return expected::begin_refused;
        case meaning::fenced: return nothing_begun ? expected::begin_fatal : expected::fatal;
        // Before there is a producer nothing ends: it may be tried again when somebody has mended it.
        case meaning::fatal: return nothing_begun ? expected::begin_refused : expected::fatal;
        case meaning::inexplicable: return expected::unknown_and_fatal;
    }
    return expected::committed;
}

struct attempt {
    std::string name;
    std::int64_t offset = -1;
    kw::error begun, committed;
    std::vector<std::error_code> sends;
};

// One transaction: two partitions and an offset.
asio::awaitable<void> try_once(rig& r, kw::producer& producer, attempt& a, std::chrono::milliseconds patience = 20s) {
    auto [begun, tx] = co_await producer.async_begin_transaction(patience, detailed);
    a.begun = begun;
    if (begun) co_return;
    const std::string values[2] = {a.name + "/0", a.name + "/1"};
    for (std::int32_t p = 0; p < 2; ++p)
        producer.async_send({.topic = r.topic, .value = values[p], .partition = p}, [&](std::error_code ec, kw::delivery) {
            a.sends.push_back(ec);
        });
    const kw::topic_offset read[] = {{.topic = r.topic, .partition = 0, .offset = 7}};
    const kw::group_metadata group{a.name};
    (void)co_await tx.async_send_offsets(read, group, as_values);
    auto [committed] = co_await tx.async_commit(patience, detailed);
    a.committed = committed;
    // A commit that is refused does not wait for what is in flight; the next begin does.
    for (int tries = 0; a.sends.size() < 2 && tries < 1000; ++tries) co_await r.sleep(1ms);
    CHECK(a.sends.size() == 2);
}

asio::awaitable<std::int64_t> offset_of(rig& r, std::string group) {
    messages::offset_fetch_request m;
    m.group_id = group;
    m.topics.emplace().push_back({r.topic, {0}, {}});
    kw::request_options o;
    o.version = 5;
    const auto a = co_await r.client.async_request(std::move(m), o, asio::use_awaitable);
    co_return a.error_code == 0 ? a.topics.at(0).partitions.at(0).committed_offset : -1;
}

kw::producer_options quick(std::string id) {
    kw::producer_options o;
    o.transactional_id = std::move(id);
    o.retry_backoff = 1ms;
    o.retry_backoff_max = 5ms;
    o.linger = 0ms;
    return o;
}

// Whether what was told of each attempt is true, and no transaction was torn.
void judge(rig& r, const std::vector<attempt>& attempts) {
    const auto seen = r.values();
    for (const auto& a : attempts) {
        INFO(a.name << ": begin: " << a.begun.message() << "; commit: " << a.committed.message());
        const auto n = seen.count(a.name + "/0") + seen.count(a.name + "/1");
        const bool offset = a.offset == 7;
        CHECK((n == 0 || (seen.count(a.name + "/0") == 1 && seen.count(a.name + "/1") == 1)));
        CHECK(offset == (n == 2));
        const bool unknown = a.committed.code == kw::condition::maybe_persisted;
        if (!unknown) CHECK((n == 2) == (!a.begun && !a.committed));
    }
    CHECK(r.stable());
}

}  // namespace

TEST_CASE("every error code once at every request of a transaction: the class of its outcome is the code's, and true") {
    for (const std::string as : versions) {
        const int version = as == "3.9" ? 1 : 2;
        rig r{as};
        std::vector<attempt> attempts;
        r.run([&]() -> asio::awaitable<void> {
            for (const auto& s : steps) {
                if (s.only_first_version && version == 2) continue;
                for (const auto& code : kw::broker_errors()) {
                    if (code.code == 0) continue;
                    const auto want = expectation(s.what, code.code, version);
                    attempt a;
                    a.name = as + ' ' + std::string{name_of(s.what)} + ' ' + std::string{code.name};
                    INFO(a.name);
                    std::optional<kw::producer> producer{std::in_place, r.client, quick(a.name)};
                    kw::broker::fault f{.api = s.key, .count = 1, .error = static_cast<kw::broker_errc>(code.code)};
                    // Such an answer comes of a batch that is in the log already.
                    f.carry_out = s.key == 0 && kw::client_detail::verdict_of(code.code) == produce_verdict::success;
                    const auto id = r.control.add(f);
                    co_await try_once(r, *producer, a);
                    CHECK(r.control.hits(id) == 1);
                    r.control.remove(id);
                    UNSCOPED_INFO("begin: " << a.begun.message() << "; commit: " << a.committed.message());
                    CHECK(static_cast<bool>(a.begun) == (want == expected::begin_refused || want == expected::begin_fatal));
                    if (!a.begun) CHECK(!a.committed == (want == expected::committed));
                    const bool ends = want == expected::fatal || want == expected::unknown_and_fatal || want == expected::begin_fatal;
                    if (want == expected::aborted) CHECK(a.committed.code == kw::condition::abortable);
                    if (want == expected::unknown_and_fatal) CHECK(a.committed.code == kw::condition::maybe_persisted);
                    if (want == expected::fatal) CHECK(a.committed.code != kw::condition::maybe_persisted);
                    attempt next;
                    next.name = a.name + " after";
                    if (ends) {
                        co_await try_once(r, *producer, next);
                        CHECK(next.begun.code == kw::condition::fatal);
                        producer.emplace(r.client, quick(a.name));
                    }
                    co_await try_once(r, *producer, next);
                    // This coordinator has not forgotten the producer and has its transaction open: raising the epoch then is a fence against itself.
                    if (version == 1 && !begins(s.what) && static_cast<kw::broker_errc>(code.code) == kw::broker_errc::invalid_producer_id_mapping) {
                        CHECK(next.begun.code == kw::condition::fenced);
                        producer.emplace(r.client, quick(a.name));
                        next.begun = {};
                        co_await try_once(r, *producer, next);
                    }
                    CHECK(!next.begun);
                    CHECK(!next.committed);
                    for (auto* one : {&a, &next}) one->offset = co_await offset_of(r, one->name);
                    attempts.push_back(std::move(a));
                    attempts.push_back(std::move(next));
                }
            }
        });
        judge(r, attempts);
    }
}

TEST_CASE("answers that are lost, late or unreadable at every request of a transaction") {
    for (const std::string as : versions) {
        const int version = as == "3.9" ? 1 : 2;
        rig r{as, 1, 150ms};
        std::vector<attempt> attempts;
        r.run([&]() -> asio::awaitable<void> {
            using kw::broker::fault;
            const std::pair<std::string, fault> faults[] = {
                {"closed", {.close = true}},
                {"dropped", {.drop_request = true}},
                {"unanswered", {.drop_reply = true}},
                {"cut", {.cut = 5}},
                {"garbage", {.garbage = kw::broker::garbage::body}},
                {"garbage frame", {.garbage = kw::broker::garbage::frame}},
                {"not coordinator, yet done", {.error = kw::broker_errc::not_coordinator, .carry_out = true}},
                {"timed out, yet done", {.error = kw::broker_errc::request_timed_out, .carry_out = true}},
                {"server error, yet done", {.error = kw::broker_errc::unknown_server_error, .carry_out = true}},
            };
            for (const auto& s : steps) {
                if (s.only_first_version && version == 2) continue;
                for (const auto& [what, how] : faults) {
                    attempt a;
                    a.name = as + ' ' + std::string{name_of(s.what)} + ' ' + what;
                    INFO(a.name);
                    auto f = how;
                    // The leaders' counterpart.
                    if (s.key == 0 && f.error == kw::broker_errc::not_coordinator) f.error = kw::broker_errc::not_leader_or_follower;
                    f.api = s.key;
                    f.count = 1;
                    kw::producer producer{r.client, quick(a.name)};
                    const auto id = r.control.add(f);
                    co_await try_once(r, producer, a);
                    CHECK(r.control.hits(id) == 1);
                    r.control.remove(id);
                    CHECK(!a.begun);
                    CHECK(!a.committed);
                    attempt next;
                    next.name = a.name + " after";
                    co_await try_once(r, producer, next);
                    CHECK(!next.begun);
                    CHECK(!next.committed);
                    for (auto* one : {&a, &next}) one->offset = co_await offset_of(r, one->name);
                    attempts.push_back(std::move(a));
                    attempts.push_back(std::move(next));
                }
            }
        });
        judge(r, attempts);
    }
}

TEST_CASE("a commit without an answer is unknown by its deadline; asked again it says what became of it, and the next begin is fenced off") {
    for (const std::string as : versions)
        for (const bool arrives : {true, false}) {
            INFO(as << (arrives ? ", done" : ", not done"));
            rig r{as, 1, 100ms};
            kw::producer producer{r.client, quick("tx")};
            r.run([&]() -> asio::awaitable<void> {
                auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                co_await producer.async_send({.topic = r.topic, .value = "1"}, asio::use_awaitable);
                auto hanging = kw::broker::fault{.api = 26, .drop_request = !arrives, .drop_reply = arrives};
                r.control.add(hanging);
                auto [why] = co_await tx.async_commit(300ms, detailed);
                CHECK(why.code == kw::errc::delivery_unknown);
                CHECK(why.code == kw::condition::maybe_persisted);
                auto [late, none] = co_await producer.async_begin_transaction(200ms, detailed);
                CHECK(late.code == kw::errc::request_timed_out);
                UNSCOPED_INFO(late.message());
                CHECK(late.cause);
                r.control.clear_faults();
                auto [again] = co_await tx.async_commit(as_values);
                CHECK(!again);
                const auto identities = [&] {
                    std::uint64_t asked = 0;
                    for (const auto& t : r.control.traffic())
                        if (t.api_key == 22) asked = t.requests;
                    return asked;
                };
                const auto before = identities();
                auto next = co_await producer.async_begin_transaction(asio::use_awaitable);
                CHECK((identities() > before) == (as == "3.9"));  // version 1 needs a fence, version 2 has one
                co_await producer.async_send({.topic = r.topic, .value = "2"}, asio::use_awaitable);
            });
            CHECK(r.kafka.run_until([&] { return r.stable(); }));
            CHECK(r.values() == std::multiset<std::string>{"1"});
        }
}

TEST_CASE("an EndTxn that comes late does not end the next transaction") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as, 1, 100ms};
        kw::producer producer{r.client, quick("tx")};
        r.run([&]() -> asio::awaitable<void> {
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "1"}, asio::use_awaitable);
            r.control.add({.api = 26, .count = 1, .delay = 500ms});
            co_await tx.async_commit(asio::use_awaitable);
            tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "half"}, asio::use_awaitable);
            co_await r.sleep(700ms);
            CHECK(!r.stable());
            co_await tx.async_abort(asio::use_awaitable);
        });
        CHECK(r.values() == std::multiset<std::string>{"1"});
    }
}

TEST_CASE("a transaction that took too long is never called committed, and the producer goes on") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        auto o = quick("tx");
        o.transaction_timeout = 10s;
        kw::producer producer{r.client, o};
        r.run([&]() -> asio::awaitable<void> {
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "late", .partition = 0}, asio::use_awaitable);
            (void)r.control.advance_clock(30s);
            co_await r.sleep(50ms);
            auto [ec] = co_await tx.async_commit(as_values);
            CHECK((ec == kw::errc::transaction_aborted || ec == kw::condition::fenced));
            if (ec == kw::condition::fatal) co_return;
            tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "in time", .partition = 0}, asio::use_awaitable);
            co_await tx.async_commit(asio::use_awaitable);
        });
        CHECK(r.values().count("late") == 0);
        CHECK(r.stable());
    }
}

TEST_CASE("an abort while the first batch is in flight, and one while it is being sent again") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer producer{r.client, quick("tx")};
        r.run([&]() -> asio::awaitable<void> {
            for (int i = 0; i < 4; ++i) {
                r.control.clear_faults();
                r.control.add(i % 2 ? kw::broker::fault{.api = 0, .count = 3, .error = kw::broker_errc::not_enough_replicas}
                                    : kw::broker::fault{.api = 0, .count = 1, .reply_delay = 30ms});
                auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                for (std::int32_t p = 0; p < 3; ++p) producer.async_send({.topic = r.topic, .value = "x", .partition = p}, asio::detached);
                if (i > 1) co_await r.sleep(5ms);
                co_await tx.async_abort(asio::use_awaitable);
            }
            r.control.clear_faults();
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            for (std::int32_t p = 0; p < 3; ++p) producer.async_send({.topic = r.topic, .value = "y", .partition = p}, asio::detached);
            co_await tx.async_commit(asio::use_awaitable);
        });
        CHECK(r.values() == std::multiset<std::string>{"y", "y", "y"});
        CHECK(r.stable());
    }
}

}  // namespace transactions
