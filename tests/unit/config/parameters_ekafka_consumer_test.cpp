// What each parameter of [kafka.consumers.NAME] does.
#include <kafkawire/app/component.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>
#include <kafkawire/protocol/messages/12_heartbeat.hpp>
#include <kafkawire/protocol/messages/37_create_partitions.hpp>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

using kw::broker_errc;
using messages::fetch_request;
using messages::heartbeat_request;
using messages::join_group_request;
using messages::offset_commit_request;

// A member of a group that reads, and the lab that it is in.
struct member {
    lab l;
    std::shared_ptr<kw::consumer> c;
    std::shared_ptr<lab::reading> got;

    explicit member(const std::string& lines, int filled = 3) {
        if (filled > 0) l.fill("orders", filled);
        c = l.consumer(ekafka_consumer("groupID = \"g\"\n" + lines));
        got = l.read(c);
    }
    void until_read(std::size_t n) { REQUIRE(l.run_until([&] { return got->offsets.size() >= n; })); }
    fetch_request fetch() {
        REQUIRE(l.run_until([&] { return !l.asked<fetch_request>().empty(); }));
        return l.asked<fetch_request>().front().what;
    }
    join_group_request join() {
        REQUIRE(l.run_until([&] { return !l.asked<join_group_request>().empty(); }));
        return l.asked<join_group_request>().front().what;
    }
};

std::string group_id() {
    member m{""};
    CHECK(m.join().group_id == "g");
    m.until_read(3);
    return "the member joins the group g, and is given the topic's partitions";
}

std::string min_bytes() {
    // Nothing comes before there is so much, or maxWait has passed.
    const auto first_answer = [](const std::string& lines) {
        member m{"maxWait = \"4s\"\n" + lines, 3};
        const auto asked = m.fetch();
        const auto began = m.l.asked<fetch_request>().front().at;
        m.until_read(3);
        return std::pair{asked.min_bytes, m.l.now() - began};
    };
    const auto [plain, quick] = first_answer("");
    const auto [large, slow] = first_answer("minBytes = 10000");
    CHECK(plain == 1);
    CHECK(large == 10000);
    CHECK(quick < 100ms);
    CHECK(about(slow, 4s));
    return "Fetch says minBytes 10000, and three small messages come after " + ms(slow) + " instead of " + ms(quick);
}

std::string max_bytes() {
    const auto sizes = [](const std::string& lines) {
        const auto f = member{lines}.fetch();
        return std::pair{f.max_bytes, f.topics.at(0).partitions.at(0).partition_max_bytes};
    };
    CHECK(sizes("maxBytes = 4096") == std::pair{4096, 4096});
    CHECK(sizes("") == std::pair{1 << 20, 1 << 20});
    return "Fetch says maxBytes 4096 for the answer and for each partition, not 1048576";
}

std::string max_wait() {
    const auto between = [](const std::string& lines) {
        member m{lines, 0};
        REQUIRE(m.l.run_until([&] { return m.l.asked<fetch_request>().size() >= 4; }));
        return m.l.gaps<fetch_request>().back();
    };
    const auto short_one = between("maxWait = \"300ms\""), plain = between("");
    CHECK(about(short_one, 300ms));
    CHECK(about(plain, 10s));
    return "with nothing to read it asks every " + ms(short_one) + ", not every " + ms(plain);
}

// How long a partition is there before its member reads it.
std::chrono::milliseconds until_new_partition(const std::string& lines) {
    member m{lines, 1};
    m.until_read(1);
    m.l.run_for(7s);  // what was learned on the way has settled
    kw::client_options o;
    o.bootstrap = "broker:9092";
    o.client_id = "lab";
    const auto admin = m.l.client(o);
    messages::create_partitions_request request;
    auto& t = request.topics.emplace_back();
    t.name = "orders";
    t.count = 4;
    t.assignments.reset();
    request.timeout_ms = 1'000;
    bool made = false;
    admin->async_request(std::move(request), [&](std::error_code ec, const auto& answer) { made = !ec && answer.results.at(0).error_code == 0; });
    REQUIRE(m.l.run_until([&] { return made; }));
    const auto began = m.l.now();
    REQUIRE(m.l.run_until([&] { return m.c->reading("orders", 3).has_value(); }, 20min));
    return m.l.now() - began;
}

