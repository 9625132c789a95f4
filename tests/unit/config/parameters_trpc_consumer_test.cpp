// What each parameter of a tRPC consumer's address does.
#include <kafkawire/app/caller_metadata.hpp>
#include <kafkawire/app/component.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

namespace app = kw::app;
using messages::fetch_request;
using messages::join_group_request;
using messages::metadata_request;

// A member that reads.
struct reader {
    lab l;
    std::shared_ptr<kw::consumer> c;
    std::shared_ptr<lab::reading> got;

    explicit reader(const std::string& parameters, int filled = 3) {
        if (filled > 0) l.fill("orders", filled);
        c = l.consumer(trpc_consumer(parameters));
        got = l.read(c);
    }
    fetch_request fetch() {
        REQUIRE(l.run_until([&] { return !l.asked<fetch_request>().empty(); }));
        return l.asked<fetch_request>().front().what;
    }
    timed<join_group_request> join() {
        REQUIRE(l.run_until([&] { return !l.asked<join_group_request>().empty(); }));
        return l.asked<join_group_request>().front();
    }
};

// A server whose handler fails as often as it is told to.
struct server {
    lab l{{.topics = {{.name = "orders", .partitions = 3}, {.name = "dead"}}}};
    std::vector<std::pair<std::chrono::milliseconds, std::vector<std::int64_t>>> calls;
    std::vector<app::service_error> errors;
    int failures = 0;

    server(const std::string& parameters, int filled, bool batched, int fails, std::chrono::milliseconds takes = 0ms) : failures{fails} {
        l.fill("orders", filled);
        const auto s = trpc_consumer("&initial=oldest" + parameters);
        auto handler = app::on_call([this, takes](app::call c) {
            auto& one = calls.emplace_back(l.now(), std::vector<std::int64_t>{});
            for (const auto& m : c.messages()) one.second.push_back(m.offset);
            const bool wrong = failures > 0 && failures-- > 0;
            auto kept = std::make_shared<app::call>(std::move(c));
            l.app.async_wait(takes, [kept, wrong](std::error_code) {
                kw::error e;
                if (wrong) e.code = std::make_error_code(std::errc::io_error);
                kept->done(std::move(e));
            });
        }, batched);
        auto s2 = l.make<app::consumer_server>(*l.client(s.client), s.options, std::move(handler), s.handling);
        s2->on_error([this](const app::service_error& e) { errors.push_back(e); });
        s2->async_run([](std::error_code) {});
    }
    bool until(std::size_t n) {
        return l.run_until([&] { return calls.size() >= n; });
    }
    std::int64_t committed() {
        std::int64_t at = -1;
        for (const auto& c : l.asked<messages::offset_commit_request>())
            for (const auto& t : c.what.topics)
                for (const auto& p : t.partitions) at = std::max(at, p.committed_offset);
        return at;
    }
};

std::string addresses() {
    CHECK(arrives(trpc_consumer("", "app:1,broker:9092").client));
    CHECK_FALSE(arrives(trpc_consumer("", "app:1").client));
    return "the second of two addresses is asked when nobody listens at the first";
}

std::string group() {
    CHECK(reader{""}.join().what.group_id == "g");
    return "JoinGroup says group g";
}

std::string client_id() {
    CHECK(reader{"&clientid=me"}.join().client_id == "me");
    CHECK(reader{""}.join().client_id == "kafkawire");
    return "requests come from \"me\", not from \"kafkawire\"";
}

std::string topics() {
    kw::broker::options o;
    o.topics = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    lab l{o};
    for (const auto* t : {"a", "b", "c"}) l.fill(t, 1);
    const auto s = kw::config::read_consumer_address("broker:9092?topics=a,b&group=g&initial=oldest");
    REQUIRE(wrong_with(s) == "");
    const auto c = l.consumer(s.consumers.at(""));
    const auto got = l.read(c);
    REQUIRE(l.run_until([&] { return got->offsets.size() == 2; }));
    l.run_for(10s);
    CHECK(got->offsets.size() == 2);
    CHECK(c->reading("a", 0));
    CHECK(c->reading("b", 0));
    CHECK_FALSE(c->reading("c", 0));
    return "of a, b and c, a and b are read";
}

