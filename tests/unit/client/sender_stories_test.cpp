// Every error code at every step, and every short story of what can become of requests: what was told must be true of the log.
#include "client/sender_fsm.hpp"

#include <cmath>
#include <sstream>

#include "catch.hpp"
#include "sender_rig.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;

namespace {

using k = treatment::kind;

// Six records, two in each batch; three of them are sent when the leader knows us.
std::string what_is_wrong(std::span<const treatment> script, sender_rig& r) {
    for (std::uint64_t n = 1; n <= 6; ++n) r.send(n);
    r.play(script);
    return r.wrong();
}

std::string text(std::span<const treatment> script) {
    static constexpr const char* names[] = {"fair", "answer_lost", "all_taken", "all_lost", "unsent", "refused", "told_wrong", "late"};
    std::ostringstream s;
    for (const auto& t : script) s << names[static_cast<int>(t.what)] << (t.code ? "(" + std::to_string(t.code) + ")" : "") << ' ';
    return s.str();
}

// Each of `choices` in each of the places.
template <class F>
void every_story(std::span<const treatment> choices, std::size_t places, F f) {
    std::vector<std::size_t> at(places);
    std::vector<treatment> script(places);
    for (bool more = true; more;) {
        for (std::size_t i = 0; i < places; ++i) script[i] = choices[at[i]];
        f(script);
        more = false;
        for (auto& a : at)
            if ((more = ++a < choices.size())) break;
            else a = 0;
    }
}

constexpr treatment stories[] = {{k::fair}, {k::answer_lost}, {k::all_taken}, {k::all_lost}, {k::unsent}, {k::refused, 6}, {k::refused, 87}, {k::told_wrong, 20}, {k::told_wrong, 7}, {k::late}};

void tell_every_story(bool idempotent, std::chrono::milliseconds patience, std::size_t places) {
    std::size_t runs = 0;
    std::string first;
    every_story(stories, places, [&](std::span<const treatment> script) {
        if (!first.empty()) return;
        ++runs;
        sender_rig r{idempotent, patience};
        if (const auto wrong = what_is_wrong(script, r); !wrong.empty()) first = text(script) + ": " + wrong;
    });
    INFO(first);
    CHECK(first.empty());
    CHECK(runs == static_cast<std::size_t>(std::pow(std::size(stories), places)));
}

}  // namespace

TEST_CASE("the leader in the rig keeps the rules: without sequences a lost answer doubles records") {
    // Else the tests below could not fail.
    sender_rig r{false, 120s};
    const treatment script[] = {{k::answer_lost}};
    CHECK(what_is_wrong(script, r).empty());
    CHECK(r.leaders[0].records.size() > 6);
}

TEST_CASE("whatever becomes of four requests, what is told of the records is true: patient, with sequences") { tell_every_story(true, 120s, 4); }
TEST_CASE("whatever becomes of four requests, what is told of the records is true: 3 s of patience, with sequences") { tell_every_story(true, 3s, 4); }
TEST_CASE("whatever becomes of four requests, what is told of the records is true: without sequences") { tell_every_story(false, 3s, 4); }

// Several partitions share each request; at every break some have all that is in flight in the first one, others in the last.
TEST_CASE("wherever connections break, no batch comes before one that it follows, in any partition") {
    std::string first;
    every_story(std::span{stories}.first(5), 4, [&](std::span<const treatment> script) {
        for (const std::size_t partitions : {std::size_t{2}, std::size_t{3}}) {
            if (!first.empty()) return;
            sender_rig r{true, 120s, partitions};
            for (std::uint64_t n = 1; n <= 4 * partitions; ++n) r.send(n);
            r.play(std::vector<treatment>(2));  // the broker knows us in all of them
            for (auto n = 4 * partitions + 1; n <= 16 * partitions; ++n) r.send(n);
            r.step = 0;
            r.play(script);
            auto wrong = r.wrong();
            for (const auto& l : r.leaders)
                if (wrong.empty() && l.gaps) wrong = "a later batch came first";
            if (!wrong.empty()) first = text(script) + "with " + std::to_string(partitions) + " partitions: " + wrong;
        }
    });
    INFO(first);
    CHECK(first.empty());
}

TEST_CASE("every error code at every step: what is retriable ends well, what is not fails what it is told of alone") {
    std::string first;
    std::size_t runs = 0;
    for (const auto& info : broker_errors()) {
        if (info.code == 0 || info.code == 46) continue;  // DUPLICATE_SEQUENCE_NUMBER says that it is there: only a broker that lies would say it of what is not
        const auto code = make_error_code(static_cast<broker_errc>(info.code));
        for (const bool idempotent : {true, false})
            for (const bool taken : {false, true})
                for (std::size_t step = 0; step < 4 && first.empty(); ++step) {
                    if (taken && code == condition::not_persisted) continue;  // no Kafka does that
                    ++runs;
                    std::vector<treatment> script(step, treatment{});
                    script.push_back({taken ? k::told_wrong : k::refused, info.code});
                    sender_rig r{idempotent, 120s};
                    auto wrong = what_is_wrong(script, r);
                    const auto failed = std::count_if(r.told.begin() + 1, r.told.end(), [](const auto& o) { return bool{o.why}; });
                    if (wrong.empty() && info.retriable && failed) wrong = "retriable, but " + std::to_string(failed) + " records failed";
                    if (wrong.empty() && failed > 2) wrong = std::to_string(failed) + " records failed for one batch that was refused";
                    if (!wrong.empty()) first = std::string{info.name} + (taken ? " after it was taken" : "") + (idempotent ? "" : ", without sequences") + " at step " + std::to_string(step) + ": " + wrong;
                }
    }
    INFO(first);
    CHECK(first.empty());
    CHECK(runs > 1000);
}

TEST_CASE("a code that this version does not know fails the batch, and is told") {
    sender_rig r{true, 120s};
    const treatment script[] = {{k::refused, 9999}};
    CHECK(what_is_wrong(script, r).empty());
    CHECK(r.told[1].why);
    CHECK_FALSE(r.told[3].why);
}

TEST_CASE("a leader that has forgotten us: the rest goes on under a new epoch") {
    sender_rig r{true, 120s};
    for (std::uint64_t n = 1; n <= 4; ++n) r.send(n);
    r.play({});
    r.leaders[0].forget_producers();
    for (std::uint64_t n = 5; n <= 8; ++n) r.send(n);
    const treatment script[] = {{k::fair}, {k::fair}, {k::refused, 59}};
    r.step = 2;
    r.play(script);
    CHECK(r.wrong().empty());
    CHECK(r.leaders[0].records.size() == 8);
}
