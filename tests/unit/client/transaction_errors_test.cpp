// Every error code there is, and some that there are not, as the answer to each request of a transaction, once and for ever. What is expected was
// read from TransactionManager.java of Apache Kafka 4.3; where we differ the reason is beside it.
#include "transaction_rig.hpp"

#include "catch.hpp"

#include <set>

using namespace transaction_rig;
using e = broker_errc;

namespace {

enum class kind { retried, refused, abortable, fenced, fatal };

kind expected(api what, std::int16_t code, int version) {
    const auto is = static_cast<e>(code);
    const auto any = [&](std::initializer_list<e> of) { return std::find(of.begin(), of.end(), is) != of.end(); };
    const auto* row = find_broker_error(code);
    // Java ends on UNKNOWN_SERVER_ERROR. Each of these requests may be repeated, and troubles inside a broker pass.
    if ((row && row->retriable) || is == e::unknown_server_error) return kind::retried;
    const bool is_fence = any({e::invalid_producer_epoch, e::producer_fenced});
    switch (what) {
        // While no transaction is open an error costs nothing; Java ends the producer for most.
        case api::find_transaction: return kind::refused;
        case api::init_producer_id: return is_fence || is == e::invalid_producer_id_mapping ? kind::fenced : kind::refused;
        // EndTxn(abort) is a remedy for all that is told about partitions and groups. Java ends the producer on codes that it does not expect
        // and on INVALID_TXN_STATE.
        case api::find_group: return is == e::transactional_id_authorization_failed ? kind::fatal : kind::abortable;
        case api::add_partitions:
        case api::add_offsets:
            return is_fence ? kind::fenced : is == e::transactional_id_authorization_failed ? kind::fatal : kind::abortable;
        case api::txn_offset_commit:
            // KIP-890: in version 2 EndTxn tells whether the epoch was raised by a timeout or by another producer.
            if (is == e::invalid_producer_epoch && version == 2) return kind::abortable;
            return is_fence ? kind::fenced : is == e::transactional_id_authorization_failed ? kind::fatal : kind::abortable;
        case api::end_txn:
            // Java ends on INVALID_TXN_STATE; it says that the coordinator has aborted the transaction (KAFKA-20785), and we can go on.
            if (is_fence) return kind::fenced;
            return any({e::transaction_abortable, e::unknown_producer_id, e::invalid_producer_id_mapping, e::invalid_txn_state}) ? kind::abortable
                                                                                                                                : kind::fatal;
        case api::produce: break;
    }
    return kind::fatal;
}

// Runs a transaction with one partition and one group; answers `what` with `code`, once or always, and everything else as it should be.
struct walk {
    rig r;
    api bad;
    std::int16_t code;
    bool always;
    int times = 0;
    std::optional<bool> ended_with;                     // commit or abort, confirmed to the client
    int answered_settles = 0;

    walk(int version, api what, std::int16_t c, bool for_ever) : r{version}, bad{what}, code{c}, always{for_ever} {}

    std::int16_t code_for(api what) { return what == bad && (times++ == 0 || always) ? code : std::int16_t{0}; }

