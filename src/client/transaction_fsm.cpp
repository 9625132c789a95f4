#include "client/transaction_fsm.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace kafkawire::client_detail::txn {
namespace {

constexpr std::array<std::string_view, 9> state_names = {"no_identity", "initializing", "ready",  "fencing", "in_transaction",
                                                         "must_abort",  "settling",     "ending", "failed"};

error because(errc code, std::string text, const error& cause) {
    error why{make_error_code(code)};
    why.text = std::move(text);
    if (cause) why.cause = std::make_shared<const error>(cause);
    return why;
}

std::string_view what_of(operation_kind k) noexcept {
    switch (k) {
        case operation_kind::initialize: return "to get a producer id";
        case operation_kind::begin: return "to begin a transaction";
        case operation_kind::send_offsets: return "to send offsets";
        case operation_kind::commit: return "to commit";
        case operation_kind::abort: return "to abort";
    }
    return {};
}

error late(operation_kind k, const error& last) { return because(errc::request_timed_out, "no time was left " + std::string{what_of(k)}, last); }

error not_committed(const error& cause) { return because(errc::transaction_aborted, "the transaction was not committed", cause); }
error nobody_knows(const error& cause) {
    return because(errc::delivery_unknown, "the commit was sent, but it is not known whether it was done", cause);
}
error busy_with_same() {
    error why{std::make_error_code(std::errc::operation_in_progress)};
    why.text = "the same is being done already";
    return why;
}

// So that a commit which nobody confirmed is never called refused: fenced and the like say that nothing was written.
error fatal_story(const error& why, bool fenced) {
    if (fenced) {
        if (why.code == broker_errc::producer_fenced) return why;
        error story{make_error_code(broker_errc::producer_fenced)};
        story.cause = std::make_shared<const error>(why);
        return story;
    }
    if (why.code == condition::fatal) return why;
    return because(errc::producer_failed, {}, why);
}

}  // namespace

std::string_view name_of(const state& s) noexcept { return state_names[s.index()]; }

void fit(message& m, std::int16_t version) {
    auto* find = std::get_if<messages::find_coordinator_request>(&m);
    if (!find || version < 4 || !find->coordinator_keys.empty()) return;
    find->coordinator_keys.push_back(std::exchange(find->coordinator_key, {}));
}

transaction_fsm::transaction_fsm(settings s) : settings_{std::move(s)}, pause_{settings_.seed} { transaction_.key = settings_.transactional_id; }

void transaction_fsm::transition(state to, std::string_view why) {
    if (!legal[state_.index()][to.index()])
        throw std::logic_error("transaction_fsm: illegal transition from " + std::string{name_of(state_)} + " to " + std::string{name_of(to)} + ": " +
                               std::string{why});
    state_ = std::move(to);
}

open_transaction* transaction_fsm::open() noexcept {
    if (auto* s = std::get_if<in_transaction>(&state_)) return &s->of;
    if (auto* s = std::get_if<must_abort>(&state_)) return &s->of;
    if (auto* s = std::get_if<settling>(&state_)) return &s->of;
    if (auto* s = std::get_if<ending>(&state_)) return &s->of;
    return nullptr;
}

int transaction_fsm::version() const noexcept {
    const auto* t = const_cast<transaction_fsm*>(this)->open();
    return t ? t->version : 0;
}

error transaction_fsm::why_not_send() const {
    if (std::holds_alternative<in_transaction>(state_)) return {};
    if (const auto* s = std::get_if<must_abort>(&state_)) return s->why;
    if (const auto* s = std::get_if<failed>(&state_)) return s->why;
    return error{make_error_code(errc::no_transaction)};
}

bool transaction_fsm::busy() const noexcept {
    return main_.doing || offsets_.doing || !waiting_.empty() || !jobs_.empty() || asked_to_settle_ || std::holds_alternative<settling>(state_);
}

void transaction_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
    expire(now, out);
    advance(now, out);
}

