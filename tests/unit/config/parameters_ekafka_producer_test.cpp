// What each parameter of [kafka], [kafka.client] and [kafka.producers.NAME] does.
#include <kafkawire/app/component.hpp>
#include <kafkawire/partitioner.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

using kw::broker_errc;

std::string brokers() {
    const auto ask = [](const std::string& list) { return arrives(kw::config::read_toml("[kafka]\nbrokers = [" + list + "]\n", "test.toml").client); };
    CHECK(ask("\"broker:9092\""));
    CHECK(ask("\"app:1\", \"broker:9092\""));
    CHECK_FALSE(ask("\"app:1\", \"app:2\""));
    return "the second of the list is asked when the first does not answer";
}

// How long a request takes that nobody answers.
std::chrono::milliseconds patience_of(const kw::client_options& o) {
    lab l;
    const auto c = l.client(o);
    bool over = false;
    c->async_metadata([&](std::error_code ec, auto) { over = !ec; });
    REQUIRE(l.run_until([&] { return over; }));
    over = false;
    l.node.pause();
    const auto began = l.now();
    auto ended = began;
    c->async_metadata([&](std::error_code ec, auto) {
        CHECK(ec);
        over = true;
        ended = l.now();
    });
    REQUIRE(l.run_until([&] { return over; }));
    return ended - began;
}

std::string client_timeout() {
    const auto of = [](const std::string& section) { return patience_of(kw::config::read_toml("[kafka]\nbrokers = [\"broker:9092\"]\n" + section, "test.toml").client); };
    const auto three = of("[kafka.client]\ntimeout = \"3s\"\n"), plain = of("");
    CHECK(about(three, 3s));
    CHECK(about(plain, 30s));
    return "a request that nobody answers ends after " + ms(three) + ", not after " + ms(plain);
}

std::vector<std::int32_t> partitions_of(const std::string& lines, const std::vector<std::string>& keys) {
    lab l;
    const auto p = l.producer(ekafka_producer(lines));
    std::vector<std::int32_t> all;
    for (const auto& k : keys) {
        const auto told = l.send(*p, "orders", k, "v");
        REQUIRE(l.run_until([&] { return told->has_value(); }));
        all.push_back(l.batches().back().partition);
    }
    return all;
}

std::string balancer() {
    const std::vector<std::string> keys{"a", "a", "a", "a"};
    const auto hashed = partitions_of("balancer = \"hash\"", keys), turns = partitions_of("balancer = \"roundRobin\"", keys);
    CHECK(std::set<std::int32_t>(hashed.begin(), hashed.end()).size() == 1);
    CHECK(std::set<std::int32_t>(turns.begin(), turns.end()).size() == 3);
    // FNV-1a of one letter, as sarama and kafka-go have it.
    const auto fnv = static_cast<std::int32_t>((0x811c9dc5u ^ 'a') * 0x01000193u);
    CHECK(hashed[0] == std::abs(fnv) % 3);
    CHECK(partitions_of("", keys) == turns);
    return "hash keeps a key in partition " + std::to_string(hashed[0]) + ", roundRobin (the default) takes all three in turn";
}

int attempts_with(const std::string& lines) {
    lab l;
    l.control().add({.api = 0, .error = broker_errc::not_leader_or_follower});
    const auto p = l.producer(ekafka_producer(lines));
    const auto told = l.send(*p, "orders", "k", "v");
    REQUIRE(l.run_until([&] { return told->has_value(); }));
    CHECK((*told)->code);
    return static_cast<int>(l.asked<messages::produce_request>().size());
}

std::string max_attempts() {
    CHECK(attempts_with("maxAttempts = 1") == 1);
    CHECK(attempts_with("maxAttempts = 4") == 4);
    CHECK(attempts_with("") == 10);
    return "a batch that is refused every time is sent 4 times with 4, 10 times without";
}

std::vector<sent_batch> batches_with(const std::string& lines, int messages, std::size_t each) {
    lab l;
    const auto p = l.producer(ekafka_producer("balancer = \"hash\"\n" + lines));
    std::vector<std::shared_ptr<std::optional<kw::error>>> told;
    for (int i = 0; i < messages; ++i) told.push_back(l.send(*p, "orders", "k", std::string(each, 'v')));
    REQUIRE(l.run_until([&] { return std::all_of(told.begin(), told.end(), [](const auto& t) { return t->has_value(); }); }));
    return l.batches();
}

