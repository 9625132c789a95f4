// A transaction machine in a test's hands: its requests are answered by hand, time is a number.
#pragma once
#include <algorithm>
#include <vector>

#include "client/transaction_fsm.hpp"

namespace transaction_rig {

using namespace kafkawire;
using namespace kafkawire::client_detail::txn;
namespace txn = client_detail::txn;
using namespace std::chrono_literals;

inline std::int16_t number(broker_errc e) { return static_cast<std::int16_t>(e); }

struct rig {
    transaction_fsm m;
    time_point now{};
    std::vector<send> flight;                           // not answered yet
    std::vector<complete> done;
    std::vector<identity> identities;
    std::vector<topic_partition> ready_partitions;
    std::vector<error> dropped;
    int settles = 0;
    operation_id next_op = 1;

    explicit rig(int version = 1, settings s = {.transactional_id = "t"}) : m{std::move(s)} { step(feature_level{static_cast<std::int16_t>(version), 1}); }

    void step(event e) {
        actions out;
        m.step(std::move(e), now, out);
        for (auto& a : out) {
            if (auto* s = std::get_if<send>(&a)) flight.push_back(std::move(*s));
            if (auto* c = std::get_if<complete>(&a)) done.push_back(std::move(*c));
            if (auto* i = std::get_if<identity_changed>(&a)) identities.push_back(i->to);
            if (auto* p = std::get_if<partition_ready>(&a)) ready_partitions.push_back(std::move(p->where));
            if (auto* d = std::get_if<drop_unsent>(&a)) dropped.push_back(std::move(d->why));
            if (std::holds_alternative<settle>(a)) ++settles;
        }
    }
    requested by(std::optional<std::chrono::milliseconds> within = {}) {
        return {next_op++, within ? std::optional{now + *within} : std::nullopt};
    }
    operation_id begin(std::optional<std::chrono::milliseconds> within = {}) { return ask<begin_requested>(within); }
    operation_id commit(std::optional<std::chrono::milliseconds> within = {}) { return ask<commit_requested>(within); }
    operation_id abort(std::optional<std::chrono::milliseconds> within = {}) { return ask<abort_requested>(within); }
    operation_id offsets(std::string group = "g", std::optional<std::chrono::milliseconds> within = {}) {
        const auto r = by(within);
        messages::txn_offset_commit_request::topic t{"in", {}, {}};
        for (int p = 0; p < 2; ++p) {
            t.partitions.emplace_back();
            t.partitions.back().partition_index = p;
            t.partitions.back().committed_offset = 7;
        }
        step(offsets_requested{r, {std::move(group), 3, "member", {}, {t}}});
        return r.op;
    }
    void touch(int partition = 0) { step(partition_touched{{"out", partition}}); }

    // How an operation ended; nothing: it has not.
    [[nodiscard]] std::optional<error> end_of(operation_id op) const {
        const auto at = std::find_if(done.begin(), done.end(), [&](const complete& c) { return c.op == op; });
        return at == done.end() ? std::nullopt : std::optional{at->why};
    }
    [[nodiscard]] int ends_of(operation_id op) const {
        return static_cast<int>(std::count_if(done.begin(), done.end(), [&](const complete& c) { return c.op == op; }));
    }
    [[nodiscard]] bool fine(operation_id op) const { return end_of(op) && !end_of(op)->code; }
    [[nodiscard]] std::error_code code_of(operation_id op) const { return end_of(op) ? end_of(op)->code : std::error_code{}; }

