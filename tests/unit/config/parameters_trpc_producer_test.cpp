// What each parameter of a tRPC producer's address does.
#include "parameter_lab.hpp"

namespace parameters {
namespace {

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
    lab l;
    const auto s = kw::config::read_producer_address("kafka://app:1,broker:9092?topic=orders");
    REQUIRE(wrong_with(s) == "");
    const auto p = l.producer(s.producers.at(""));
    const auto told = l.send(*p, "orders", "k", "v");
    REQUIRE(l.run_until([&] { return told->has_value(); }));
    CHECK_FALSE((*told)->code);
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
                                 });
}

}  // namespace
}  // namespace parameters
