// Offsets that are committed in a transaction, and the list of transactions.
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>
#include <kafkawire/protocol/messages/25_add_offsets_to_txn.hpp>
#include <kafkawire/protocol/messages/28_txn_offset_commit.hpp>
#include <kafkawire/protocol/messages/66_list_transactions.hpp>

#include "transactions_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

using namespace std::chrono_literals;
using bench = transactions_bench;

struct offsets_bench : bench {
    explicit offsets_bench(options o = {}) : bench{std::move(o)} {}

    connection_id group_coordinator() {
        return to[machine.state().find_partition(group_topic, coordinator_partition(machine.state(), group_topic, "g"))->leader()];
    }
    static messages::txn_offset_commit_request committing(const std::string& id, identity who, std::int64_t offset) {
        messages::txn_offset_commit_request r;
        r.transactional_id = id;
        r.group_id = "g";
        r.producer_id = who.producer_id;
        r.producer_epoch = who.epoch;
        r.topics.push_back({"orders", {{0, offset, -1, "m", {}}}, {}});
        return r;
    }
    std::int16_t commit(const std::string& id, identity who, std::int64_t offset, std::int16_t version) {
        return ask(group_coordinator(), committing(id, who, offset), version).topics.at(0).partitions.at(0).error_code;
    }
    std::int16_t add_offsets(const std::string& id, identity who) {
        messages::add_offsets_to_txn_request r;
        r.transactional_id = id;
        r.producer_id = who.producer_id;
        r.producer_epoch = who.epoch;
        r.group_id = "g";
        return ask(coordinator(id), r, 3).error_code;
    }
    // The committed offset of orders-0; with `stable`, and an open transaction, the error as a negative number.
    std::int64_t committed(bool stable = false) {
        messages::offset_fetch_request r;
        r.group_id = "g";
        r.topics.emplace().push_back({"orders", {0}, {}});
        r.require_stable = stable;
        const auto a = ask(group_coordinator(), r, 7);
        const auto& p = a.topics.at(0).partitions.at(0);
        return p.error_code ? -1000 - p.error_code : p.committed_offset;
    }
};

TEST_CASE("offsets in a transaction are pending until it is committed") {
    for (const std::int16_t version : {0, 3, 4, 5}) {
        INFO("TxnOffsetCommit " << version);
        offsets_bench b{{.nodes = 3}};
        const auto who = b.begin("tx");
        if (version < 5) CHECK(b.add_offsets("tx", who) == 0);
        CHECK(b.commit("tx", who, 5, version) == 0);
        CHECK(b.describe("tx").topics.at(0).topic == group_topic);
        CHECK(b.committed() == -1);
        CHECK(b.committed(true) == -1000 - code(broker_errc::unstable_offset_commit));
        const auto ended = b.end("tx", who, true, version < 5 ? 3 : 5);
        CHECK(ended.error_code == 0);
        CHECK(b.committed(true) == 5);
        const identity next{who.producer_id, version < 5 ? who.epoch : ended.producer_epoch};
        if (version < 5) CHECK(b.add_offsets("tx", next) == 0);
        CHECK(b.commit("tx", next, 9, version) == 0);
        CHECK(b.end("tx", next, false, version < 5 ? 3 : 5).error_code == 0);
        CHECK(b.committed(true) == 5);
    }
}

