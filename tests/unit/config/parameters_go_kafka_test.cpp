// What each parameter of go-kafka does: of its calls, and of its kafka-cli, whose commands tests/cli/sessions/go_kafka.txt runs word for word.
#include <kafkawire/app/simple.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>

#include <filesystem>
#include <fstream>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

namespace app = kw::app;

std::optional<kw::consumer_record> first_of(app::simple_consumer& c) {
    for (int i = 0; i < 100; ++i)
        if (auto m = c.message(200ms)) return m;
    return {};
}

std::string brokers() {
    street s;
    app::simple_producer p{"127.0.0.1:1," + s.address()};
    CHECK(p.send("orders", "k", "v").offset == 0);
    return "the second of two is asked when nobody listens at the first";
}

std::string topic() {
    street s{{.topics = {{.name = "orders"}, {.name = "accounts"}}}};
    s.fill("orders", 1);
    s.fill("accounts", 1);
    app::simple_consumer c{s.address(), "accounts", "g", app::start_from::oldest};
    const auto m = first_of(c);
    REQUIRE(m);
    CHECK(m->topic == "accounts");
    return "accounts is read";
}

std::string group() {
    street s;
    app::simple_consumer c{s.address(), "orders", "consumer_example", app::start_from::oldest};
    s.fill("orders", 1);
    CHECK(first_of(c));
    CHECK(s.asked<messages::join_group_request>().at(0).what.group_id == "consumer_example");
    return "JoinGroup says group consumer_example";
}

std::string default_offset() {
    const auto first = [](app::start_from from) {
        street s;
        s.fill("orders", 3);
        app::simple_consumer c{s.address(), "orders", "g", from};
        // Newest is behind what there is when the group has settled.
        for (int i = 0; i < 50; ++i)
            if (auto m = c.message(100ms)) return m->offset;
        s.fill("orders", 1);
        const auto m = first_of(c);
        return m ? m->offset : -1;
    };
    CHECK(first(app::start_from::oldest) == 0);
    CHECK(first(app::start_from::newest) == 3);
    return "of a log of 3 messages, a new group reads offset 0 first with oldest, offset 3 with newest";
}

// An option of kafka-cli, as a session has it.
template <std::size_t N>
struct text {
    char at[N];
    constexpr text(const char (&t)[N]) { std::copy_n(t, N, at); }
};
template <text Option>
std::string in_a_session() {
    std::ifstream in{std::filesystem::path{KAFKAWIRE_SOURCE_DIR} / "tests/cli/sessions/go_kafka.txt"};
    int n = 0;
    for (std::string line; std::getline(in, line);) {
        ++n;
        if (line.starts_with("$ ") && line.find(std::string{" "} + Option.at) != std::string::npos) return "run and compared word for word: tests/cli/sessions/go_kafka.txt, line " + std::to_string(n);
    }
    FAIL_CHECK("no session has " << Option.at);
    return {};
}

TEST_CASE("what the parameters of go-kafka do", "[parameters]") {
    look_at_all("go-kafka", {
                                {"brokers", brokers},
                                {"topic", topic},
                                {"group", group},
                                {"defaultOffset", default_offset},
                                {"kafka-cli -help", in_a_session<"-help">},
                                {"kafka-cli -list", in_a_session<"-list">},
                                {"kafka-cli -query", in_a_session<"-query">},
                                {"kafka-cli -consume", in_a_session<"-consume">},
                                {"kafka-cli -produce", in_a_session<"-produce">},
                                {"kafka-cli -brokers", in_a_session<"-brokers">},
                                {"kafka-cli -topic", in_a_session<"-topic">},
                                {"kafka-cli -group", in_a_session<"-group">},
                                {"kafka-cli -partition", in_a_session<"-partition">},
                                {"kafka-cli -replica", in_a_session<"-replica">},
                                {"kafka-cli -offset", in_a_session<"-offset">},
                                {"kafka-cli -key", in_a_session<"-key">},
                                {"kafka-cli -value", in_a_session<"-value">},
                            });
}

}  // namespace
}  // namespace parameters