    void answer_one() {
        const auto s = r.flight.front();
        if (const auto* f = std::get_if<messages::find_coordinator_request>(&s.what)) return r.found(1, code_for(f->key_type == 1 ? api::find_transaction : api::find_group));
        if (std::holds_alternative<messages::init_producer_id_request>(s.what)) return r.initialized(10, 5, code_for(api::init_producer_id));
        if (std::holds_alternative<messages::add_partitions_to_txn_request>(s.what)) return r.added(code_for(api::add_partitions));
        if (std::holds_alternative<messages::add_offsets_to_txn_request>(s.what)) return r.offsets_added(code_for(api::add_offsets));
        if (std::holds_alternative<messages::txn_offset_commit_request>(s.what)) return r.offsets_committed(code_for(api::txn_offset_commit));
        const bool commit = std::get<messages::end_txn_request>(s.what).committed;
        const auto c = code_for(api::end_txn);
        if (c == 0) ended_with = commit;
        r.ended(c);
    }
    // Until an operation has ended. It must, by its deadline.
    error finish(operation_id op) {
        for (int i = 0; i < 1'000 && !r.end_of(op); ++i) {
            if (r.settles > answered_settles) {
                ++answered_settles;
                r.settled();
            } else if (!r.flight.empty()) {
                answer_one();
            } else {
                REQUIRE(r.sleep());
            }
        }
        REQUIRE(r.end_of(op));
        CHECK(r.ends_of(op) == 1);
        CHECK(r.now.time_since_epoch() <= 20s);
        return *r.end_of(op);
    }
};

std::vector<std::int16_t> all_codes() {
    std::vector<std::int16_t> all;
    for (const auto& row : broker_errors())
        if (row.code != 0) all.push_back(row.code);
    for (const int unknown : {-2, 134, 999, 32'767, -32'768}) all.push_back(static_cast<std::int16_t>(unknown));
    return all;
}

// The operation that meets the error ends as it should, and so does everything after it.
void check_walk(int version, api what, std::int16_t code, bool always, bool commit) {
    INFO("version " << version << ", " << name_of(what) << " answered " << code << (always ? " always" : " once") << (commit ? ", commit" : ", abort"));
    walk w{version, what, code, always};
    auto& r = w.r;
    const auto wanted = expected(what, code, version);
    const bool fails = always || wanted != kind::retried;
    const auto timed_out = [&](const error& why) {
        CHECK(why.code == errc::request_timed_out);
        REQUIRE(why.cause);
        CHECK(why.cause->code.value() == code);
    };
    const bool in_begin = what == api::find_transaction || what == api::init_producer_id;
    const auto begun = w.finish(r.begin(2s));
    if (in_begin && fails) {
        if (wanted == kind::retried) return timed_out(begun);
        if (wanted == kind::fenced) {
            CHECK(begun.code == condition::fenced);
            CHECK(w.finish(r.begin(2s)).code == condition::fatal);
            return;
        }
        CHECK(begun.code.value() == code);
        CHECK(begun.code.category() == broker_category());
        if (!always) CHECK_FALSE(w.finish(r.begin(2s)).code);
        return;
    }
    REQUIRE_FALSE(begun.code);
    r.touch();
    const auto offsets = w.finish(r.offsets("g", 2s));
    const bool by_partition = what == api::add_partitions && version == 1;
    const bool by_offsets = what == api::find_group || what == api::txn_offset_commit || (what == api::add_offsets && version == 1);
    const bool before_end = fails && (by_offsets || by_partition);
    if (by_offsets && fails) {
        CHECK(offsets.code);
        if (wanted == kind::abortable) CHECK(offsets.code == condition::abortable);
        if (wanted == kind::fenced) CHECK(offsets.code == condition::fenced);
        if (wanted == kind::fatal) CHECK(offsets.code == condition::fatal);
    } else if (!before_end) {
        CHECK_FALSE(offsets.code);
    }
    const auto end = commit ? w.finish(r.commit(2s)) : w.finish(r.abort(2s));
    // Nothing that the coordinator has not confirmed is called committed; what is refused for certain is not called unknown.
    if (commit && !end.code) CHECK(w.ended_with == true);
    if (w.ended_with == true) CHECK((commit && !end.code));
    const bool dead = std::holds_alternative<failed>(r.m.where());
    if (!before_end && what == api::end_txn && fails) {
        if (commit) {
            if (wanted == kind::retried && (code == number(e::concurrent_transactions) || code == number(e::coordinator_load_in_progress)))
                CHECK(end.code == condition::abortable);
            else if (wanted == kind::retried)
                CHECK(end.code == errc::delivery_unknown);
            if (wanted == kind::abortable) CHECK(end.code == condition::abortable);
            if (wanted == kind::fenced) CHECK(end.code == condition::fenced);
            if (wanted == kind::fatal) CHECK((end.code == condition::fatal || end.code == errc::delivery_unknown));
            // What the coordinator said is the error itself, or the cause of ours.
            CHECK((end.cause ? end.cause->cause ? end.cause->cause->code : end.cause->code : end.code).value() == code);
        }
        CHECK(dead == (wanted == kind::fatal || wanted == kind::fenced));
    } else if (before_end && (wanted == kind::fatal || wanted == kind::fenced)) {
        CHECK(dead);
        CHECK(end.code == condition::fatal);
    } else if (commit) {
        if (!before_end) CHECK_FALSE(end.code);
        if (before_end && wanted == kind::abortable) CHECK(end.code == condition::abortable);
        // Offsets that never got as far as being sent leave the transaction as it was; else what is not known to be whole is aborted.
        if (before_end && wanted == kind::retried) CHECK((!end.code || end.code == condition::abortable));
    } else {
        CHECK_FALSE(end.code);
        CHECK(w.ended_with != true);
    }
    if (dead) {
        CHECK(w.finish(r.begin(2s)).code == condition::fatal);
        return;
    }
    if (std::holds_alternative<must_abort>(r.m.where())) (void)w.finish(r.abort(2s));
    w.always = false;
    CHECK_FALSE(w.finish(r.begin(5s)).code);
}

}  // namespace