std::optional<time_point> transaction_fsm::next_wakeup() const noexcept {
    std::optional<time_point> soonest;
    const auto wake = [&](time_point at) { soonest = soonest ? std::min(*soonest, at) : at; };
    for (const auto& w : waiting_)
        if (w.by.deadline) wake(*w.by.deadline);
    for (const auto& j : jobs_)
        if (j.by.deadline) wake(*j.by.deadline);
    for (const auto* l : {&main_, &offsets_}) {
        if (!l->doing || l->request) continue;
        const auto& c = const_cast<transaction_fsm*>(this)->coordinator_for(*l->doing);
        if (c.broker) wake(l->not_before);
    }
    for (const auto* c : {&transaction_, &group_})
        if ((c->wanted || const_cast<transaction_fsm*>(this)->waits_for(*c)) && !c->asking.request) wake(c->asking.not_before);
    return soonest;
}

std::array<std::optional<transaction_fsm::coordinator>, 2> transaction_fsm::coordinators() const noexcept {
    const auto of = [](const lookup& l) { return l.broker ? std::optional{coordinator{*l.broker, l.doubted}} : std::nullopt; };
    return {of(transaction_), of(group_)};
}

// What the application asks for.

void transaction_fsm::on(initialize_requested& e, time_point, actions& out) {
    const auto where = state_.index();
    if (const auto* f = std::get_if<failed>(&state_)) return out.push_back(complete{e.by.op, operation_kind::initialize, f->why});
    if (where > state{initializing{}}.index()) return out.push_back(complete{e.by.op, operation_kind::initialize, {}});
    waiting_.push_back({e.by, operation_kind::initialize});
}

void transaction_fsm::on(begin_requested& e, time_point, actions& out) {
    const auto refuse = [&](error why) { out.push_back(complete{e.by.op, operation_kind::begin, std::move(why)}); };
    if (const auto* f = std::get_if<failed>(&state_)) return refuse(f->why);
    if (std::holds_alternative<in_transaction>(state_) || std::holds_alternative<must_abort>(state_)) return refuse(busy_with_same());
    for (const auto& w : waiting_)
        if (w.kind == operation_kind::begin) return refuse(busy_with_same());
    waiting_.push_back({e.by, operation_kind::begin});
}

void transaction_fsm::on(partition_touched& e, time_point, actions& out) {
    auto* s = std::get_if<settling>(&state_);
    const bool open_for_records = std::holds_alternative<in_transaction>(state_) || (s && s->commit && !s->settled);
    if (!open_for_records) return out.push_back(drop_unsent{why_not_send()});
    auto& t = *open();
    const auto at = t.partitions.try_emplace(e.where, open_transaction::adding::wanted).first;
    if (t.version >= 2) {  // the leader adds it with the first batch
        at->second = open_transaction::adding::added;
        t.started = true;
    }
    if (at->second == open_transaction::adding::added) out.push_back(partition_ready{e.where});
}

void transaction_fsm::on(offsets_requested& e, time_point, actions& out) {
    if (auto why = why_not_send()) return out.push_back(complete{e.by.op, operation_kind::send_offsets, std::move(why)});
    bool any = false;
    for (const auto& t : e.what.topics) any = any || !t.partitions.empty();
    if (!any) return out.push_back(complete{e.by.op, operation_kind::send_offsets, {}});
    jobs_.push_back({e.by, std::move(e.what)});
}

void transaction_fsm::on(commit_requested& e, time_point, actions& out) {
    const auto tell = [&](error why) { out.push_back(complete{e.by.op, operation_kind::commit, std::move(why)}); };
    for (const auto& w : waiting_)
        if (w.kind == operation_kind::commit) return tell(busy_with_same());
    if (std::holds_alternative<in_transaction>(state_)) {
        waiting_.push_back({e.by, operation_kind::commit});
        transition(settling{std::move(*open()), true}, "commit asked for");
        asked_to_settle_ = true;
        return out.push_back(settle{true});
    }
    if (last_commit_) return tell(*last_commit_);
    if (const auto* s = std::get_if<must_abort>(&state_)) return tell(s->why);
    if (const auto* f = std::get_if<failed>(&state_)) return tell(f->why);
    const auto* end = std::get_if<ending>(&state_);
    if (!end || !end->commit) return tell(error{make_error_code(errc::no_transaction)});
    waiting_.push_back({e.by, operation_kind::commit});  // given up before, asked for again
}