TEST_CASE("offsets of a transaction that they are not in, of nobody's transaction, of a fenced producer") {
    offsets_bench b;
    const auto who = b.begin("tx");
    CHECK(b.commit("tx", who, 5, 3) == code(broker_errc::invalid_txn_state));
    CHECK(b.commit("tx", who, 5, 4) == code(broker_errc::transaction_abortable));
    CHECK(b.commit("nobody", who, 5, 5) == code(broker_errc::invalid_producer_id_mapping));
    CHECK(b.commit("tx", {who.producer_id, 7}, 5, 5) == code(broker_errc::invalid_producer_epoch));
    CHECK(b.commit("tx", who, 5, 5) == 0);
    static_cast<void>(b.init("tx"));
    static_cast<void>(b.begin("tx"));
    CHECK(b.commit("tx", who, 5, 3) == code(broker_errc::invalid_producer_epoch));
    CHECK(b.committed(true) == -1);
    auto r = offsets_bench::committing("tx", who, 5);
    r.group_id = "";
    CHECK(b.ask(b.to[1], r, 3).topics.at(0).partitions.at(0).error_code == code(broker_errc::invalid_group_id));
    r.topics = {{"orders", {{9, 1, -1, "", {}}}, {}}, {"nothing", {{0, 1, -1, "", {}}}, {}}};
    const auto a = b.ask(b.to[1], r, 3);
    CHECK(a.topics.at(0).partitions.at(0).error_code == code(broker_errc::unknown_topic_or_partition));
    CHECK(a.topics.at(1).partitions.at(0).error_code == code(broker_errc::unknown_topic_or_partition));
}

TEST_CASE("offsets of a member that the group does not know are refused (KIP-447)") {
    offsets_bench b;
    const auto who = b.begin("tx");
    auto r = offsets_bench::committing("tx", who, 5);
    r.member_id = "somebody";
    r.generation_id = 4;
    CHECK(b.ask(b.to[1], r, 5).topics.at(0).partitions.at(0).error_code != 0);
    CHECK(b.committed() == -1);
}

TEST_CASE("the wrong node says that it does not coordinate the group") {
    offsets_bench b{{.nodes = 3}};
    const auto who = b.begin("tx");
    const auto right = b.group_coordinator();
    const auto r = offsets_bench::committing("tx", who, 5);
    for (const auto& [node, c] : b.to)
        if (c != right) CHECK(b.ask(c, r, 5).topics.at(0).partitions.at(0).error_code == code(broker_errc::not_coordinator));
}

TEST_CASE("ListTransactions: by state, producer, duration and pattern") {
    bench b;
    const auto one = b.begin("one");
    const auto two = b.begin("two");
    static_cast<void>(b.begin("three"));
    CHECK(b.add("one", one, {0}) == 0);
    b.advance(5s);
    CHECK(b.add("two", two, {0}) == 0);
    const auto names = [&](const messages::list_transactions_request& r, std::int16_t version = 2) {
        std::string all;
        const auto a = b.ask(b.to[1], r, version);
        CHECK(a.error_code == 0);
        std::vector<std::string> sorted;
        for (const auto& t : a.transaction_states) sorted.push_back(t.transactional_id);
        std::sort(sorted.begin(), sorted.end());
        for (const auto& s : sorted) all += s + ' ';
        return all;
    };
    messages::list_transactions_request r;
    CHECK(names(r, 0) == "one three two ");
    r.state_filters = {"Ongoing"};
    CHECK(names(r, 0) == "one two ");
    r.state_filters = {"NoSuchState"};
    CHECK(names(r, 0).empty());
    CHECK(b.ask(b.to[1], r, 0).unknown_state_filters == std::vector<std::string>{"NoSuchState"});
    r.state_filters = {"NoSuchState", "Empty"};
    CHECK(names(r, 0) == "three ");
    r.state_filters = {"Ongoing"};
    r.duration_filter = 4000;
    CHECK(names(r, 1) == "one ");
    r = {};
    r.producer_id_filters = {two.producer_id};
    CHECK(names(r) == "two ");
    r = {};
    r.transactional_id_pattern = "t.*";
    CHECK(names(r) == "three two ");
    r.transactional_id_pattern = "t";
    CHECK(names(r).empty());
    r.transactional_id_pattern = "";
    CHECK(names(r) == "one three two ");
    r.transactional_id_pattern = "(";
    const auto bad = b.ask(b.to[1], r, 2);
    CHECK(bad.error_code == code(broker_errc::invalid_regular_expression));
    CHECK(bad.transaction_states.empty());
}

}  // namespace
}  // namespace kafkawire::broker::test