TEST_CASE("every error code in answer to every request of a transaction") {
    for (const int version : {1, 2})
        for (const auto what : {api::find_transaction, api::init_producer_id, api::add_partitions, api::add_offsets, api::find_group,
                                api::txn_offset_commit, api::end_txn})
            for (const auto code : all_codes())
                for (const bool always : {false, true})
                    for (const bool commit : {false, true}) check_walk(version, what, code, always, commit);
}

TEST_CASE("a connection that breaks at each request of a transaction") {
    for (const int version : {1, 2})
        for (int which = 0; which < 8; ++which)
            for (const bool processed : {false, true})
                for (const bool commit : {false, true}) {
                    INFO("version " << version << ", request " << which << (processed ? " maybe" : " never") << " processed" << (commit ? ", commit" : ", abort"));
                    walk w{version, api::produce, 0, false};
                    int sent = 0;
                    const auto finish = [&](operation_id op) {
                        for (int i = 0; i < 500 && !w.r.end_of(op); ++i) {
                            if (w.r.settles > w.answered_settles) {
                                ++w.answered_settles;
                                w.r.settled();
                            } else if (!w.r.flight.empty() && sent++ == which) {
                                const auto s = w.r.flight.front();
                                w.r.flight.erase(w.r.flight.begin());
                                w.r.lose(s, processed);
                            } else if (!w.r.flight.empty()) {
                                w.answer_one();
                            } else {
                                REQUIRE(w.r.sleep());
                            }
                        }
                        return w.r.fine(op);
                    };
                    CHECK(finish(w.r.begin(5s)));
                    w.r.touch();
                    CHECK(finish(w.r.offsets("g", 5s)));
                    CHECK(finish(commit ? w.r.commit(5s) : w.r.abort(5s)));
                    CHECK(w.ended_with == commit);
                    const bool stray = version == 1 && processed && sent > which && which >= 2 && w.r.m.busy() == false &&
                                       std::get<ready>(w.r.m.where()).fence;
                    CHECK(finish(w.r.begin(5s)));
                    if (stray) CHECK(w.r.identities.size() == 2);
                }
}

TEST_CASE("codes of a batch that failed: most leave the producer alive") {
    for (const auto code : all_codes()) {
        INFO(code);
        const auto is = static_cast<e>(code);
        const auto means = meaning_of(api::produce, code, 1);
        if (is == e::producer_fenced)
            CHECK(means == meaning::fenced);
        else if (is == e::transactional_id_authorization_failed || is == e::cluster_authorization_failed || is == e::unsupported_version)
            CHECK(means == meaning::fatal);
        else if (is == e::invalid_producer_id_mapping)
            CHECK(means == meaning::forgotten);
        else
            CHECK(means == meaning::renew);
    }
}

TEST_CASE("errors on our side: what no broker would take is not repeated, all else is") {
    CHECK(meaning_of(api::end_txn, make_error_code(errc::no_common_version), false) == meaning::fatal);
    CHECK(meaning_of(api::end_txn, make_error_code(errc::client_closed), true) == meaning::elsewhere);
    CHECK(meaning_of(api::txn_offset_commit, make_error_code(errc::not_in_version), false) == meaning::abort);
    CHECK(meaning_of(api::init_producer_id, make_error_code(errc::no_common_version), false) == meaning::refused);
    CHECK(meaning_of(api::add_partitions, make_error_code(std::errc::connection_reset), true) == meaning::elsewhere);
    CHECK(meaning_of(api::add_partitions, make_error_code(errc::unknown_broker), false) == meaning::elsewhere);
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < meaning_count; ++i) names.insert(name_of(static_cast<meaning>(i)));
    CHECK(names.size() == meaning_count);
}