void transaction_fsm::on(abort_requested& e, time_point, actions& out) {
    const auto tell = [&](error why) { out.push_back(complete{e.by.op, operation_kind::abort, std::move(why)}); };
    if (const auto* f = std::get_if<failed>(&state_)) return tell(f->why);
    if (!open()) return tell(last_end_ == last_end::aborted ? error{} : error{make_error_code(errc::no_transaction)});
    for (const auto& w : waiting_)
        if (w.kind == operation_kind::abort) return tell(busy_with_same());
    if (e.by.op != 0) waiting_.push_back({e.by, operation_kind::abort});
    auto* s = std::get_if<settling>(&state_);
    if (s && s->commit) return abortable(because(errc::transaction_aborted, "aborted by the application", {}), out);
    if (s || std::holds_alternative<ending>(state_)) return;  // a commit that is under way cannot be taken back: what becomes of it is told
    if (std::holds_alternative<in_transaction>(state_)) {
        const auto why = because(errc::transaction_aborted, "aborted by the application", {});
        stop_work(why, out);
        out.push_back(drop_unsent{why});
    }
    transition(settling{std::move(*open()), false}, "abort asked for");
    if (!std::exchange(asked_to_settle_, true)) out.push_back(settle{false});
}

void transaction_fsm::on(cancel_requested& e, time_point, actions& out) {
    const error why{make_error_code(errc::canceled)};
    for (const auto& w : waiting_)
        if (w.by.op == e.op) return give_up(w, why, out);
    for (std::size_t i = 0; i < jobs_.size(); ++i)
        if (jobs_[i].by.op == e.op) return give_up_offsets(i, why, out);
}

// What the sender says.

void transaction_fsm::on(send_failed& e, time_point, actions& out) {
    auto* t = open();
    if (!t || std::holds_alternative<ending>(state_)) return;
    const bool told_by_broker = e.why.code.category() == broker_category();
    const auto means = told_by_broker ? meaning_of(api::produce, static_cast<std::int16_t>(e.why.code.value()), t->version)
                                      : meaning_of(api::produce, e.why.code, true);
    if (means == meaning::fenced || means == meaning::fatal) return fail(e.why, means == meaning::fenced, out);
    t->renew = true;  // the sequences of its partition have a gap
    t->end_useless = t->end_useless || means == meaning::forgotten;
    abortable(e.why, out);
}

void transaction_fsm::on(records_settled& e, time_point, actions& out) {
    asked_to_settle_ = false;
    auto* t = open();
    if (!t || std::holds_alternative<ending>(state_)) return;
    t->renew = t->renew || e.any_failed || e.any_unknown;
    auto* s = std::get_if<settling>(&state_);
    if (!s) return;
    s->settled = true;
    if (s->commit && (e.any_failed || e.any_unknown)) abortable(e.why, out);
}

void transaction_fsm::on(coordinator_silent& e, time_point, actions&) {
    for (auto* l : {&transaction_, &group_})
        if (l->broker == e.broker) l->doubted = e.yes;
}

void transaction_fsm::on(feature_level& e, time_point, actions&) {
    if (e.epoch >= features_.epoch) features_ = e;
}

void transaction_fsm::on(tick&, time_point, actions&) {}

// How things go on by themselves.