std::string batch_size() {
    const auto two = batches_with("batchSize = 2", 5, 10);
    REQUIRE(two.size() == 3);
    CHECK(two[0].records == 2);
    CHECK(two[1].records == 2);
    CHECK(two[2].records == 1);
    const auto plain = batches_with("", 101, 10);
    REQUIRE(plain.size() == 2);
    CHECK(plain[0].records == 100);
    return "5 messages go in batches of 2, 2 and 1; 101 without in 100 and 1";
}

std::string batch_bytes() {
    const auto small = batches_with("batchBytes = 4096", 5, 1500), plain = batches_with("", 5, 1500);
    CHECK(small.size() == 3);
    for (const auto& b : small) CHECK(b.bytes <= 4096);
    CHECK(plain.size() == 1);
    return "5 messages of 1500 bytes go in 3 batches of at most 4096, not in 1";
}

// A batch is on its way, and its answer takes long: how long the next one waits that is not full. Seen where it is sent, as the broker looks at one
// request after the other.
std::chrono::milliseconds lingered(const std::string& lines) {
    lab l;
    std::vector<std::chrono::milliseconds> sent;
    l.world.observe([&](const kw::sim::event& e) {
        if (e.what != kw::sim::event::kind::bytes || !e.from_client || e.data.size() < 8) return;
        if (e.data[4] == std::byte{0} && e.data[5] == std::byte{0} && e.data[6] == std::byte{0}) sent.push_back(l.now());
    });
    const auto p = l.producer(ekafka_producer("balancer = \"hash\"\n" + lines));
    const auto proven = l.send(*p, "orders", "k", "0");
    REQUIRE(l.run_until([&] { return proven->has_value(); }));
    l.control().add({.api = 0, .reply_delay = 4s});
    const auto first = l.send(*p, "orders", "k", "1");
    REQUIRE(l.run_until([&] { return sent.size() == 2; }));
    l.run_for(10ms);
    const auto began = l.now();
    const auto second = l.send(*p, "orders", "k", "2");
    REQUIRE(l.run_until([&] { return sent.size() == 3; }));
    l.world.observe({});
    return sent[2] - began;
}

std::string batch_timeout() {
    const auto short_one = lingered("batchTimeout = \"200ms\""), plain = lingered("");
    CHECK(about(short_one, 200ms));
    CHECK(about(plain, 1s));
    return "a batch that is not full goes after " + ms(short_one) + ", not after " + ms(plain) + ", while its broker is busy with another";
}

std::string read_timeout() {
    const auto short_one = patience_of(ekafka_producer("readTimeout = \"1s\"").client), plain = patience_of(ekafka_producer("").client);
    CHECK(about(short_one, 11s));
    CHECK(about(plain, 20s));
    return "a request that nobody answers ends after " + ms(short_one) + " (with writeTimeout's 10 s), not after " + ms(plain);
}

std::string write_timeout() {
    const auto short_one = patience_of(ekafka_producer("writeTimeout = \"2s\"").client);
    CHECK(about(short_one, 12s));
    return "a request that nobody answers ends after " + ms(short_one) + " (with readTimeout's 10 s), not after 20 s";
}

std::string required_acks() {
    std::string seen;
    for (const auto& [text, acks] : {std::pair{"requiredAcks = 0", 0}, std::pair{"requiredAcks = 1", 1}, std::pair{"requiredAcks = -1", -1}, std::pair{"", -1}}) {
        lab l;
        const auto p = l.producer(ekafka_producer(text));
        const auto told = l.send(*p, "orders", "k", "v");
        REQUIRE(l.run_until([&] { return told->has_value() && !l.batches().empty(); }));
        CHECK(l.asked<messages::produce_request>().at(0).what.acks == acks);
        l.run_for(1s);
        int answers = 0;
        for (const auto& h : l.control().history()) answers += h.api_key == 0 && h.way == kw::broker::passing::direction::response;
        CHECK(answers == (acks == 0 ? 0 : 1));
    }
    return "Produce says acks 0, 1 and -1; with 0 nobody answers, and the send is done all the same";
}

// A component with a producer p1, which goes on as soon as it can.
struct sender {
    street s;
    kw::app::component c;
    kw::app::writer& w = c.producer("p1");