    template <class Request>
    [[nodiscard]] const Request* flying() const {
        for (const auto& s : flight)
            if (const auto* r = std::get_if<Request>(&s.what)) return r;
        return nullptr;
    }
    template <class Request>
    send take() {
        const auto at = std::find_if(flight.begin(), flight.end(), [](const send& s) { return std::holds_alternative<Request>(s.what); });
        if (at == flight.end()) throw std::logic_error("no such request is in flight");
        auto found = std::move(*at);
        flight.erase(at);
        return found;
    }
    void answer(const send& s, txn::answer what, std::int16_t version = -1) {
        step(answered{s.request, version < 0 ? s.versions.highest : version, std::move(what), "b:1"});
    }
    void lose(const send& s, bool maybe_processed = true, errc why = errc::connection_closed) {
        step(request_failed{s.request, error{make_error_code(why), phase::request}, maybe_processed});
    }
    void wait(std::chrono::milliseconds t) {
        now += t;
        step(tick{});
    }
    // Until the next thing that the machine does by itself.
    bool sleep() {
        const auto at = m.next_wakeup();
        if (!at) return false;
        now = std::max(now, *at);
        step(tick{});
        return true;
    }

    void found(std::int32_t node = 1, std::int16_t code = 0) { answer(take<messages::find_coordinator_request>(), coordinator(node, code)); }
    void initialized(std::int64_t id = 10, std::int16_t epoch = 0, std::int16_t code = 0, std::int16_t version = 5) {
        messages::init_producer_id_response r;
        r.error_code = code;
        r.producer_id = code == 0 ? id : -1;
        r.producer_epoch = code == 0 ? epoch : std::int16_t{-1};
        answer(take<messages::init_producer_id_request>(), r, version);
    }
    void added(std::int16_t code = 0) {
        const auto s = take<messages::add_partitions_to_txn_request>();
        answer(s, added_answer(s, code));
    }
    void offsets_added(std::int16_t code = 0) {
        messages::add_offsets_to_txn_response r;
        r.error_code = code;
        answer(take<messages::add_offsets_to_txn_request>(), r);
    }
    void offsets_committed(std::int16_t code = 0) {
        const auto s = take<messages::txn_offset_commit_request>();
        answer(s, committed_answer(s, code));
    }
    void ended(std::int16_t code = 0, std::int64_t id = 10, std::int16_t epoch = 1) {
        messages::end_txn_response r;
        r.error_code = code;
        if (code == 0) r.producer_id = id, r.producer_epoch = epoch;
        answer(take<messages::end_txn_request>(), r);
    }
    // As far as an open transaction.
    operation_id open() {
        const auto op = begin();
        if (flying<messages::find_coordinator_request>()) found();
        if (flying<messages::init_producer_id_request>()) initialized();
        return op;
    }
    void settled(bool failed = false, bool unknown = false) { step(records_settled{failed, unknown, error{make_error_code(errc::delivery_timed_out)}}); }

    static messages::find_coordinator_response coordinator(std::int32_t node, std::int16_t code) {
        messages::find_coordinator_response r;
        r.coordinators.push_back({"t", node, "b", 9092, code, {}, {}});
        return r;
    }
    static messages::add_partitions_to_txn_response added_answer(const send& s, std::int16_t code) {
        messages::add_partitions_to_txn_response r;
        for (const auto& t : std::get<messages::add_partitions_to_txn_request>(s.what).v3_and_below_topics) {
            r.results_by_topic_v3_and_below.push_back({t.name, {}, {}});
            for (const auto p : t.partitions) r.results_by_topic_v3_and_below.back().results_by_partition.push_back({p, code, {}});
        }
        return r;
    }
    static messages::txn_offset_commit_response committed_answer(const send& s, std::int16_t code) {
        messages::txn_offset_commit_response r;
        for (const auto& t : std::get<messages::txn_offset_commit_request>(s.what).topics) {
            r.topics.push_back({t.name, {}, {}});
            for (const auto& p : t.partitions) r.topics.back().partitions.push_back({p.partition_index, code, {}});
        }
        return r;
    }

private:
    template <class Event>
    operation_id ask(std::optional<std::chrono::milliseconds> within) {
        const auto r = by(within);
        step(Event{r});
        return r.op;
    }
};

}  // namespace transaction_rig