void transaction_fsm::advance(time_point now, actions& out) {
    const auto waits_for = [&](operation_kind k) {
        return std::any_of(waiting_.begin(), waiting_.end(), [&](const waiting& w) { return w.kind == k; });
    };
    for (std::size_t before = std::variant_npos; before != state_.index();) {
        before = state_.index();
        drop_idle_work();
        if (auto* r = std::get_if<ready>(&state_)) {
            if (waits_for(operation_kind::initialize)) finish(operation_kind::initialize, {}, out);
            if (!waits_for(operation_kind::begin)) break;
            if (r->fence) {
                transition(fencing{}, "a request of an earlier transaction may still arrive");
                main_ = {api::init_producer_id};
                continue;
            }
            in_transaction begun;
            begun.of.version = features_.transaction_version >= 2 ? 2 : 1;
            groups_.clear();
            last_commit_.reset();
            last_end_ = last_end::none;
            transition(std::move(begun), "begun");
            finish(operation_kind::begin, {}, out);
        } else if (std::holds_alternative<no_identity>(state_)) {
            if (!waits_for(operation_kind::begin) && !waits_for(operation_kind::initialize)) break;
            transition(initializing{}, "an identity is needed");
            main_ = {api::init_producer_id};
        } else if (std::holds_alternative<in_transaction>(state_)) {
            start_work();
        } else if (auto* s = std::get_if<settling>(&state_)) {
            if (s->commit) start_work();
            if (s->settled && !main_.doing && !offsets_.doing && jobs_.empty()) begin_ending(out);
        }
    }
    transaction_.wanted = group_.wanted = false;
    pump(main_, now, out);
    pump(offsets_, now, out);
    pump(transaction_, now, out);
    pump(group_, now, out);
}

void transaction_fsm::start_work() {
    auto& t = *open();
    const auto unasked = [](const auto& p) { return p.second != open_transaction::adding::added; };
    if (!main_.doing && std::any_of(t.partitions.begin(), t.partitions.end(), unasked)) main_ = {api::add_partitions};
    if (offsets_.doing || jobs_.empty()) return;
    const auto& group = jobs_.front().what.group;
    if (t.version == 1 && groups_.count(group) == 0) {
        offsets_ = {api::add_offsets};
        return;
    }
    if (group_.key != group) group_ = {{}, group};
    offsets_ = {api::txn_offset_commit};
}

// What rests before another attempt, and is of no use any more.
void transaction_fsm::drop_idle_work() {
    const auto* s = std::get_if<settling>(&state_);
    const bool open_for_work = std::holds_alternative<in_transaction>(state_) || (s && s->commit);
    if (offsets_.doing && !offsets_.request && (!open_for_work || jobs_.empty())) offsets_ = {};
    if (!main_.doing || main_.request) return;
    if (main_.doing == api::add_partitions && !open_for_work) main_ = {};
    if (main_.doing != api::init_producer_id || !waiting_.empty()) return;
    main_ = {};
    if (std::holds_alternative<fencing>(state_))
        transition(ready{true}, "nobody waits for it");
    else
        transition(no_identity{}, "nobody waits for it");
}

void transaction_fsm::begin_ending(actions& out) {
    auto& s = std::get<settling>(state_);
    auto& t = s.of;
    if (!t.started || t.end_useless) return ended(s.commit ? last_end::committed : last_end::aborted, t.stray || t.renew || t.end_useless, out);
    const bool commit = s.commit;
    ending next{std::move(t), commit};
    transition(std::move(next), "all is settled");
    main_ = {api::end_txn};
}

void transaction_fsm::ended(last_end how, bool fence, actions& out) {
    main_ = {};
    transition(ready{fence}, how == last_end::committed ? "committed" : "not committed");
    last_end_ = how;
    const error committed_already = because(errc::no_transaction, "the transaction was committed, or may have been", {});
    finish(operation_kind::abort, how == last_end::aborted ? error{} : committed_already, out);
    // A commit that was refused has been told already. One that was given up may be asked for again.
    if (how == last_end::committed) last_commit_ = error{};
    finish(operation_kind::commit, last_commit_.value_or(error{make_error_code(errc::delivery_unknown)}), out);
}

void transaction_fsm::become(identity to, actions& out) {
    identity_ = to;
    out.push_back(identity_changed{to});
}

// How things go wrong.

