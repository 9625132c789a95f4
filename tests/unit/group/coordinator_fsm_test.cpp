#include "group/coordinator_fsm.hpp"
#include "catch.hpp"

#include <map>
#include <string>

using namespace kafkawire;
using namespace std::chrono_literals;
namespace co = kafkawire::group::coordinator;
namespace messages = kafkawire::protocol::messages;

namespace {

struct finder {
    co::coordinator_fsm machine{{.group = "g"}};
    co::time_point now = co::time_point{} + 1h;
    co::actions out{};
    std::uint64_t request = 0;

    std::string step(co::event e) {
        out.clear();
        machine.step(std::move(e), now, out);
        std::string all;
        for (const auto& a : out) {
            if (!all.empty()) all += ", ";
            if (const auto* q = std::get_if<co::ask>(&a)) {
                request = q->request;
                all += "ask";
            } else if (const auto* f = std::get_if<co::found>(&a)) {
                all += "found " + std::to_string(f->where.node);
            } else {
                const auto* r = std::get_if<co::refused>(&a);
                all += !r ? "lost" : r->for_good ? "refused" : "denied";
            }
        }
        return all;
    }
    static messages::find_coordinator_response at(std::int32_t node, std::int16_t code = 0) {
        messages::find_coordinator_response r;
        r.coordinators.push_back({"other", 9, "x", 1, 0, {}, {}});
        r.coordinators.push_back({"g", node, "host", 9092, code, {}, {}});
        return r;
    }
    std::string answer(std::int32_t node, broker_errc code = broker_errc::none) {
        return step(co::answered{request, 4, at(node, static_cast<std::int16_t>(code))});
    }
    std::string state() const { return std::string{co::name_of(machine.where())}; }
};

const std::map<std::string, void (*)(finder&)> finder_ways = {
    {"idle", [](finder&) {}},
    {"asking", [](finder& f) { f.step(co::wanted{}); }},
    {"waiting",
     [](finder& f) {
         f.step(co::wanted{});
         f.answer(-1, broker_errc::coordinator_not_available);
     }},
    {"known",
     [](finder& f) {
         f.step(co::wanted{});
         f.answer(2);
     }},
    {"given_up",
     [](finder& f) {
         f.step(co::wanted{});
         f.answer(-1, broker_errc::invalid_group_id);
     }},
};

}  // namespace

TEST_CASE("each event in each state of the search for a coordinator", "[group][coordinator]") {
    const std::map<std::string, std::function<std::string(finder&)>> events = {
        {"wanted", [](finder& f) { return f.step(co::wanted{}); }},
        {"doubted",
         [](finder& f) {
             return f.step(co::doubted{2, {}});
         }},
        {"another doubted",
         [](finder& f) {
             return f.step(co::doubted{1, {}});
         }},
        {"trusted", [](finder& f) { return f.step(co::trusted{2}); }},
        {"answered", [](finder& f) { return f.answer(3); }},
        {"answered late",
         [](finder& f) {
             return f.step(co::answered{99, 4, finder::at(3)});
         }},
        {"not there yet", [](finder& f) { return f.answer(-1, broker_errc::coordinator_not_available); }},
        {"forbidden", [](finder& f) { return f.answer(-1, broker_errc::group_authorization_failed); }},
        {"no group's name", [](finder& f) { return f.answer(-1, broker_errc::invalid_group_id); }},
        {"failed",
         [](finder& f) {
             return f.step(co::request_failed{f.request, error{make_error_code(errc::connection_closed)}});
         }},
        {"cannot be asked",
         [](finder& f) {
             return f.step(co::request_failed{f.request, error{make_error_code(errc::no_common_version)}});
         }},
        {"tick",
         [](finder& f) {
             f.now += 10s;
             return f.step(co::tick{});
         }},
    };
    // What is not here changes nothing and says nothing.
    const std::map<std::pair<std::string, std::string>, std::string> table = {
        {{"idle", "wanted"}, "asking: ask"},         {{"asking", "answered"}, "known: found 3"},
        {{"asking", "not there yet"}, "waiting: "},  {{"asking", "forbidden"}, "waiting: denied"},
        {{"asking", "no group's name"}, "given_up: refused"},
        {{"asking", "failed"}, "waiting: "},         {{"asking", "cannot be asked"}, "given_up: refused"},
        {{"waiting", "tick"}, "asking: ask"},        {{"known", "wanted"}, "known: found 2"},
        {{"known", "doubted"}, "asking: lost, ask"}, {{"given_up", "wanted"}, "given_up: refused"},
    };
    for (const auto& [state, go] : finder_ways)
        for (const auto& [name, happen] : events) {
            finder f;
            go(f);
            REQUIRE(f.state() == state);
            const auto did = happen(f);
            INFO(state << ", " << name);
            const auto row = table.find({state, name});
            CHECK(f.state() + ": " + did == (row == table.end() ? state + ": " : row->second));
        }
}

