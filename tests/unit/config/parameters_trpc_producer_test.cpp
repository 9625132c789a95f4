// What each parameter of a tRPC producer's address does.
#include <kafkawire/app/reader_writer.hpp>

#include <atomic>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

namespace app = kw::app;
using kw::broker_errc;
using kw::protocol::compression;
using messages::produce_request;

// One message is sent and told of; what was sent.
struct sent_one {
    lab l;
    std::shared_ptr<kw::producer> p;
    kw::error why;

    explicit sent_one(const std::string& parameters, const std::string& value = std::string(3000, 'v')) {
        p = l.producer(trpc_producer(parameters));
        const auto told = l.send(*p, "orders", "k", value);
        REQUIRE(l.run_until([&] { return told->has_value(); }));
        why = **told;
        l.run_for(100ms);
    }
};

std::string addresses() {
    CHECK(arrives(trpc_producer("", "app:1,broker:9092").client));
    CHECK_FALSE(arrives(trpc_producer("", "app:1").client));
    return "the second of two addresses is asked when nobody listens at the first";
}

std::string client_id() {
    CHECK(sent_one{"&clientid=me"}.l.asked<produce_request>().at(0).client_id == "me");
    CHECK(sent_one{""}.l.asked<produce_request>().at(0).client_id == "kafkawire");
    return "requests come from \"me\", not from \"kafkawire\"";
}

std::string partitioner() {
    const auto of = [](const std::string& parameters, bool same_key) {
        lab l;
        const auto p = l.producer(trpc_producer(parameters));
        std::vector<std::int32_t> all;
        for (int i = 0; i < 12; ++i) {
            const auto told = l.send(*p, "orders", same_key ? "a" : std::to_string(i), "v");
            REQUIRE(l.run_until([&] { return told->has_value(); }));
            all.push_back(l.batches().back().partition);
        }
        return all;
    };
    const auto different = [](const std::vector<std::int32_t>& v) { return std::set<std::int32_t>(v.begin(), v.end()).size(); };
    const auto random = of("", true), again = of("&partitioner=random", true), turns = of("&partitioner=roundrobin", true), hash = of("&partitioner=hash", true);
    CHECK(different(hash) == 1);
    CHECK(different(of("&partitioner=hash", false)) == 3);
    for (std::size_t i = 3; i < turns.size(); ++i) CHECK(turns[i] == turns[i - 3]);
    CHECK(different({turns[0], turns[1], turns[2]}) == 3);
    CHECK(different(random) > 1);
    bool in_turn = true;
    for (std::size_t i = 3; i < random.size(); ++i) in_turn = in_turn && random[i] == random[i - 3];
    CHECK_FALSE(in_turn);
    CHECK(random == again);
    return "one key goes to one partition with hash, to each in turn with roundrobin, to any with random (the default)";
}

std::string compression_of_batches() {
    for (const auto& [name, codec] : {std::pair{"none", compression::none}, std::pair{"gzip", compression::gzip}, std::pair{"snappy", compression::snappy}, std::pair{"lz4", compression::lz4},
                                      std::pair{"zstd", compression::zstd}})
        CHECK(sent_one{std::string{"&compression="} + name}.l.batches().at(0).codec == codec);
    const auto plain = sent_one{"&compression=none"}.l.batches().at(0).bytes, zipped = sent_one{""}.l.batches().at(0).bytes;
    CHECK(sent_one{""}.l.batches().at(0).codec == compression::gzip);
    CHECK(zipped < plain / 10);
    return "3000 equal bytes are a batch of " + std::to_string(zipped) + " with gzip (the default), of " + std::to_string(plain) + " with none";
}

std::string required_acks() {
    for (const int acks : {0, 1, -1}) CHECK(sent_one{"&requiredAcks=" + std::to_string(acks)}.l.asked<produce_request>().at(0).what.acks == acks);
    CHECK(sent_one{""}.l.asked<produce_request>().at(0).what.acks == -1);
    return "Produce says acks 0, 1, -1; -1 without";
}