// Nothing has been promised yet, so the transaction can be aborted. One that was to be committed is aborted at once: whoever waits is told.
void transaction_fsm::abortable(const error& why, actions& out) {
    error story = why.code == errc::transaction_aborted ? why : not_committed(why);
    if (std::holds_alternative<in_transaction>(state_)) {
        if (why.code != errc::transaction_aborted) story.text = "the transaction must be aborted";
        transition(must_abort{std::move(*open()), story}, why.message());
    } else if (auto* s = std::get_if<settling>(&state_); s && s->commit) {
        const bool settled = s->settled;
        settling next{std::move(s->of), false, settled};
        transition(std::move(next), why.message());
        last_commit_ = story;
        finish(operation_kind::commit, story, out);
    } else {
        return;
    }
    stop_work(story, out);
    out.push_back(drop_unsent{story});
}

void transaction_fsm::fail(const error& why, bool fenced, actions& out) {
    const error story = fatal_story(why, fenced);
    const auto* end = std::get_if<ending>(&state_);
    const bool unclear = end && end->commit && end->unclear;
    if (end && end->commit) last_commit_ = unclear ? nobody_knows(story) : story;
    transition(failed{story}, why.message());
    main_ = {};
    offsets_ = {};
    for (auto& w : std::exchange(waiting_, {}))
        out.push_back(complete{w.by.op, w.kind, w.kind == operation_kind::commit && unclear ? nobody_knows(story) : story});
    stop_work(story, out);
    out.push_back(drop_unsent{story});
}

void transaction_fsm::stop_work(const error& why, actions& out) {
    for (auto& j : std::exchange(jobs_, {})) out.push_back(complete{j.by.op, operation_kind::send_offsets, why});
}

void transaction_fsm::give_up(waiting w, const error& why, actions& out) {
    if (w.kind == operation_kind::commit) return give_up_commit(w.by.op, why, out);
    finish(w.kind, why, out);  // a begin need not be; an abort goes on without anybody
}

void transaction_fsm::give_up_commit(operation_id op, const error& why, actions& out) {
    auto* end = std::get_if<ending>(&state_);
    if (!end) return abortable(why, out);  // not sent yet
    if (main_.request || end->unclear) {
        std::erase_if(waiting_, [&](const waiting& w) { return w.by.op == op; });
        return out.push_back(complete{op, operation_kind::commit, nobody_knows(why)});
    }
    ending next{std::move(end->of), false};
    transition(std::move(next), why.message());
    main_ = {api::end_txn};
    last_commit_ = not_committed(why);
    finish(operation_kind::commit, *last_commit_, out);
}

void transaction_fsm::give_up_offsets(std::size_t at, const error& why, actions& out) {
    if (jobs_[at].sent) return abortable(why, out);  // they may be in the transaction, and may not
    out.push_back(complete{jobs_[at].by.op, operation_kind::send_offsets, why});
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(at));
    if (at == 0 && !offsets_.request) offsets_ = {};
}

void transaction_fsm::expire(time_point now, actions& out) {
    const auto over = [&](const requested& r) { return r.deadline && *r.deadline <= now; };
    for (std::size_t i = 0; i < waiting_.size();) {
        if (!over(waiting_[i].by)) {
            ++i;
            continue;
        }
        give_up(waiting_[i], late(waiting_[i].kind, last_failure()), out);
        i = 0;
    }
    for (std::size_t i = 0; i < jobs_.size();) {
        if (!over(jobs_[i].by)) {
            ++i;
            continue;
        }
        give_up_offsets(i, late(operation_kind::send_offsets, last_failure()), out);
        i = 0;
    }
}

void transaction_fsm::finish(operation_kind kind, const error& why, actions& out) {
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        if (at->kind == kind) {
            out.push_back(complete{at->by.op, kind, why});
            at = waiting_.erase(at);
        } else {
            ++at;
        }
    }
}

error transaction_fsm::last_failure() const {
    for (const auto* l : {&transaction_.asking, &main_, &group_.asking, &offsets_})
        if (l->last) return l->last;
    return {};
}

}  // namespace kafkawire::client_detail::txn