std::string strategy() {
    const auto named = [](const std::string& parameters) {
        std::string all;
        for (const auto& p : reader{parameters}.join().what.protocols) all += p.name + " ";
        return all;
    };
    CHECK(named("&strategy=range") == "range ");
    CHECK(named("&strategy=roundrobin") == "roundrobin ");
    CHECK(named("&strategy=sticky") == "sticky ");
    CHECK(named("") == "sticky ");
    return "JoinGroup offers range, roundrobin or sticky; sticky without";
}

std::string fetch_default() {
    const auto bytes = [](const std::string& parameters) { return reader{parameters}.fetch().topics.at(0).partitions.at(0).partition_max_bytes; };
    CHECK(bytes("&fetchDefault=2000") == 2000);
    CHECK(bytes("") == 524'288);
    return "Fetch says partitionMaxBytes 2000, not 524288";
}

std::string fetch_max() {
    const auto bytes = [](const std::string& parameters) { return reader{parameters}.fetch().max_bytes; };
    CHECK(bytes("&fetchMax=700000") == 700'000);
    CHECK(bytes("") == 1'048'576);
    CHECK(trpc_consumer("&fetchMax=2097152").reading.max_message_bytes == 2'097'152);
    return "Fetch says maxBytes 700000, not 1048576; a larger message is an error";
}

std::string batch() {
    server s{"&batch=4", 10, true, 0};
    REQUIRE(s.until(3));
    CHECK(s.calls[0].second.size() == 4);
    CHECK(s.calls[1].second.size() == 4);
    CHECK(s.calls[2].second.size() == 2);
    CHECK(kw::config::check_batch_handler(trpc_consumer("")));
    // An error has the whole batch again.
    server again{"&batch=4&retryInterval=10", 4, true, 1};
    REQUIRE(again.until(2));
    CHECK(again.calls[0].second == again.calls[1].second);
    return "10 messages come in calls of 4, 4 and 2; after an error the same 4 again; a batch handler without it is refused at the start";
}

std::string batch_flush() {
    const auto waited = [](const std::string& parameters) {
        server s{"&batch=4" + parameters, 2, true, 0};
        REQUIRE(s.l.run_until([&] { return !s.l.asked<fetch_request>().empty(); }));
        const auto began = s.l.now();
        REQUIRE(s.until(1));
        return s.calls[0].first - began;
    };
    const auto half = waited("&batchFlush=500"), plain = waited("");
    CHECK(about(half, 500ms));
    CHECK(about(plain, 2s));
    return "2 messages, where 4 are a batch, come after " + ms(half) + ", not after " + ms(plain);
}

std::string initial() {
    const auto first = [](const std::string& parameters) {
        reader r{parameters};
        REQUIRE(r.l.run_until([&] { return r.c->position("orders", 0).value_or(-1) >= 0; }));
        r.l.run_for(2s);
        r.l.fill("orders", 1);
        REQUIRE(r.l.run_until([&] { return !r.got->offsets.empty(); }));
        return r.got->offsets.front().second;
    };
    CHECK(first("&initial=oldest") == 0);
    CHECK(first("&initial=newest") == 3);
    CHECK(first("") == 3);
    return "of a log of 3 messages, a new group reads offset 0 first with oldest, offset 3 with newest (the default)";
}

std::string max_wait_time() {
    const auto between = [](const std::string& parameters) {
        reader r{parameters, 0};
        REQUIRE(r.l.run_until([&] { return r.l.asked<fetch_request>().size() >= 4; }));
        return r.l.gaps<fetch_request>().back();
    };
    const auto quick = between("&maxWaitTime=200"), plain = between("");
    CHECK(about(quick, 200ms));
    CHECK(about(plain, 1s));
    return "with nothing to read it asks every " + ms(quick) + ", not every " + ms(plain);
}

std::string max_retry() {
    const auto calls = [](const std::string& parameters) {
        server s{"&retryInterval=10" + parameters, 1, false, 1'000'000};
        s.l.run_for(5s);
        return std::pair{s.calls.size(), s.committed()};
    };
    const auto [never, given_up] = calls("&maxRetry=-1");
    const auto [three, given_up_later] = calls("&maxRetry=2");
    const auto [for_ever, nothing] = calls("");
    CHECK(never == 1);
    CHECK(given_up == 1);
    CHECK(three == 3);
    CHECK(given_up_later == 1);
    CHECK(for_ever > 300);
    CHECK(nothing == -1);
    return "a message that fails always is handled once with -1, 3 times with 2, then confirmed; with 0 (the default) " + std::to_string(for_ever) + " times in 5 s, and never confirmed";
}

std::string max_processing_time() {
    const auto told = [](const std::string& parameters) {
        server s{parameters, 1, false, 0, 3s};
        REQUIRE(s.until(1));
        const auto began = s.l.now();
        REQUIRE(s.l.run_until([&] { return !s.errors.empty(); }));
        CHECK(s.errors[0].why.code == app::errc::handler_slow);
        return s.l.now() - began;
    };
    const auto half = told("&maxProcessingTime=500"), plain = told("");
    CHECK(about(half, 500ms));
    CHECK(about(plain, 1s));
    return "a handler that takes 3 s is told of after " + ms(half) + ", not after " + ms(plain);
}

std::string retry_interval() {
    const auto pause = [](const std::string& parameters) {
        server s{parameters, 1, false, 1};
        REQUIRE(s.until(2));
        return s.calls[1].first - s.calls[0].first;
    };
    const auto quick = pause("&retryInterval=250"), plain = pause("");
    CHECK(about(quick, 250ms));
    CHECK(about(plain, 3s));
    return "a message whose handler failed comes again after " + ms(quick) + ", not after " + ms(plain);
}

std::string isolation_level() {
    const auto level = [](const std::string& parameters) { return static_cast<int>(reader{parameters}.fetch().isolation_level); };
    CHECK(level("&isolationLevel=ReadCommitted") == 1);
    CHECK(level("&isolationLevel=ReadUncommitted") == 0);
    CHECK(level("") == 0);
    return "Fetch says isolationLevel 1 with ReadCommitted, 0 with ReadUncommitted and without";
}

std::string group_session_timeout() {
    CHECK(reader{"&groupSessionTimeout=6500"}.join().what.session_timeout_ms == 6'500);
    CHECK(reader{""}.join().what.session_timeout_ms == 10'000);
    return "JoinGroup says sessionTimeoutMs 6500, not 10000";
}

std::string group_rebalance_timeout() {
    CHECK(reader{"&groupRebalanceTimeout=7000"}.join().what.rebalance_timeout_ms == 7'000);
    CHECK(reader{""}.join().what.rebalance_timeout_ms == 60'000);
    return "JoinGroup says rebalanceTimeoutMs 7000, not 60000";
}

// How many requests are on their way at a time when nobody answers: counted where they are sent.
std::string net_max_open_requests() {
    const auto open = [](const std::string& parameters) {
        lab l;
        const auto c = l.client(trpc_consumer(parameters).client);
        bool first = false;
        c->async_metadata([&](std::error_code ec, auto) { first = !ec; });
        REQUIRE(l.run_until([&] { return first; }));
        int sent = 0;
        std::vector<std::byte> stream;  // several requests may be written as one
        l.world.observe([&](const kw::sim::event& e) {
            if (e.what != kw::sim::event::kind::bytes || !e.from_client) return;
            stream.insert(stream.end(), e.data.begin(), e.data.end());
            for (std::size_t size = 0; stream.size() >= 4; stream.erase(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size)), ++sent) {
                size = 4;
                for (std::size_t i = 0; i < 4; ++i) size += std::to_integer<std::size_t>(stream[i]) << (24 - 8 * i);
                if (stream.size() < size) break;
            }
        });
        l.node.pause();
        for (int i = 0; i < 20; ++i) {
            metadata_request m;
            m.topics.emplace();
            c->async_request(std::move(m), [](std::error_code, auto) {});
        }
        l.run_for(1s);
        l.world.observe({});
        return sent;
    };
    CHECK(open("&netMaxOpenRequests=2") == 2);
    CHECK(open("") == 5);
    return "of 20 requests that nobody answers 2 are sent, not 5; the others wait";
}

std::string net_dial_timeout() {
    const auto given_up = [](const std::string& parameters) {
        lab l;
        const auto s = trpc_consumer(parameters);
        l.world.block(l.app, l.node);
        auto o = s.client;
        o.request_timeout = 3min;
        const auto c = l.client(o);
        c->async_metadata([](std::error_code, auto) {});
        REQUIRE(l.run_until([&] { return !c->health().empty() && c->health().front().last_error; }));
        return l.now();
    };
    const auto half = given_up("&netDailTimeout=500"), plain = given_up("");
    CHECK(about(half, 500ms));
    CHECK(about(plain, 30s));
    return "a connection that nobody takes is given up after " + ms(half) + ", not after " + ms(plain);
}

std::chrono::milliseconds unanswered(const std::string& parameters) {
    lab l;
    const auto c = l.client(trpc_consumer(parameters).client);
    bool over = false;
    c->async_metadata([&](std::error_code ec, auto) { over = !ec; });
    REQUIRE(l.run_until([&] { return over; }));
    l.node.pause();
    over = false;
    const auto began = l.now();
    c->async_metadata([&](std::error_code, auto) { over = true; });
    REQUIRE(l.run_until([&] { return over; }));
    return l.now() - began;
}

std::string net_read_timeout() {
    const auto five = unanswered("&netReadTimeout=5000"), plain = unanswered("");
    CHECK(about(five, 35s, 0.02));
    CHECK(about(plain, 60s, 0.02));
    return "a request that nobody answers ends after " + ms(five) + " (with netWriteTimeout's 30 s), not after " + ms(plain);
}

std::string net_write_timeout() {
    const auto five = unanswered("&netWriteTimeout=5000");
    CHECK(about(five, 35s, 0.02));
    return "a request that nobody answers ends after " + ms(five) + " (with netReadTimeout's 30 s), not after 60000 ms";
}

// A cluster that lets in who has a SCRAM password.
std::error_code let_in(const std::string& parameters) {
    kw::broker::options o;
    o.security.protocol = kw::security_protocol::sasl_plaintext;
    o.security.mechanisms = {kw::sasl_mechanism::scram_sha_512};
    o.security.users = {{"bob", kw::secret{"right"}}};
    lab l{o};
    const auto c = l.client(trpc_consumer(parameters).client);
    std::optional<std::error_code> why;
    c->async_metadata([&](std::error_code ec, auto) { why = ec; });
    REQUIRE(l.run_until([&] { return why.has_value(); }));
    return *why;
}

std::string mechanism() {
    CHECK_FALSE(let_in("&mechanism=SCRAM-SHA-512&user=bob&password=right"));
    CHECK(let_in("&mechanism=SCRAM-SHA-256&user=bob&password=right"));
    return "SCRAM-SHA-512 is let in by a cluster that has that, SCRAM-SHA-256 is not";
}
std::string user() {
    CHECK(let_in("&mechanism=SCRAM-SHA-512&user=alice&password=right"));
    CHECK_FALSE(kw::config::read_consumer_address("broker:9092?topics=orders&group=g&user=bob").ok());
    return "bob is let in, alice is not; without mechanism it is refused at the start";
}
std::string password() {
    CHECK(let_in("&mechanism=SCRAM-SHA-512&user=bob&password=wrong"));
    return "the right one is let in, a wrong one is not";
}

// Of the batch that a message goes in which nobody could handle.
std::string compression_of_dead_letters() {
    const auto codec = [](const std::string& parameters) {
        server s{"&maxRetry=-1&after_last_try=dead_letter&dead_letter_topic=dead" + parameters, 1, false, 1};
        REQUIRE(s.l.run_until([&] { return !s.l.batches().empty(); }));
        CHECK(s.l.asked<messages::produce_request>().size() == 1);
        return s.l.batches().front().codec;
    };
    using kw::protocol::compression;
    CHECK(codec("&compression=gzip") == compression::gzip);
    CHECK(codec("&compression=zstd") == compression::zstd);
    CHECK(codec("") == compression::none);
    return "a message that goes to a dead-letter topic is in a batch of gzip or zstd; of none without";
}

std::string version() {
    const auto spoken = [](const std::string& parameters) {
        reader r{parameters};
        (void)r.fetch();
        return std::pair{r.l.asked<join_group_request>().front().version, r.l.asked<fetch_request>().front().version};
    };
    CHECK(spoken("&version=1.1.1.0") == std::pair<std::int16_t, std::int16_t>{2, 7});
    CHECK(spoken("&version=2.0.0") == std::pair<std::int16_t, std::int16_t>{3, 8});
    const auto [join, fetch] = spoken("");
    CHECK(join > 5);
    CHECK(fetch > 12);
    return "JoinGroup and Fetch are versions 2 and 7 with 1.1.1.0, 3 and 8 with 2.0.0, " + std::to_string(join) + " and " + std::to_string(fetch) + " without";
}

std::string trpc_meta() {
    const auto seen = [](const std::string& parameters) {
        street s;
        app::writer w{{.brokers = s.address(), .topic = "orders", .batch_timeout = 1ms}};
        const kw::header_view h{"trace", "7f"};
        w.send({.value = "v", .headers = {&h, 1}});
        const auto settings = kw::config::read_consumer_address(s.address() + "?topics=orders&group=g&initial=oldest" + parameters, "c");
        REQUIRE(wrong_with(settings) == "");
        app::component c{settings};
        app::metadata within;
        c.serve_all(app::on_message([&](const kw::record_view&) {
            within = app::current_metadata();
            c.stop();
        }));
        c.run();
        return within;
    };
    CHECK(seen("&trpcMeta=true") == app::metadata{{"trace", "7f"}});
    CHECK(seen("").empty());
    return "the handler of a message with the header trace=7f is called with that as the caller's metadata, and without true with none";
}

std::string discover() {
    register_discovery();
    CHECK(arrives(trpc_consumer("&discover=lab&namespace=Development", "orders").client));
    CHECK_THROWS_AS(arrives(trpc_consumer("&discover=nobody", "orders").client), kw::system_error);
    return "the brokers of the service orders are found by what the program registered as lab; a name that nobody registers is refused at the start";
}

std::string name_space() {
    register_discovery();
    CHECK(arrives(trpc_consumer("&discover=lab&namespace=Development", "orders").client));
    CHECK_FALSE(arrives(trpc_consumer("&discover=lab&namespace=Production", "orders").client));
    return "orders of Development are found at the cluster, those of Production elsewhere";
}

TEST_CASE("what the parameters of a tRPC consumer's address do", "[parameters]") {
    std::vector<effect> all{
        {"ip:port", addresses},
        {"group", group},
        {"clientid", client_id},
        {"topics", topics},
        {"strategy", strategy},
        {"fetchDefault", fetch_default},
        {"fetchMax", fetch_max},
        {"batch", batch},
        {"batchFlush", batch_flush},
        {"initial", initial},
        {"maxWaitTime", max_wait_time},
        {"maxRetry", max_retry},
        {"netMaxOpenRequests", net_max_open_requests},
        {"maxProcessingTime", max_processing_time},
        {"netDailTimeout", net_dial_timeout},
        {"netReadTimeout", net_read_timeout},
        {"netWriteTimeout", net_write_timeout},
        {"groupSessionTimeout", group_session_timeout},
        {"groupRebalanceTimeout", group_rebalance_timeout},
        {"retryInterval", retry_interval},
        {"isolationLevel", isolation_level},
        {"compression", compression_of_dead_letters},
        {"version", version},
        {"trpcMeta", trpc_meta},
        {"discover", discover},
        {"namespace", name_space},
    };
    if (kw::built_with_openssl()) {
        // Made here, so that they say where.
        all.push_back({"mechanism", mechanism});
        all.push_back({"user", user});
        all.push_back({"password", password});
    } else {
        for (const auto* scram : {"mechanism", "user", "password"}) all.push_back({scram, [] { return std::string{"not looked at: built without OpenSSL"}; }});
    }
    look_at_all("trpc-consumer", all);
}

}  // namespace
}  // namespace parameters
