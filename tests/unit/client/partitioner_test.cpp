#include "client/partitioner.hpp"

#include <kafkawire/producer_options.hpp>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <limits>
#include <stdexcept>

#include "allocations.hpp"
#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;

namespace {

std::vector<std::byte> from_hex(const std::string& hex) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return out;
}

struct states final : partition_states {
    std::set<std::int32_t> without_leader;
    std::map<std::int32_t, std::uint64_t> queued;
    bool available(std::int32_t p) const noexcept override { return !without_leader.count(p); }
    std::uint64_t queued_bytes(std::int32_t p) const noexcept override {
        const auto found = queued.find(p);
        return found == queued.end() ? 0 : found->second;
    }
};

partition_context context(std::int32_t partitions, protocol::nullable_bytes key = {}, const partition_states* s = nullptr) {
    return {.topic = "t", .key = key, .value = "v", .partitions = partitions, .states = s};
}

partitioner_settings settings(std::uint64_t seed = 1) { return {.topic = "t", .sticky_bytes = 1000, .seed = seed}; }

}  // namespace

TEST_CASE("keys go where librdkafka, sarama and kafka-go put them") {
    std::ifstream in{KAFKAWIRE_SOURCE_DIR "/tests/data/partitions/vectors.txt"};
    const std::map<std::string, std::string> ours{{"librdkafka.consistent", "crc32"}, {"librdkafka.fnv1a", "fnv1a"}, {"librdkafka.murmur2", "murmur2"},
                                                  {"sarama.hash", "fnv1a"},           {"sarama.crc", "crc32"},       {"kafka-go.hash", "fnv1a"}};
    std::map<std::string, int> seen;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words{line};
        std::string function, hex;
        words >> function >> hex;
        const auto key = from_hex(hex);
        REQUIRE(ours.count(function));
        topic_partitioner p{ours.at(function), settings()};
        const auto same = make_partitioner(ours.at(function), settings());
        for (const std::int32_t n : {1, 3, 7, 12, 100, 1000}) {
            std::int32_t theirs = -1;
            words >> theirs;
            INFO(line << ": of " << n);
            CHECK(p.choose(context(n, key)) == theirs);
            CHECK(same->choose(context(n, key)) == theirs);
        }
        ++seen[function];
    }
    CHECK(seen.size() == ours.size());
    for (const auto& [function, count] : seen) CHECK(count == 92);
}

TEST_CASE("the CRC-32 is the one that everybody else calls so") { CHECK(crc32(protocol::nullable_bytes{"123456789"}.view()) == 0xcbf43926); }

TEST_CASE("records without a key stay in a partition until a batch is full, and then fill another") {
    for (const auto* name : {"murmur2", "crc32", "fnv1a"}) {
        topic_partitioner p{name, settings()};
        std::set<std::int32_t> seen;
        for (int batch = 0; batch < 200; ++batch) {
            const auto first = p.choose(context(6));
            REQUIRE((first >= 0 && first < 6));
            for (int i = 0; i < 10; ++i) {
                REQUIRE(p.choose(context(6)) == first);
                p.appended(first, 100);
            }
            p.appended((first + 1) % 6, 5000);  // a record that named its partition is no reason to move
            CHECK(p.choose(context(6)) != first);
            seen.insert(first);
        }
        CHECK(seen.size() == 6);
    }
}

TEST_CASE("only murmur2 and fnv1a hash the empty key") {
    CHECK(topic_partitioner{"murmur2", settings()}.choose(context(100, "")) == 81);  // Java's, in golden/murmur2
    CHECK(topic_partitioner{"fnv1a", settings()}.choose(context(100, "")) == fnv1a_partition({}, 100));
    std::set<std::int32_t> seen;
    for (std::uint64_t seed = 0; seed < 20; ++seed) seen.insert(topic_partitioner{"crc32", settings(seed)}.choose(context(100, "")));
    CHECK(seen.size() > 5);
}

TEST_CASE("a partition without a leader is left by choices that no key decides, and by no others") {
    states s;
    for (const auto* name : {"murmur2", "crc32", "fnv1a", "random", "round_robin", "least_bytes"}) {
        INFO(name);
        topic_partitioner p{name, settings()};
        s.without_leader.clear();
        const auto first = p.choose(context(3, {}, &s));
        p.appended(first, 1);
        s.without_leader = {first};
        p.leader_lost(first);
        for (int i = 0; i < 50; ++i) CHECK(p.choose(context(3, {}, &s)) != first);
        s.without_leader = {0, 1, 2};
        const auto none = p.choose(context(3, {}, &s));
        CHECK((none >= 0 && none < 3));
    }
    s.without_leader = {0, 1, 2, 3, 4, 5};
    for (const auto* name : {"murmur2", "crc32", "fnv1a"}) {
        topic_partitioner p{name, settings()};
        CHECK(p.choose(context(6, "42", &s)) == topic_partitioner{name, settings()}.choose(context(6, "42")));
    }
}