// Produce requests until the producer gives up, every one refused.
std::vector<timed<produce_request>> refused(const std::string& parameters) {
    lab l;
    l.control().add({.api = 0, .error = broker_errc::not_leader_or_follower});
    const auto p = l.producer(trpc_producer(parameters));
    const auto told = l.send(*p, "orders", "k", "v");
    REQUIRE(l.run_until([&] { return told->has_value(); }));
    CHECK((*told)->code);
    return l.asked<produce_request>();
}

std::string max_retry() {
    CHECK(refused("&maxRetry=0").size() == 1);
    CHECK(refused("&maxRetry=5").size() == 6);
    CHECK(refused("").size() == 4);
    CHECK_FALSE(kw::config::read_producer_address("kafka://broker:9092?topic=orders&maxRetry=-1").ok());
    return "a message that is always refused is sent 1, 6 and 4 times with 0, 5 and without; below 0 is refused at the start";
}

std::string retry_interval() {
    const auto pause = [](const std::string& parameters) {
        const auto all = refused(parameters);
        return all.at(3).at - all.at(2).at;
    };
    const auto half = pause("&retryInterval=500"), plain = pause("");
    CHECK(about(half, 500ms));
    CHECK(about(plain, 100ms));
    return "it is sent again after " + ms(half) + ", not after " + ms(plain);
}

std::string idempotent() {
    CHECK(sent_one{"&idempotent=true"}.l.batches().at(0).producer_id >= 0);
    CHECK(sent_one{""}.l.batches().at(0).producer_id == -1);
    // Taken, and told otherwise: with the one the log has the message once, with the other twice.
    const auto logged = [](const std::string& parameters) {
        lab l;
        l.control().add({.api = 0, .count = 1, .error = broker_errc::not_leader_or_follower, .carry_out = true});
        const auto p = l.producer(trpc_producer(parameters + "&partitioner=hash"));
        const auto told = l.send(*p, "orders", "a", "v");
        REQUIRE(l.run_until([&] { return told->has_value(); }));
        std::int64_t n = 0;
        const auto v = l.control().view();
        for (const auto& part : v.find_topic("orders")->partitions) n += part.end_offset;
        return n;
    };
    const auto once = logged("&idempotent=true"), more = logged("");
    CHECK(once == 1);
    CHECK(more > 1);
    return "a message is taken and told to be refused: it is in the log once with true, " + std::to_string(more) + " times without";
}

std::string topic() {
    street s{{.topics = {{.name = "orders"}, {.name = "accounts"}}}};
    auto settings = kw::config::read_producer_address("kafka://" + s.address() + "?topic=accounts");
    REQUIRE(wrong_with(settings) == "");
    app::writer w{settings.producers.at("")};
    w.write_messages({{.key = "k", .value = "v"}});
    CHECK(s.logged("accounts") == 1);
    CHECK(s.logged("orders") == 0);
    return "key and value without a topic go to accounts";
}

std::string version() {
    const auto spoken = [](const std::string& parameters) { return sent_one{parameters}.l.asked<produce_request>().at(0).version; };
    CHECK(spoken("&version=1.1.0") == 5);
    CHECK(spoken("&version=0.11.0.0") == 3);
    const auto newest = spoken("");
    CHECK(newest > 9);
    CHECK_FALSE(kw::config::read_producer_address("kafka://broker:9092?topic=orders&version=one").ok());
    return "Produce is version 5 with 1.1.0, 3 with 0.11.0.0, " + std::to_string(newest) + " without";
}