TEST_CASE("each error code of FindCoordinator is waited for or given up", "[group][coordinator]") {
    for (const auto& e : broker_errors()) {
        if (e.code == 0) continue;
        finder f;
        f.step(co::wanted{});
        f.answer(1, static_cast<broker_errc>(e.code));
        const bool passes = e.retriable || e.code == -1 || e.code == static_cast<std::int16_t>(broker_errc::group_authorization_failed);
        INFO(e.name);
        CHECK(f.state() == (passes ? "waiting" : "given_up"));
        CHECK(f.machine.last_error().code == (passes ? make_error_code(static_cast<broker_errc>(e.code)) : std::error_code{}));
    }
}

TEST_CASE("a coordinator that moved is asked for at once, and one that keeps being doubted ever more rarely", "[group][coordinator]") {
    finder f;
    f.step(co::wanted{});
    CHECK(f.answer(1) == "found 1");
    CHECK(f.step(co::doubted{1, {}}) == "lost, ask");
    CHECK(f.answer(1) == "found 1");  // the broker asked has not heard of it
    CHECK(f.step(co::doubted{1, {}}) == "lost");
    auto next = f.machine.next_wakeup();
    REQUIRE(next);
    CHECK(*next - f.now >= 80ms);
    CHECK(*next - f.now <= 400ms);
    for (int i = 0; i < 10; ++i) {
        f.now = *f.machine.next_wakeup();
        CHECK(f.step(co::tick{}) == "ask");
        f.answer(1);
        f.step(co::doubted{1, {}});
    }
    CHECK(*f.machine.next_wakeup() - f.now >= 800ms);
    f.now = *f.machine.next_wakeup();
    f.step(co::tick{});
    f.answer(2);
    f.step(co::trusted{2});  // it answered a member: the next doubt is looked into at once again
    CHECK(f.step(co::doubted{2, {}}) == "lost, ask");
}

TEST_CASE("a right that is missing is asked for again after the longest pause, from the first refusal on", "[group][coordinator]") {
    finder f;
    f.step(co::wanted{});
    for (int i = 0; i < 5; ++i) {
        CHECK(f.answer(-1, broker_errc::group_authorization_failed) == "denied");
        CHECK(f.step(co::wanted{}).empty());
        const auto next = f.machine.next_wakeup();
        REQUIRE(next);
        CHECK(*next - f.now >= 800ms);
        CHECK(*next - f.now <= 1200ms);
        f.now = *next;
        CHECK(f.step(co::tick{}) == "ask");
    }
    CHECK(f.answer(3) == "found 3");
}

TEST_CASE("an answer that names no broker is none", "[group][coordinator]") {
    const auto one = [](std::int32_t node, std::string host, std::int32_t port, std::string key) {
        finder f;
        f.step(co::wanted{});
        messages::find_coordinator_response r;
        r.coordinators.push_back({std::move(key), node, std::move(host), port, 0, {}, {}});
        f.step(co::answered{f.request, 4, r});
        return f.state();
    };
    CHECK(one(1, "h", 9092, "g") == "known");
    CHECK(one(-1, "h", 9092, "g") == "waiting");
    CHECK(one(1, "", 9092, "g") == "waiting");
    CHECK(one(1, "h", 0, "g") == "waiting");
    CHECK(one(1, "h", 65'536, "g") == "waiting");
    CHECK(one(1, "h", 9092, "h") == "waiting");
    // Before version 4 there is one answer, without a key.
    finder f;
    f.step(co::wanted{});
    messages::find_coordinator_response r;
    r.node_id = 5;
    r.host = "h";
    r.port = 1;
    CHECK(f.step(co::answered{f.request, 3, r}) == "found 5");
}

TEST_CASE("the group is named where the version has room for it", "[group][coordinator]") {
    finder f;
    f.step(co::wanted{});
    auto m = std::get<co::ask>(f.out.front()).what;
    co::fit(m, 3);
    CHECK((m.coordinator_key == "g" && m.coordinator_keys.empty()));
    co::fit(m, 4);
    CHECK((m.coordinator_key.empty() && m.coordinator_keys == std::vector<std::string>{"g"}));
}