TEST_CASE("a slow partition, which holds more, is given less") {
    states s;
    s.queued = {{0, 90'000}, {1, 0}, {2, 0}, {3, 45'000}};
    topic_partitioner p{"murmur2", settings()};
    std::map<std::int32_t, int> chosen;
    for (int i = 0; i < 4000; ++i) {
        const auto at = p.choose(context(4, {}, &s));
        ++chosen[at];
        p.appended(at, 1000);
    }
    CHECK(chosen[0] < 20);
    CHECK(chosen[3] < chosen[1]);
    CHECK(chosen[3] > 400);
    s.queued = {{0, std::numeric_limits<std::uint64_t>::max() / 8}};
    CHECK(p.choose(context(2, {}, &s)) >= 0);
}

TEST_CASE("a topic that gets fewer or more partitions is no trouble") {
    for (const auto& name : {"murmur2", "crc32", "fnv1a", "random", "round_robin", "least_bytes"}) {
        topic_partitioner p{name, settings()};
        for (const std::int32_t n : {100, 1, 3, 1000, 2, 1}) {
            for (int i = 0; i < 100; ++i) {
                const auto at = p.choose(context(n));
                REQUIRE((at >= 0 && at < n));
            }
        }
    }
}

TEST_CASE("round robin takes each in turn, least bytes the emptiest, manual none") {
    topic_partitioner turn{"round_robin", settings()};
    const auto first = turn.choose(context(5, "key"));
    for (int i = 1; i < 20; ++i) CHECK(turn.choose(context(5, "key")) == (first + i) % 5);
    states s;
    s.queued = {{0, 5}, {1, 3}, {2, 4}};
    topic_partitioner least{"least_bytes", settings()};
    for (int i = 0; i < 3; ++i) CHECK(least.choose(context(3, "key", &s)) == 1);
    CHECK(topic_partitioner{"manual", settings()}.choose(context(3, "key")) == -1);
}

TEST_CASE("the same seed chooses the same partitions") {
    for (const auto& name : {"murmur2", "random", "round_robin"}) {
        topic_partitioner one{name, settings(7)}, two{name, settings(7)};
        for (int i = 0; i < 100; ++i) {
            const auto at = one.choose(context(50));
            CHECK(two.choose(context(50)) == at);
            one.appended(at, 400);
            two.appended(at, 400);
        }
    }
}

TEST_CASE("a program's own partitioner is found by its name, and what it does wrong refuses the record") {
    register_partitioner("test.length", [](const partitioner_settings& s) {
        CHECK(s.topic == "t");
        return make_partitioner([](const partition_context& c) {
            if (c.key.size() == 9) throw std::runtime_error{"no nines"};
            return static_cast<std::int32_t>(c.key.size()) - 1;
        });
    });
    CHECK(check_partitioner("test.length").empty());
    topic_partitioner p{"test.length", settings()};
    CHECK(p.choose(context(3, "ab")) == 1);
    CHECK(p.choose(context(3, "abcd")) == -1);
    CHECK(p.choose(context(3, "")) == -1);
    CHECK(p.choose(context(30, "123456789")) == -1);
    register_partitioner("test.length", [](const partitioner_settings&) { return make_partitioner([](const partition_context&) { return 2; }); });
    CHECK(topic_partitioner{"test.length", settings()}.choose(context(3, "ab")) == 2);
    register_partitioner("test.null", [](const partitioner_settings&) { return nullptr; });
    CHECK(topic_partitioner{"test.null", settings()}.choose(context(3, "ab")) == -1);
    CHECK_THROWS_AS(register_partitioner("murmur2", [](const partitioner_settings&) { return nullptr; }), std::invalid_argument);
    CHECK_THROWS_AS(register_partitioner("", [](const partitioner_settings&) { return nullptr; }), std::invalid_argument);
    CHECK_THROWS_AS(register_partitioner("x", nullptr), std::invalid_argument);
    CHECK(make_partitioner("no such", settings()) == nullptr);
    CHECK(check_partitioner("murmur").starts_with("did you mean murmur2? There are crc32, fnv1a, least_bytes, manual, murmur2, random, round_robin, test."));
}

TEST_CASE("a choice allocates nothing") {
    states s;
    for (const auto* name : {"murmur2", "crc32", "fnv1a", "random", "round_robin", "least_bytes"}) {
        topic_partitioner p{name, settings()};
        const auto before = allocations::count();
        std::int32_t last = 0;
        for (int i = 0; i < 1000; ++i) {
            last = p.choose(context(12, {}, &s));
            p.appended(last, 100);
            last = p.choose(context(12, "key", &s));
        }
        CHECK(allocations::count() == before);
        CHECK(last >= 0);
    }
}