    explicit sender(const std::string& lines, const kw::app::component::balancers& own = {}, const std::string& shared = "")
        : s{{.topics = {{.name = "orders", .partitions = 3}, {.name = "accounts"}}}}, c{ekafka_on(s, shared + "[kafka.producers.p1]\nbatchTimeout = \"1ms\"\n" + lines), own} {}
};

std::string debug() {
    // With the environment's word for it that is the only one.
    const auto told = [](const std::string& shared, bool by_environment = false) {
        const overheard seen;
        if (by_environment) ::setenv("KAFKAWIRE_DEBUG", "1", 1);
        sender p{"topic = \"orders\"", {}, shared};
        ::unsetenv("KAFKAWIRE_DEBUG");
        p.w.write_messages({{.value = "paid"}});
        p.c.close();
        return seen.lines({"kafkawire producer p1 " + p.s.address() + " Produce v", " ms, ", " bytes out, ", " in; request {", "; answer {"});
    };
    CHECK(told("debug = true\n") == 1);
    CHECK(told("") == 0);
    CHECK(told("", true) == 1);
    return "standard error has a line of Produce with producer p1, address, time, sizes, request and answer, as with KAFKAWIRE_DEBUG=1; without neither there is none";
}

std::string topic() {
    sender p{"topic = \"accounts\""};
    p.w.write_messages({{.value = "v"}});
    CHECK(p.s.logged("accounts") == 1);
    CHECK_THROWS_AS(p.w.write_messages({{.topic = "orders", .value = "v"}}), kw::system_error);
    CHECK(p.s.logged("orders") == 0);
    return "a message that names no topic goes to accounts; one that names another is refused";
}

std::string async() {
    struct outcome {
        bool refused;
        std::chrono::milliseconds after;
        std::uint64_t errors;
    };
    const auto of = [](const std::string& lines) {
        sender p{"topic = \"orders\"\n" + lines};
        p.s.on_cluster([](kw::broker::control& c) { return c.add({.api = 0, .error = broker_errc::topic_authorization_failed, .reply_delay = 1s}); });
        outcome o{};
        const auto began = std::chrono::steady_clock::now();
        try {
            p.w.write_messages({{.value = "v"}});
        } catch (const kw::system_error&) {
            o.refused = true;
        }
        o.after = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
        CHECK(p.w.close() == 0);
        CHECK(p.s.batches().size() == 1);
        return o;
    };
    const auto waits = of(""), goes_on = of("async = true");
    CHECK(waits.refused);
    CHECK(waits.after >= 1s);
    CHECK_FALSE(goes_on.refused);
    CHECK(goes_on.after < 1s);
    return "a write that the broker refuses after 1 s returns before that and without an error; without async it waits and throws";
}

std::string registered_balancers() {
    const auto always_two = [](const kw::partitioner_settings&) { return kw::make_partitioner([](const kw::partition_context&) { return 2; }); };
    sender p{"topic = \"orders\"\nbalancer = \"my-balancer\"", {{"my-balancer", always_two}}};
    for (const auto* key : {"a", "b", "c"}) p.w.write_messages({{.key = key, .value = "v"}});
    const auto sent = p.s.batches();
    CHECK(sent.size() == 3);
    for (const auto& b : sent) CHECK(b.partition == 2);
    CHECK_THROWS_AS(sender("topic = \"orders\"\nbalancer = \"nobodys-balancer\""), kw::system_error);
    return "my-balancer, which the program registers, has every key go to partition 2; a name that nobody registers is refused at the start";
}

TEST_CASE("what the parameters of an ekafka producer do", "[parameters]") {
    look_at_all("ekafka-producer", {
                                       {"brokers", brokers},
                                       {"client.timeout", client_timeout},
                                       {"balancer", balancer},
                                       {"maxAttempts", max_attempts},
                                       {"batchSize", batch_size},
                                       {"batchBytes", batch_bytes},
                                       {"batchTimeout", batch_timeout},
                                       {"readTimeout", read_timeout},
                                       {"writeTimeout", write_timeout},
                                       {"requiredAcks", required_acks},
                                       {"debug", debug},
                                       {"topic", topic},
                                       {"async", async},
                                       {"balancer of the program's", registered_balancers},
                                   });
}

}  // namespace
}  // namespace parameters