std::string max_message_bytes() {
    street s;
    const auto fits = [&](const std::string& parameters, std::size_t bytes) {
        const auto before = s.logged("orders");
        app::writer w{trpc_producer(parameters, s.address())};
        const std::string value(bytes, 'v');
        try {
            w.write_messages({{.value = value}});
        } catch (const kw::system_error& e) {
            CHECK(e.code() == kw::errc::record_too_large);
            CHECK(s.logged("orders") == before);
            return false;
        }
        return s.logged("orders") == before + 1;
    };
    CHECK(fits("&maxMessageBytes=1000", 1'000));
    CHECK_FALSE(fits("&maxMessageBytes=1000", 1'001));
    CHECK(fits("", 131'072));
    CHECK_FALSE(fits("", 131'073));
    return "1001 bytes are refused before they are sent with 1000, 131073 without";
}

std::string trpc_meta() {
    street s;
    s.fill("orders", 1);
    const auto headers = [&](const std::string& parameters) {
        app::writer w{trpc_producer(parameters + "&partitioner=hash", s.address())};
        const app::metadata_scope call{{{"trace", "7f"}}};
        const auto at = w.send({.key = "k", .value = "v"});
        app::reader r{{.brokers = s.address(), .topic = "orders", .partition = at.partition, .min_bytes = 1, .max_wait = 100ms, .start_offset = at.offset}};
        return app::metadata_of(r.read_message(20s));
    };
    CHECK(headers("&trpcMeta=true") == app::metadata{{"trace", "7f"}});
    CHECK(headers("").empty());
    return "what is sent while trace is 7f has the header trace=7f with true, and none without";
}

std::string discover() {
    register_discovery();
    CHECK(arrives(trpc_producer("&discover=lab&namespace=Development", "orders").client));
    auto nobody = trpc_producer("&discover=nobody", "orders").client;
    CHECK_THROWS_AS(arrives(nobody), kw::system_error);
    return "the brokers of the service orders are found by what the program registered as lab; a name that nobody registers is refused at the start";
}

std::string name_space() {
    register_discovery();
    CHECK(arrives(trpc_producer("&discover=lab&namespace=Development", "orders").client));
    CHECK_FALSE(arrives(trpc_producer("&discover=lab&namespace=Production", "orders").client));
    return "orders of Development are found at the cluster, those of Production elsewhere";
}

std::string async() {
    street s;
    s.on_cluster([](kw::broker::control& c) {
        c.add({.api = 0, .count = 1, .error = broker_errc::topic_authorization_failed, .reply_delay = 1s});
        return true;
    });
    app::writer w{trpc_producer("&async=1&partitioner=hash", s.address())};
    std::atomic<int> succeeded{0}, failed{0};
    const auto same = [](const app::message& m, const char* value) {
        return m.topic == "orders" && m.key == "k" && m.value == value && m.headers.size() == 1 && m.headers[0].key == "h" && m.headers[0].value == "x";
    };
    w.on_success([&](const app::message& m, app::position at) { succeeded += same(m, "2") && at.offset == 0; });
    w.on_error([&](const app::message& m, const kw::error& why) { failed += same(m, "1") && why.code == broker_errc::topic_authorization_failed; });
    const kw::header_view h{"h", "x"};
    const auto began = std::chrono::steady_clock::now();
    w.write_messages({{.key = "k", .value = "1", .headers = {&h, 1}}});
    CHECK(std::chrono::steady_clock::now() - began < 1s);
    CHECK(w.flush(20s) == 0);
    CHECK(failed == 1);
    w.write_messages({{.key = "k", .value = "2", .headers = {&h, 1}}});
    CHECK(w.close() == 0);
    CHECK(succeeded == 1);
    app::writer waits{trpc_producer("", s.address())};
    CHECK(waits.write_messages({{.value = "3"}}).acknowledged == 1);
    return "a write returns before its broker has answered after 1 s; its topic, key, value and headers come to one callback with the error, the next one's to the other";
}

TEST_CASE("what the parameters of a tRPC producer's address do", "[parameters]") {
    look_at_all("trpc-producer", {
                                     {"ip:port", addresses},
                                     {"clientid", client_id},
                                     {"partitioner", partitioner},
                                     {"compression", compression_of_batches},
                                     {"requiredAcks", required_acks},
                                     {"maxRetry", max_retry},
                                     {"retryInterval", retry_interval},
                                     {"idempotent", idempotent},
                                     {"topic", topic},
                                     {"version", version},
                                     {"maxMessageBytes", max_message_bytes},
                                     {"trpcMeta", trpc_meta},
                                     {"discover", discover},
                                     {"namespace", name_space},
                                     {"async", async},
                                 });
}

}  // namespace
}  // namespace parameters
