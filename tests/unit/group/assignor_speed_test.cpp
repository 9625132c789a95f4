// A thousand members share ten thousand partitions: the leader does it while all the others wait. The bound is far above what it takes, so that it
// holds under sanitizers and on a busy machine too; what it took is printed by "[.speed]".
#include <kafkawire/assignor.hpp>

#include <cstdio>
#include <ctime>
#include <random>

#include "catch.hpp"

namespace assignor_speed_tests {

using namespace kafkawire;

struct crowd {
    std::vector<assignor_member> members;
    std::vector<assignor_topic> topics;
    std::mt19937_64 random{7};

    crowd(bool same, bool racks, int topic_count) {
        for (int t = 0; t < topic_count; ++t) {
            assignor_topic topic;
            topic.name = "topic-" + std::to_string(t);
            topic.partitions = 10'000 / topic_count;
            for (int p = 0; racks && p < topic.partitions; ++p) topic.replica_racks.push_back({rack(p), rack(p + 1)});
            topics.push_back(std::move(topic));
        }
        for (int m = 0; m < 1'000; ++m) join(m, same, racks);
    }
    static std::string rack(int n) { return std::string(1, static_cast<char>('a' + n % 5)); }
    void join(int number, bool same, bool racks) {
        assignor_member m;
        m.id = "member-" + std::to_string(number);
        if (racks) m.rack = rack(number);
        for (const auto& t : topics)
            if (same || random() % 4 == 0) m.topics.push_back(t.name);
        members.push_back(std::move(m));
    }
    // All keep what they were given, a tenth of them leaves, and as many come.
    void go_on(assignor& strategy, const group_assignment& a, bool same, bool racks) {
        for (std::size_t i = 0; i < members.size(); ++i) {
            members[i].user_data = strategy.user_data({members[i].topics, a[i].partitions, 1});
            if (strategy.protocols().cooperative) members[i].owned = a[i].partitions;
            members[i].generation = 1;
        }
        members.erase(members.begin(), members.begin() + 100);
        for (int m = 0; m < 100; ++m) join(1'000 + m, same, racks);
    }
};

double seconds_of(assignor& strategy, const crowd& c, group_assignment& result) {
    const auto begin = std::clock();  // of this process: what else runs on the machine does not count
    result = strategy.assign({c.members, c.topics});
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

void measure(bool print) {
    for (const auto* name : {"range", "roundrobin", "sticky", "cooperative-sticky"})
        for (const bool same : {true, false})
            for (const bool racks : {false, true})
                for (const int topics : {10, 500}) {
                    crowd c{same, racks, topics};
                    const auto strategy = make_assignor(name);
                    group_assignment a;
                    const auto first = seconds_of(*strategy, c, a);
                    c.go_on(*strategy, a, same, racks);
                    const auto second = seconds_of(*strategy, c, a);
                    INFO(name << (same ? ", same topics" : ", different topics") << (racks ? ", racks, " : ", ") << topics << " topics: " << first << " s, " << second << " s");
                    CHECK(first < 20);
                    CHECK(second < 20);
                    if (print) std::printf("%-20s %-10s %-6s %4d topics: %6.3f s, then %6.3f s\n", name, same ? "same" : "different", racks ? "racks" : "", topics, first, second);
                }
}

TEST_CASE("1,000 members and 10,000 partitions") { measure(false); }
TEST_CASE("1,000 members and 10,000 partitions, with figures", "[.speed]") { measure(true); }

}  // namespace assignor_speed_tests