std::string watch_partition_changes() {
    const auto watched = until_new_partition("watchPartitionChanges = true"), plain = until_new_partition("");
    CHECK(watched <= 10s);  // its interval, a heartbeat, and a rebalance
    CHECK(plain > 60s);
    return "a new partition is read after " + ms(watched) + ", not after " + ms(plain);
}

std::string partition_watch_interval() {
    const auto quick = until_new_partition("watchPartitionChanges = true\npartitionWatchInterval = \"1s\""), slow = until_new_partition("watchPartitionChanges = true\npartitionWatchInterval = \"30s\"");
    CHECK(quick <= 6s);
    CHECK(slow <= 35s);
    CHECK(slow > 2 * quick);
    return "a new partition is read after " + ms(quick) + " with 1s, after " + ms(slow) + " with 30s";
}

std::string rebalance_timeout() {
    CHECK(member{"rebalanceTimeout = \"7s\""}.join().rebalance_timeout_ms == 7'000);
    CHECK(member{""}.join().rebalance_timeout_ms == 30'000);
    return "JoinGroup says rebalanceTimeoutMs 7000, not 30000";
}

std::string heartbeat_interval() {
    const auto beat = [](const std::string& lines) {
        member m{lines};
        REQUIRE(m.l.run_until([&] { return m.l.asked<heartbeat_request>().size() >= 4; }));
        return m.l.gaps<heartbeat_request>().back();
    };
    const auto quick = beat("heartbeatInterval = \"500ms\""), plain = beat("");
    CHECK(about(quick, 500ms));
    CHECK(about(plain, 3s));
    return "a Heartbeat every " + ms(quick) + ", not every " + ms(plain);
}

std::string commit_interval() {
    const auto waited = [](const std::string& lines) {
        member m{lines};
        m.until_read(3);
        const auto began = m.l.now();
        CHECK_FALSE(m.c->mark(m.got->last));
        CHECK_FALSE(!m.l.run_until([&] { return !m.l.asked<offset_commit_request>().empty(); }, 60s));
        return m.l.now() - began;
    };
    const auto two = waited("commitInterval = \"2s\""), ten = waited("commitInterval = \"10s\"");
    CHECK(about(two, 2s));
    CHECK(about(ten, 10s));
    member plain{""};
    plain.until_read(3);
    CHECK(plain.c->mark(plain.got->last));  // without an interval each commit is a request of its own
    bool done = false;
    plain.c->async_commit(plain.got->last, [&](std::error_code ec) { done = !ec; });
    const auto began = plain.l.now();
    REQUIRE(plain.l.run_until([&] { return done; }));
    CHECK(plain.l.now() - began < 100ms);
    return "what is marked is committed after " + ms(two) + " with 2s; without, a commit is a request of its own, at once";
}

std::string session_timeout() {
    const auto lives = [](const std::string& lines) {
        member m{lines};
        m.until_read(3);
        m.l.app.vanish();
        const auto began = m.l.now();
        REQUIRE(m.l.run_until([&] {
            const auto v = m.l.control().view();
            const auto* const g = v.find_group("g");
            return g && g->state == "Empty";
        }));
        return std::pair{m.l.asked<join_group_request>().front().what.session_timeout_ms, m.l.now() - began};
    };
    const auto [six, dead_after_six] = lives("sessionTimeout = \"6s\"");
    const auto [plain, dead_after] = lives("");
    CHECK(six == 6'000);
    CHECK(plain == 30'000);
    CHECK(dead_after_six <= 6s);
    CHECK(dead_after_six > 2s);
    CHECK(dead_after > 20s);
    return "a member that vanishes is out of the group after " + ms(dead_after_six) + ", not after " + ms(dead_after);
}

std::string join_group_backoff() {
    const auto pause = [](const std::string& lines) {
        lab l;
        l.control().add({.api = 11, .after = 1, .count = 3, .error = broker_errc::coordinator_load_in_progress});
        const auto c = l.consumer(ekafka_consumer("groupID = \"g\"\n" + lines));
        const auto got = l.read(c);
        REQUIRE(l.run_until([&] { return l.asked<join_group_request>().size() >= 5; }));
        // A member that is only told its id was not refused.
        CHECK(l.asked<join_group_request>().front().at < 1s);
        CHECK(l.gaps<join_group_request>().front() < 100ms);
        return l.gaps<join_group_request>().back();
    };
    const auto one = pause("joinGroupBackoff = \"1s\""), plain = pause("");
    CHECK(about(one, 1s));
    CHECK(about(plain, 5s));
    return "JoinGroup that was refused comes again after " + ms(one) + ", not after " + ms(plain);
}

std::string retention_time() {
    const auto commit = [](const std::string& lines) {
        member m{lines};
        m.until_read(3);
        bool done = false;
        m.c->async_commit(m.got->last, [&](std::error_code ec) { done = !ec; });
        REQUIRE(m.l.run_until([&] { return done; }));
        const auto all = m.l.asked<offset_commit_request>();
        return std::pair{all.back().version, all.back().what.retention_time_ms};
    };
    const auto [version, kept] = commit("retentionTime = \"24h\"");
    CHECK(version == 4);
    CHECK(kept == 24 * 3'600'000);
    const auto [newest, nothing] = commit("");
    CHECK(newest > 4);
    CHECK(nothing == -1);
    return "OffsetCommit says retentionTimeMs 86400000, in version 4, which still can; without it nothing, in version " + std::to_string(newest);
}

std::string start_offset() {
    const auto first = [](const std::string& lines) {
        member m{lines};
        REQUIRE(m.l.run_until([&] { return m.c->position("orders", 0).value_or(-1) >= 0; }));
        m.l.run_for(1s);
        m.l.fill("orders", 1);
        REQUIRE(m.l.run_until([&] { return !m.got->offsets.empty(); }));
        return m.got->offsets.front().second;
    };
    CHECK(first("startOffset = -2") == 0);
    CHECK(first("startOffset = -1") == 3);
    CHECK(first("") == 0);
    return "of a log of 3 messages, a new group reads offset 0 first with -2 (the default), offset 3 with -1";
}

// Pauses between Fetches that are refused, one after the other.
std::vector<std::chrono::milliseconds> pauses(const std::string& lines) {
    kw::broker::options o;
    o.topics = {{.name = "orders", .partitions = 1}};
    lab l{o};
    l.fill("orders", 3);
    l.control().add({.api = 1, .error = broker_errc::kafka_storage_error});
    const auto c = l.consumer(ekafka_consumer("groupID = \"g\"\n" + lines));
    const auto got = l.read(c);
    REQUIRE(l.run_until([&] { return l.asked<fetch_request>().size() >= 9; }));
    return l.gaps<fetch_request>();
}

std::string read_backoff_min() {
    const auto long_one = pauses("readBackoffMin = \"800ms\""), plain = pauses("");
    CHECK(about(long_one.front(), 800ms));
    CHECK(about(plain.front(), 100ms));
    return "a Fetch that was refused comes again after " + ms(long_one.front()) + ", not after " + ms(plain.front());
}

std::string read_backoff_max() {
    const auto long_one = pauses("readBackoffMax = \"4s\""), plain = pauses("");
    CHECK(about(long_one.back(), 4s));
    CHECK(about(plain.back(), 1s));
    return "after many refusals it comes again after " + ms(long_one.back()) + ", not after " + ms(plain.back());
}

// A component with a consumer c1 on a cluster where three messages lie in partition 0 and one in 2.
struct by_name {
    street s;
    kw::app::component c;

    explicit by_name(const std::string& lines, const std::string& shared = "") : by_name{lines, shared, {.topics = {{.name = "orders", .partitions = 3}, {.name = "accounts"}}}} {}
    kw::app::reader& reader() { return c.consumer("c1"); }

private:
    by_name(const std::string& lines, const std::string& shared, const kw::broker::options& o)
        : s{o}, c{ekafka_on(s, shared + "[kafka.consumers.c1]\nmaxWait = \"100ms\"\n" + lines)} {
        s.fill("orders", 3);
        s.fill("orders", 1, 2);
        s.fill("accounts", 1);
    }
};

std::string debug() {
    const auto told = [](const std::string& shared) {
        const overheard seen;
        by_name one{"topic = \"orders\"\npartition = 2", shared};
        (void)one.reader().read_message(20s);
        one.c.close();
        return seen.lines({"kafkawire consumer c1 " + one.s.address() + " Fetch v", " ms, ", "; request {", "; answer {"});
    };
    CHECK(told("debug = true\n") > 0);
    CHECK(told("") == 0);
    return "standard error has a line of each Fetch with consumer c1, address, time, request and answer; without it there is none";
}

std::string topic() {
    by_name one{"topic = \"accounts\"\ngroupID = \"g\""};
    CHECK(one.reader().read_message(20s).topic == "accounts");
    CHECK_THROWS_AS(one.reader().read_message(500ms), kw::system_error);
    return "accounts is read, and nothing else";
}

std::string partition() {
    by_name one{"topic = \"orders\"\npartition = 2"};
    CHECK(one.reader().read_message(20s).partition == 2);
    CHECK_THROWS_AS(one.reader().read_message(500ms), kw::system_error);
    CHECK(one.s.asked<join_group_request>().empty());
    for (const auto& f : one.s.asked<fetch_request>())
        for (const auto& t : f.what.topics)
            for (const auto& p : t.partitions) CHECK(p.partition == 2);
    by_name plain{"topic = \"orders\""};
    CHECK(plain.reader().read_message(20s).partition == 0);
    CHECK_FALSE(kw::config::read_toml("[kafka]\nbrokers = [\"h:1\"]\n[kafka.consumers.c]\ntopic = \"orders\"\npartition = 2\ngroupID = \"g\"\n", "test.toml").ok());
    return "Fetch asks for partition 2 alone, and for 0 without; nobody joins a group; with groupID it is refused at the start";
}

std::string read_lag_interval() {
    const auto lags = [](const std::string& lines) {
        by_name one{"topic = \"orders\"\n" + lines};
        (void)one.reader().read_message(20s);
        const auto first = one.reader().stats().lag;
        (void)one.reader().read_message(20s);
        std::this_thread::sleep_for(20ms);
        return std::pair{first, one.reader().stats().lag};
    };
    CHECK(lags("readLagInterval = \"10ms\"") == std::pair<std::int64_t, std::int64_t>{2, 1});
    CHECK(lags("") == std::pair<std::int64_t, std::int64_t>{2, 2});
    return "behind by 2, then by 1: told so 20 ms later with 10ms; with a minute (the default) still 2";
}

TEST_CASE("what the parameters of an ekafka consumer do", "[parameters]") {
    look_at_all("ekafka-consumer", {
                                       {"groupID", group_id},
                                       {"minBytes", min_bytes},
                                       {"maxBytes", max_bytes},
                                       {"maxWait", max_wait},
                                       {"watchPartitionChanges", watch_partition_changes},
                                       {"partitionWatchInterval", partition_watch_interval},
                                       {"rebalanceTimeout", rebalance_timeout},
                                       {"heartbeatInterval", heartbeat_interval},
                                       {"commitInterval", commit_interval},
                                       {"sessionTimeout", session_timeout},
                                       {"joinGroupBackoff", join_group_backoff},
                                       {"retentionTime", retention_time},
                                       {"startOffset", start_offset},
                                       {"readBackoffMin", read_backoff_min},
                                       {"readBackoffMax", read_backoff_max},
                                       {"debug", debug},
                                       {"topic", topic},
                                       {"partition", partition},
                                       {"readLagInterval", read_lag_interval},
                                   });
}

}  // namespace
}  // namespace parameters
