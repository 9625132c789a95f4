// What the entries of [kafkaConsumerServers.NAME] do, and what a consumer server is given beside them.
#include <kafkawire/app/component.hpp>
#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>
#include <kafkawire/protocol/messages/13_leave_group.hpp>

#include <atomic>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

namespace app = kw::app;
using messages::join_group_request;

// A cluster where two messages lie in orders and one in accounts; two consumers, a group each, and servers of these.
struct program {
    street s;
    app::component c;
    std::mutex lock;                               // of what follows
    std::multiset<std::string> handled;            // server, topic and value
    std::vector<app::service_error> errors;

    explicit program(const std::string& servers) : program{servers, {.topics = {{.name = "orders"}, {.name = "accounts"}}}} {}

    // Until so many are handled.
    void serve(const std::string& name, std::size_t until, std::function<void(const kw::record_view&)> first = {}) {
        c.serve(name, app::on_message([this, name, until, first](const kw::record_view& r) {
                    if (first) first(r);
                    const std::lock_guard hold{lock};
                    handled.insert(name + ' ' + std::string{r.topic} + ' ' + std::string{r.value.text()});
                    if (handled.size() == until) c.stop();
                }));
    }
    std::set<std::string> groups() {
        std::set<std::string> all;
        for (const auto& j : s.asked<join_group_request>()) all.insert(j.what.group_id);
        return all;
    }

private:
    program(const std::string& servers, const kw::broker::options& o)
        : s{o}, c{ekafka_on(s, "[kafka.consumers.c1]\ntopic = \"orders\"\ngroupID = \"group-1\"\nmaxWait = \"100ms\"\nretry_interval = \"10ms\"\n"
                               "[kafka.consumers.c2]\ntopic = \"accounts\"\ngroupID = \"group-2\"\nmaxWait = \"100ms\"\n" + servers)} {
        s.fill("orders", 2);
        s.fill("accounts", 1);
        c.on_error([this](const app::service_error& e) {
            const std::lock_guard hold{lock};
            errors.push_back(e);
        });
    }
};

const std::string two_servers = "[kafkaConsumerServers.s1]\nconsumerName = \"c1\"\n[kafkaConsumerServers.s2]\nconsumerName = \"c2\"\n";

std::string consumer_name() {
    program p{"[kafkaConsumerServers.s1]\nconsumerName = \"c2\"\n"};
    p.serve("s1", 1);
    p.c.run();
    CHECK(p.handled == std::multiset<std::string>{"s1 accounts 0"});
    CHECK(p.groups() == std::set<std::string>{"group-2"});
    return "with c2 it joins c2's group and handles what is in accounts";
}

std::string debug() {
    const overheard seen;
    program p{two_servers + "debug = true\n"};
    p.serve("s1", 3);
    p.serve("s2", 3);
    p.c.run();
    CHECK(seen.lines({"kafkawire consumer c2 " + p.s.address() + " JoinGroup v", " ms, ", "; request {", "; answer {"}) > 0);
    CHECK(seen.lines({"consumer c1"}) == 0);
    return "standard error has the requests of its consumer c2, and none of c1, whose server has no debug";
}

std::string function_and_errors() {
    program p{two_servers};
    p.s.on_cluster([](kw::broker::control& c) { return c.add({.api = 1, .topic = "orders", .count = 1, .error = kw::broker_errc::topic_authorization_failed}); });
    std::atomic<int> failures{1};
    p.serve("s1", 2, [&](const kw::record_view& r) {
        if (r.value.text() == "1" && failures-- > 0) throw std::runtime_error{"cannot be billed"};
    });
    p.c.run();
    CHECK(p.handled == std::multiset<std::string>{"s1 orders 0", "s1 orders 1"});
    REQUIRE(p.errors.size() == 2);
    CHECK(p.errors[0].from == app::service_error::source::client);
    CHECK(p.errors[0].why.code == kw::broker_errc::topic_authorization_failed);
    CHECK(p.errors[1].from == app::service_error::source::handler);
    CHECK(p.errors[1].why.text == "cannot be billed");
    CHECK(p.errors[1].service == "s1");
    return "it is called for each message; a Fetch that was refused and what the function threw come to on_error(), with the server's name";
}

std::string several() {
    program p{two_servers};
    p.serve("s1", 3);
    p.serve("s2", 3);
    p.c.run();
    CHECK(p.handled == std::multiset<std::string>{"s1 orders 0", "s1 orders 1", "s2 accounts 0"});
    CHECK(p.groups() == std::set<std::string>{"group-1", "group-2"});
    return "two in one program handle what their consumers read, in a group each";
}

std::string clean_stop() {
    program p{two_servers};
    std::atomic<bool> begun{false};
    p.serve("s1", 9, [&](const kw::record_view&) {
        begun = true;
        std::this_thread::sleep_for(300ms);
    });
    std::thread other{[&] {
        while (!begun) std::this_thread::sleep_for(1ms);
        p.c.stop();
    }};
    p.c.run();
    other.join();
    CHECK(p.handled == std::multiset<std::string>{"s1 orders 0"});
    std::int64_t committed = -1;
    for (const auto& c : p.s.asked<messages::offset_commit_request>())
        for (const auto& t : c.what.topics)
            for (const auto& part : t.partitions) committed = std::max(committed, part.committed_offset);
    CHECK(committed == 1);
    CHECK(p.s.asked<messages::leave_group_request>().size() == 1);
    return "stopped in the middle of its first message it ends that one, begins no other, commits 1 and leaves the group";
}

TEST_CASE("what the parameters of an ekafka consumer server do", "[parameters]") {
    look_at_all("ekafka-server", {
                                     {"consumerName", consumer_name},
                                     {"debug", debug},
                                     {"OnEachMessage", function_and_errors},
                                     {"several", several},
                                     {"stop", clean_stop},
                                 });
}

}  // namespace
}  // namespace parameters
