// The other half of transaction_fsm: its requests, and what their answers mean to it.
#include <algorithm>
#include <utility>

#include "client/transaction_fsm.hpp"

namespace kafkawire::client_detail::txn {
namespace {

error unreadable(api what, const char* text) {
    error why{make_error_code(errc::bad_value), phase::request};
    why.api_key = key_of(what);
    why.text = text;
    return why;
}

// Of several results in one answer, the one that says most about what to do.
int weight(meaning m) noexcept {
    switch (m) {
        case meaning::done: return 0;
        case meaning::soon: return 1;
        case meaning::again: return 2;
        case meaning::unclear: return 3;
        case meaning::elsewhere: return 4;
        case meaning::refused: return 5;
        case meaning::abort: return 6;
        case meaning::renew: return 7;
        case meaning::forgotten: return 8;
        case meaning::inexplicable: return 9;
        case meaning::fatal: return 10;
        case meaning::fenced: return 11;
    }
    return 0;
}
bool is_tried_again(meaning m) noexcept { return weight(m) <= weight(meaning::elsewhere); }
bool may_have_been_done(meaning m) noexcept { return m == meaning::unclear || m == meaning::elsewhere || m == meaning::inexplicable; }

}  // namespace

// Requests.

transaction_fsm::lookup& transaction_fsm::coordinator_for(api what) noexcept { return what == api::txn_offset_commit ? group_ : transaction_; }

// AddPartitionsToTxn is for brokers from version 4 on. EndTxn and TxnOffsetCommit say with version 5 that the transaction is of version 2.
protocol::version_range transaction_fsm::versions_for(api what) const noexcept {
    const bool v2 = version() >= 2;
    switch (what) {
        case api::find_transaction:
        case api::find_group: return protocol::between(1, 6);
        case api::init_producer_id: return protocol::between(0, 5);
        case api::add_partitions: return protocol::between(0, 3);
        case api::add_offsets: return protocol::between(0, 4);
        default: return v2 ? protocol::between(5, 5) : protocol::between(0, 4);
    }
}

message transaction_fsm::make(api what) {
    const auto& id = settings_.transactional_id;
    const auto [producer, epoch] = identity_;
    if (what == api::init_producer_id) {
        messages::init_producer_id_request m;
        m.transactional_id = id;
        m.transaction_timeout_ms = static_cast<std::int32_t>(settings_.transaction_timeout.count());
        // Without them the coordinator would let us in even if a newer producer has come in the meantime.
        if (std::holds_alternative<fencing>(state_) && knows_bump_) m.producer_id = producer, m.producer_epoch = epoch;
        return m;
    }
    if (what == api::add_partitions) {
        messages::add_partitions_to_txn_request m;
        m.v3_and_below_transactional_id = id;
        m.v3_and_below_producer_id = producer;
        m.v3_and_below_producer_epoch = epoch;
        for (auto& [where, how] : open()->partitions) {
            if (how == open_transaction::adding::added) continue;
            how = open_transaction::adding::asked;
            if (m.v3_and_below_topics.empty() || m.v3_and_below_topics.back().name != where.topic) m.v3_and_below_topics.push_back({where.topic, {}, {}});
            m.v3_and_below_topics.back().partitions.push_back(where.partition);
        }
        return m;
    }
    if (what == api::add_offsets) return messages::add_offsets_to_txn_request{id, producer, epoch, asked_group_ = jobs_.front().what.group, {}};
    if (what == api::end_txn) return messages::end_txn_request{id, producer, epoch, std::get<ending>(state_).commit, {}};
    auto& job = jobs_.front();
    job.sent = true;
    open()->started = true;
    messages::txn_offset_commit_request m;
    m.transactional_id = id;
    m.group_id = job.what.group;
    m.producer_id = producer;
    m.producer_epoch = epoch;
    m.generation_id = job.what.generation;
    m.member_id = job.what.member;
    m.group_instance_id = job.what.instance;
    m.topics = job.what.topics;
    return m;
}

void transaction_fsm::pump(lane& l, time_point now, actions& out) {
    if (!l.doing || l.request) return;
    auto& at = coordinator_for(*l.doing);
    if (!at.broker) {
        at.wanted = true;
        return;
    }
    if (now < l.not_before) return;
    l.request = next_request_++;
    ++l.attempts;
    if (auto* e = std::get_if<ending>(&state_); e && e->commit) e->of.commit_tried = true;
    auto what = make(*l.doing);
    out.push_back(send{l.request, at.broker, versions_for(*l.doing), std::move(what)});
}

// A request is on its way to a coordinator that says nothing.
bool transaction_fsm::waits_for(const lookup& l) noexcept {
    if (!l.doubted) return false;
    const auto waits = [&](const lane& of) { return of.doing && of.request && &coordinator_for(*of.doing) == &l; };
    return waits(main_) || waits(offsets_);
}

// Another broker has its office: what was sent to the one before may have been done, and is asked of the new one at once.
void transaction_fsm::leave_behind(lookup& l, std::int32_t successor, time_point now, actions& out) {
    for (auto* of : {&main_, &offsets_}) {
        if (!of->doing || !of->request || &coordinator_for(*of->doing) != &l) continue;
        error why{make_error_code(errc::connection_closed), phase::request};
        why.api_key = key_of(*of->doing);
        why.text = "its coordinator said nothing, and another broker is it now";
        request_failed lost{of->request, std::move(why), true};
        on(lost, now, out);
        of->not_before = now;
    }
    l.broker = successor;
    l.doubted = false;
}

void transaction_fsm::pump(lookup& l, time_point now, actions& out) {
    if ((!l.wanted && !waits_for(l)) || l.asking.request || now < l.asking.not_before) return;
    l.asking.request = next_request_++;
    ++l.asking.attempts;
    messages::find_coordinator_request m;
    m.coordinator_key = l.key;
    m.key_type = &l == &transaction_ ? 1 : 0;
    out.push_back(send{l.asking.request, {}, versions_for(api::find_transaction), std::move(m)});
}

// Answers.

error transaction_fsm::told(api what, std::int16_t code, const answered& e, int attempt) const {
    error why{{code, broker_category()}, phase::request};
    why.broker = e.broker;
    why.api_key = key_of(what);
    why.api_version = e.version;
    why.attempt = attempt;
    return why;
}

void transaction_fsm::on(answered& e, time_point now, actions& out) {
    for (auto* l : {&transaction_, &group_}) {
        if (l->asking.request != e.request) continue;
        if (const auto* r = std::get_if<messages::find_coordinator_response>(&e.what)) return take(*r, *l, e, now, out);
        return react_to_lookup(*l, {meaning::again, unreadable(api::find_transaction, "another API's answer")}, now, out);
    }
    for (auto* l : {&main_, &offsets_}) {
        if (!l->doing || l->request != e.request) continue;
        const auto index = [&]() -> std::size_t {
            switch (*l->doing) {
                case api::init_producer_id: return 1;
                case api::add_partitions: return 2;
                case api::add_offsets: return 3;
                case api::end_txn: return 4;
                default: return 5;
            }
        }();
        if (e.what.index() != index) return react(*l, *l->doing, {meaning::unclear, unreadable(*l->doing, "another API's answer")}, now, out);
        return std::visit(
            [&](const auto& r) {
                if constexpr (!std::is_same_v<std::decay_t<decltype(r)>, messages::find_coordinator_response>) take(r, e, now, out);
            },
            e.what);
    }
}

void transaction_fsm::on(request_failed& e, time_point now, actions& out) {
    if ((e.why.code == errc::no_common_version || e.why.code == errc::not_in_version) && !open()) e.why.hint = "transactions need brokers of Kafka 0.11 or later; without transactional_id records are sent outside of one";
    for (auto* l : {&transaction_, &group_})
        if (l->asking.request == e.request) {
            const auto what = l == &group_ ? api::find_group : api::find_transaction;
            return react_to_lookup(*l, {meaning_of(what, e.why.code, e.maybe_processed), e.why}, now, out);
        }
    for (auto* l : {&main_, &offsets_}) {
        if (!l->doing || l->request != e.request) continue;
        const auto what = *l->doing;
        if (auto* t = open(); t && e.maybe_processed) t->stray = t->started = true;
        if (what == api::init_producer_id && std::holds_alternative<fencing>(state_) && knows_bump_ && e.why.code == errc::not_in_version) {
            knows_bump_ = false;  // an older broker: without identity then
            l->request = 0;
            return;
        }
        const auto means = meaning_of(what, e.why.code, e.maybe_processed);
        if (means == meaning::elsewhere && !e.maybe_processed) {
            coordinator_for(what).broker.reset();
            return retry(*l, {means, e.why}, now);
        }
        return react(*l, what, {means, e.why}, now, out);
    }
}

void transaction_fsm::take(const messages::find_coordinator_response& r, lookup& l, const answered& e, time_point now, actions& out) {
    const auto what = &l == &group_ ? api::find_group : api::find_transaction;
    auto node = r.node_id;
    auto code = r.error_code;
    if (e.version >= 4) {
        if (r.coordinators.size() != 1)
            return react_to_lookup(l, {meaning::again, unreadable(what, "an answer about several coordinators, or none")}, now, out);
        node = r.coordinators.front().node_id;
        code = r.coordinators.front().error_code;
    }
    if (code != 0) return react_to_lookup(l, {meaning_of(what, code, version()), told(what, code, e, l.asking.attempts)}, now, out);
    l.asking = {};
    if (l.doubted && l.broker == node) {  // as far as they know there: the cluster may need some time to find out
        l.asking.not_before = now + settings_.retry_backoff_max;
        return;
    }
    if (l.doubted && l.broker) return leave_behind(l, node, now, out);
    l.broker = node;
    l.doubted = false;
}

void transaction_fsm::take(const messages::init_producer_id_response& r, const answered& e, time_point now, actions& out) {
    knows_bump_ = e.version >= 3;
    const auto what = api::init_producer_id;
    if (r.error_code != 0) return react(main_, what, {meaning_of(what, r.error_code, 1), told(what, r.error_code, e, main_.attempts)}, now, out);
    if (r.producer_id < 0 || r.producer_epoch < 0) return react(main_, what, {meaning::again, unreadable(what, "no producer id in the answer")}, now, out);
    main_ = {};
    become({r.producer_id, r.producer_epoch}, out);
    transition(ready{}, "InitProducerId");
}

void transaction_fsm::take(const messages::add_partitions_to_txn_response& r, const answered& e, time_point now, actions& out) {
    auto& t = *open();
    const auto* s = std::get_if<settling>(&state_);
    const bool sends = std::holds_alternative<in_transaction>(state_) || (s && s->commit);
    verdict worst;
    for (const auto& topic : r.results_by_topic_v3_and_below)
        for (const auto& p : topic.results_by_partition) {
            const auto at = t.partitions.find({topic.name, p.partition_index});
            if (at == t.partitions.end() || at->second != open_transaction::adding::asked) continue;
            const auto means = meaning_of(api::add_partitions, p.partition_error_code, t.version);
            if (means == meaning::done) {
                at->second = open_transaction::adding::added;
                t.started = true;
                if (sends) out.push_back(partition_ready{at->first});
            } else {
                t.started = t.started || may_have_been_done(means);
            }
            // All or nothing: those that were not tried only say that another one was refused.
            const bool beside = p.partition_error_code == static_cast<std::int16_t>(broker_errc::operation_not_attempted);
            if (weight(means) > weight(worst.what) || (weight(means) == weight(worst.what) && !beside && means != meaning::done)) {
                worst.what = means;
                worst.why = told(api::add_partitions, p.partition_error_code, e, main_.attempts);
                worst.why.text = "partition " + std::to_string(p.partition_index) + " of \"" + topic.name + "\" was not added to the transaction";
            }
        }
    const bool missing = std::any_of(t.partitions.begin(), t.partitions.end(),
                                     [](const auto& p) { return p.second == open_transaction::adding::asked; });
    if (worst.what == meaning::done && missing) worst = {meaning::unclear, unreadable(api::add_partitions, "the answer leaves out a partition")};
    if (worst.what == meaning::done)
        main_ = {};
    else
        react(main_, api::add_partitions, worst, now, out);
}

void transaction_fsm::take(const messages::add_offsets_to_txn_response& r, const answered& e, time_point now, actions& out) {
    auto& t = *open();
    const auto what = api::add_offsets;
    const auto means = meaning_of(what, r.error_code, t.version);
    if (means == meaning::done || may_have_been_done(means)) t.started = true;
    if (means != meaning::done) return react(offsets_, what, {means, told(what, r.error_code, e, offsets_.attempts)}, now, out);
    groups_.insert(asked_group_);
    offsets_ = {};
}

void transaction_fsm::take(const messages::end_txn_response& r, const answered& e, time_point now, actions& out) {
    const auto& end = std::get<ending>(state_);
    const auto& t = end.of;
    const auto what = api::end_txn;
    if (r.error_code != 0) return react(main_, what, {meaning_of(what, r.error_code, t.version), told(what, r.error_code, e, main_.attempts)}, now, out);
    bool fence = t.stray || t.renew;
    if (t.version >= 2) {
        // The epoch has been raised with the transaction's end. If we are not told to what, InitProducerId says it.
        fence = r.producer_id < 0 || r.producer_epoch < 0;
        if (!fence) become({r.producer_id, r.producer_epoch}, out);
    }
    ended(end.commit ? last_end::committed : last_end::aborted, fence, out);
}

void transaction_fsm::take(const messages::txn_offset_commit_response& r, const answered& e, time_point now, actions& out) {
    const auto what = api::txn_offset_commit;
    if (jobs_.empty()) {  // the transaction is being aborted
        offsets_ = {};
        return;
    }
    auto& left = jobs_.front().what.topics;
    verdict worst;
    for (const auto& topic : r.topics)
        for (const auto& p : topic.partitions) {
            const auto at = std::find_if(left.begin(), left.end(), [&](const auto& l) { return l.name == topic.name; });
            if (at == left.end()) continue;
            const auto means = meaning_of(what, p.error_code, version());
            if (means == meaning::done) {
                std::erase_if(at->partitions, [&](const auto& l) { return l.partition_index == p.partition_index; });
            } else if (weight(means) > weight(worst.what)) {
                worst.what = means;
                worst.why = told(what, p.error_code, e, offsets_.attempts);
                worst.why.text = "the offset of partition " + std::to_string(p.partition_index) + " of \"" + topic.name + "\" was not committed";
            }
        }
    std::erase_if(left, [](const auto& l) { return l.partitions.empty(); });
    if (worst.what == meaning::done && !left.empty()) worst = {meaning::unclear, unreadable(what, "the answer leaves out a partition")};
    if (worst.what != meaning::done) return react(offsets_, what, worst, now, out);
    out.push_back(complete{jobs_.front().by.op, operation_kind::send_offsets, {}});
    jobs_.pop_front();
    offsets_ = {};
}

// What is done about them.

void transaction_fsm::retry(lane& l, const verdict& v, time_point now) {
    l.request = 0;
    l.last = v.why;
    if (v.what == meaning::soon) {
        l.not_before = now + pause_.after(++l.concurrent, settings_.concurrent_backoff, std::max(settings_.concurrent_backoff, settings_.retry_backoff));
        return;
    }
    l.concurrent = 0;
    // The first time at once: another broker will be asked, or another connection.
    if (v.what == meaning::elsewhere && l.attempts == 1) return;
    l.not_before = now + pause_.after(l.attempts, settings_.retry_backoff, settings_.retry_backoff_max);
}

void transaction_fsm::react(lane& l, api what, const verdict& v, time_point now, actions& out) {
    l.request = 0;
    if (v.what == meaning::elsewhere) coordinator_for(what).broker.reset();
    auto* end = std::get_if<ending>(&state_);
    if (end && may_have_been_done(v.what)) end->unclear = true;
    if (is_tried_again(v.what)) return retry(l, v, now);
    if (what == api::init_producer_id) return identity_refused(v, out);
    if (what == api::end_txn) return end_refused(v, now, out);
    l = {};
    if (v.what == meaning::fenced || v.what == meaning::fatal || v.what == meaning::inexplicable) return fail(v.why, v.what == meaning::fenced, out);
    if (v.what == meaning::forgotten && !knows_bump_) return fail(v.why, false, out);
    if (what == api::add_offsets && v.what == meaning::abort && jobs_.empty()) return;  // canceled meanwhile
    auto& t = *open();
    t.renew = t.renew || v.what == meaning::renew;
    t.end_useless = t.end_useless || v.what == meaning::forgotten;
    abortable(v.why, out);
}

void transaction_fsm::react_to_lookup(lookup& l, const verdict& v, time_point now, actions& out) {
    l.asking.request = 0;
    if (is_tried_again(v.what)) return retry(l.asking, v, now);
    l.asking = {};
    if (!l.wanted) {
        l.asking.not_before = now + settings_.retry_backoff_max;
        return;
    }
    if (std::holds_alternative<initializing>(state_) || std::holds_alternative<fencing>(state_)) return identity_refused(v, out);
    if (v.what == meaning::fatal || v.what == meaning::fenced) return fail(v.why, v.what == meaning::fenced, out);
    if (std::holds_alternative<ending>(state_)) return retry(l.asking, v, now);
    abortable(v.why, out);
}

// No transaction is open, so nothing is lost: who asked may ask again.
void transaction_fsm::identity_refused(const verdict& v, actions& out) {
    if (v.what == meaning::fenced) return fail(v.why, true, out);
    main_ = {};
    if (std::holds_alternative<fencing>(state_))
        transition(ready{true}, v.why.message());
    else
        transition(no_identity{}, v.why.message());
    finish(operation_kind::begin, v.why, out);
    finish(operation_kind::initialize, v.why, out);
}

void transaction_fsm::end_refused(const verdict& v, time_point now, actions& out) {
    auto& end = std::get<ending>(state_);
    auto& t = end.of;
    const bool no_way_on = v.what == meaning::forgotten && !knows_bump_;
    if (v.what == meaning::fenced || v.what == meaning::fatal || v.what == meaning::inexplicable || no_way_on)
        return fail(v.why, v.what == meaning::fenced, out);
    const bool not_open = v.why.code == broker_errc::invalid_txn_state;
    if (!end.commit) {
        if (v.what == meaning::abort) return retry(main_, v, now);
        // Nothing is open any more, or ever was. In version 2 a transaction that was never added to can be aborted, so this one was committed;
        // in version 1 it may have been if we have ever tried.
        const bool perhaps_committed = not_open && (t.version >= 2 || t.commit_tried);
        return ended(perhaps_committed ? last_end::unknown : last_end::aborted, true, out);
    }
    // INVALID_TXN_STATE is said of a transaction that was aborted, never of one that is committed: a repeated commit of that is done.
    const bool certain = !end.unclear || not_open;
    last_commit_ = error{make_error_code(certain ? errc::transaction_aborted : errc::delivery_unknown)};
    last_commit_->text = certain ? "the transaction was not committed" : "the commit was sent, but it is not known whether it was done";
    last_commit_->cause = std::make_shared<const error>(v.why);
    if (certain) t.commit_tried = false;
    t.renew = t.renew || v.what == meaning::renew;
    finish(operation_kind::commit, *last_commit_, out);
    if (v.what == meaning::forgotten) return ended(certain ? last_end::aborted : last_end::unknown, true, out);
    ending next{std::move(t), false};
    transition(std::move(next), v.why.message());
    main_ = {api::end_txn};
}

}  // namespace kafkawire::client_detail::txn
