#include "broker/transaction_coordinator.hpp"

#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>

#include "broker/coordinator_lookup.hpp"
#include "broker/transaction_log.hpp"

namespace kafkawire::broker {
namespace {

using e = broker_errc;
using namespace std::chrono_literals;

constexpr auto pending_retry = 1s;  // a timeout that comes while a step is being written waits for it
constexpr auto expiry_check = 1h;  // transaction.remove.expired.transaction.cleanup.interval.ms

// What a coordinator makes of troubles with its own log.
e log_trouble(e why) {
    switch (why) {
        case e::none: return e::none;
        case e::not_coordinator:
        case e::not_leader_or_follower:
        case e::kafka_storage_error: return e::not_coordinator;
        case e::message_too_large:
        case e::record_list_too_large: return e::unknown_server_error;
        default: return e::coordinator_not_available;
    }
}

}  // namespace

transaction_coordinator::transaction_coordinator(cluster_state& cluster) : cluster_{cluster} {
    cluster_.world().leadership_watchers.push_back([this](partition& p) {
        if (p.topic() != transaction_topic) return;
        drop(p.index());
        // Not from here, where the partition is in the middle of its change. Whoever asks before gets it loaded too.
        cluster_.timers().set(cluster_.now().steady, [this, index = p.index()] {
            if (auto* there = home(index); there && there->leader() >= 0) owned(index, there->leader());
        });
    });
}

transaction_coordinator::~transaction_coordinator() = default;

// Ids that were given out before a restart must not come again, even if nothing was written with them: the cluster remembers the blocks.
void transaction_coordinator::remember_ids() {
    if (const auto taken = ids_.next_block() - cluster_.first_free_producer_id(); taken > 0) cluster_.take_producer_ids(taken);
}

std::int64_t transaction_coordinator::new_producer_id(std::int32_t node) {
    const auto id = ids_.next(node);
    remember_ids();
    return id;
}

std::int64_t transaction_coordinator::now_ms() const { return cluster_.now().wall_ms(); }
partition* transaction_coordinator::home(std::int32_t index) { return cluster_.find_partition(transaction_topic, index); }
std::int32_t transaction_coordinator::home_of(std::string_view id) { return coordinator_partition(cluster_, transaction_topic, id); }

transaction_fsm::context transaction_coordinator::context(const place& at) {
    auto* p = home(at.partition);
    return {&ids_, p ? p->leader() : -1, now_ms()};
}

// The shard of a partition that `node` leads; null if it does not.
transaction_coordinator::shard* transaction_coordinator::owned(std::int32_t index, std::int32_t node) {
    auto* p = home(index);
    if (!p || p->leader() < 0 || p->leader() != node) return nullptr;
    const auto at = shards_.find(index);
    if (at != shards_.end() && at->second.epoch == p->leader_epoch() && at->second.topic_id == p->topic_id()) return &at->second;
    drop(index);
    return load(*p);
}

void transaction_coordinator::drop(std::int32_t index) {
    const auto at = shards_.find(index);
    if (at == shards_.end()) return;
    for (auto& [id, en] : at->second.ids) cluster_.timers().cancel(en.timer);
    shards_.erase(at);
}

transaction_coordinator::shard* transaction_coordinator::load(partition& from) {
    auto& s = shards_[from.index()];
    s.epoch = from.leader_epoch();
    s.topic_id = from.topic_id();
    protocol::record_reader in;
    from.log().for_each_batch(from.log().start_offset(), [&](protocol::bytes_view batch) {
        in.start(batch);
        for (const auto& r : in) {
            auto found = from_log_record(r.key.view(), r.value.is_null() ? std::nullopt : std::optional{r.value.view()});
            if (!found) continue;
            s.ids.erase(found->id);
            if (!found->facts) continue;
            ids_.seen(found->facts->producer_id);
            ids_.seen(found->facts->next_producer_id);
            auto name = found->id;
            s.ids.emplace(std::move(name), entry{transaction_fsm{std::move(found->id), std::move(*found->facts)}});
        }
    });
    std::vector<place> ending;
    for (auto& [id, en] : s.ids) {
        const place at{from.index(), s.epoch, id};
        const auto status = en.fsm.facts().status;
        if (status == transaction_status::prepare_commit || status == transaction_status::prepare_abort)
            ending.push_back(at);
        else
            arm_timeout(at, en);
    }
    arm_expiry();
    for (const auto& at : ending) begin_markers(at);
    return &s;
}

void transaction_coordinator::recover() {
    ids_.seen(cluster_.first_free_producer_id() - 1);
    // A folder that lost its last words may not know of all blocks; the partitions do, of those that wrote.
    for (const auto& [name, t] : cluster_.topics())
        for (const auto& p : t.partitions)
            for (const auto& known : p->producers().describe()) ids_.seen(known.producer_id);
    if (const auto* t = cluster_.find_topic(transaction_topic))
        for (const auto& p : t->partitions) owned(p->index(), p->leader());
}

transaction_coordinator::entry* transaction_coordinator::live(const place& at) {
    const auto s = shards_.find(at.partition);
    if (s == shards_.end() || s->second.epoch != at.epoch) return nullptr;
    const auto found = s->second.ids.find(at.id);
    return found == s->second.ids.end() ? nullptr : &found->second;
}

// Where an id is coordinated, and its machine if there is one. NOT_COORDINATOR: not at this node.
broker_errc transaction_coordinator::find(std::int32_t node, const std::string& id, place& at, entry*& found) {
    const auto index = home_of(id);
    auto* s = owned(index, node);
    if (!s) return e::not_coordinator;
    at = {index, s->epoch, id};
    found = live(at);
    return e::none;
}

void transaction_coordinator::carry_out(const place& at, transaction_fsm::outcome came, done then) {
    if (!came.write) return then(came.error);
    remember_ids();  // the step may have taken one
    write(at, std::move(then));
}

// Writes the machine's next step, and tells it and `then` once all replicas have it.
void transaction_coordinator::write(const place& at, done then) {
    auto* en = live(at);
    auto* p = home(at.partition);
    if (!en || !p) return then(e::not_coordinator);
    const auto* t = cluster_.find_topic(transaction_topic);
    const auto record = to_log_record(at.id, en->fsm.next(), cluster_.release().transaction_version);
    protocol::batch_builder batch;
    protocol::bytes_view bytes;
    const auto value = record.value ? protocol::nullable_bytes{*record.value} : protocol::nullable_bytes{nullptr};
    partition::appended done_there;
    if (t && static_cast<std::int64_t>(p->isr().size()) < cluster_.config_number(*t, "min.insync.replicas"))
        done_there.error = e::not_enough_replicas;
    else if (batch.append(now_ms(), record.key, value) != errc{} || batch.close(bytes))
        done_there.error = e::message_too_large;
    else
        done_there = p->append(bytes);
    if (done_there.error != e::none) {
        if ((en = live(at))) en->fsm.not_written();
        return then(log_trouble(done_there.error));
    }
    p->when_replicated(done_there.last_offset, [this, at, then = std::move(then)](e error) mutable {
        if (auto* still = live(at); !still)
            error = e::not_coordinator;
        else if (error == e::none)
            step_written(at);
        else
            still->fsm.not_written();
        then(log_trouble(error));
    });
}

void transaction_coordinator::step_written(const place& at) {
    auto& en = *live(at);
    en.fsm.written();
    if (en.fsm.facts().status == transaction_status::dead) {
        cluster_.timers().cancel(en.timer);
        shards_[at.partition].ids.erase(at.id);
        return;
    }
    arm_timeout(at, en);
}

void transaction_coordinator::arm_timeout(const place& at, entry& en) {
    cluster_.timers().cancel(en.timer);
    const auto& f = en.fsm.facts();
    if (f.status != transaction_status::ongoing || f.timeout_ms == std::numeric_limits<std::int32_t>::max()) return;
    const auto left = std::max<std::int64_t>(f.start_ms + f.timeout_ms - now_ms(), 0);
    en.timer = cluster_.timers().set(cluster_.now().steady + std::chrono::milliseconds{left}, [this, at] { timed_out(at); });
}

void transaction_coordinator::timed_out(const place& at) {
    auto* en = live(at);
    if (!en) return;
    en->timer = {};
    if (!en->fsm.has_timed_out(now_ms())) return arm_timeout(at, *en);
    const auto again = [this, at] {
        if (auto* still = live(at))
            still->timer = cluster_.timers().set(cluster_.now().steady + pending_retry, [this, at] { timed_out(at); });
    };
    if (en->fsm.pending()) return again();
    carry_out(at, en->fsm.fence_and_abort(cluster_.release().transaction_version, context(at)), [this, at, again](e error) {
        if (error == e::none)
            begin_markers(at);
        else
            again();
    });
}

void transaction_coordinator::init_producer_id(std::int32_t node, init_request request, given_to then) {
    if (!request.transactional_id) return then({e::none, new_producer_id(node), 0});
    const auto& id = *request.transactional_id;
    if (id.empty()) return then({e::invalid_request});
    if (request.enable_2pc) return then({e::transactional_id_authorization_failed});
    if (request.keep_prepared) return then({e::unsupported_version});
    if (request.timeout_ms <= 0 || request.timeout_ms > cluster_.config_number("transaction.max.timeout.ms"))
        return then({e::invalid_transaction_timeout});
    place at;
    entry* en = nullptr;
    if (const auto wrong = find(node, id, at, en); wrong != e::none) return then({wrong});
    if (!en) {
        en = &shards_[at.partition]
                  .ids.emplace(id, entry{transaction_fsm{id, new_producer_id(node), request.timeout_ms, now_ms()}})
                  .first->second;
        arm_expiry();
    }
    const auto came = en->fsm.init_producer_id(request.timeout_ms, request.expected, cluster_.release().transaction_version, context(at));
    const bool fences = came.write && en->fsm.next().status == transaction_status::prepare_abort;
    carry_out(at, came, [this, at, fences, then = std::move(then)](e error) mutable {
        const auto* still = live(at);
        if (error == e::none && !still) error = e::not_coordinator;
        if (error != e::none) return then({error});
        if (!fences) return then({e::none, still->fsm.facts().producer_id, still->fsm.facts().epoch});
        // The epoch that fences is nobody's: the producer asks again and gets the next one.
        then({e::concurrent_transactions});
        begin_markers(at);
    });
}

void transaction_coordinator::add_partitions(std::int32_t node, const std::string& id, identity who,
                                             const std::set<transaction_partition>& added, std::int16_t client_version, done then) {
    if (id.empty()) return then(e::invalid_request);
    place at;
    entry* en = nullptr;
    if (const auto wrong = find(node, id, at, en); wrong != e::none) return then(wrong);
    if (!en) return then(e::invalid_producer_id_mapping);
    carry_out(at, en->fsm.add_partitions(who, added, client_version, now_ms()), std::move(then));
}

broker_errc transaction_coordinator::verify(std::int32_t node, const std::string& id, identity who) {
    if (id.empty()) return e::invalid_request;
    place at;
    entry* en = nullptr;
    if (const auto wrong = find(node, id, at, en); wrong != e::none) return wrong;
    return en ? en->fsm.verify(who) : e::invalid_producer_id_mapping;
}

bool transaction_coordinator::contains(const std::string& id, const transaction_partition& where) {
    const auto s = shards_.find(home_of(id));
    if (s == shards_.end()) return false;
    const auto at = s->second.ids.find(id);
    return at != s->second.ids.end() && at->second.fsm.facts().partitions.count(where) != 0;
}

void transaction_coordinator::end(std::int32_t node, const std::string& id, identity who, bool commit, std::int16_t client_version,
                                  given_to then) {
    if (id.empty()) return then({e::invalid_request});
    place at;
    entry* en = nullptr;
    if (const auto wrong = find(node, id, at, en); wrong != e::none) return then({wrong});
    if (!en) return then({e::invalid_producer_id_mapping});
    const bool tell_identity = client_version >= 2;
    const auto came = en->fsm.end(who, commit, client_version, context(at));
    if (!came.write) return answer_end(at, tell_identity, then, came.error);
    remember_ids();
    write(at, [this, at, tell_identity, then = std::move(then)](e error) mutable {
        auto* still = live(at);
        if (error == e::none && still) still->fsm.prepare_complete(now_ms());
        answer_end(at, tell_identity, then, error);
        if (error == e::none && still) begin_markers(at);
    });
}

// The identity for the next transaction is the one that there will be when all markers are written.
void transaction_coordinator::answer_end(const place& at, bool tell_identity, given_to& then, broker_errc error) {
    auto* en = live(at);
    if (error == e::none && !en) error = e::not_coordinator;
    if (error != e::none || !tell_identity) return then({error});
    const auto& f = en->fsm.pending() ? en->fsm.next() : en->fsm.facts();
    then({e::none, f.producer_id, f.epoch});
}

transaction_coordinator::support transaction_coordinator::support_of_produce(std::int16_t version) noexcept {
    return version >= 12 ? support::add_partitions : version == 11 ? support::abortable : support::basic;
}

transaction_coordinator::support transaction_coordinator::support_of_offset_commit(std::int16_t version) noexcept {
    return version >= 5 ? support::add_partitions : version == 4 ? support::abortable : support::basic;
}

broker_errc transaction_coordinator::verify_or_add(const std::string& id, identity who, const transaction_partition& where, support how) {
    auto* p = home(home_of(id));
    if (!p || p->leader() < 0) return e::coordinator_not_available;
    if (const auto* n = cluster_.find_node(p->leader()); !n || n->is != node::status::up) return e::network_exception;
    auto result = e::concurrent_transactions;
    if (how == support::add_partitions) {
        // Until the step is replicated the answer stays as it is; the callback may come much later, and then finds nobody.
        auto told = std::make_shared<e>(result);
        add_partitions(p->leader(), id, who, {where}, 2, [told](e error) { *told = error; });
        result = *told;
    } else {
        result = verify(p->leader(), id, who);
        if (result == e::none && !contains(id, where)) result = how == support::basic ? e::invalid_txn_state : e::transaction_abortable;
    }
    return result == e::producer_fenced ? e::invalid_producer_epoch : result;
}

transaction_coordinator::produce_error transaction_coordinator::produce_answer(broker_errc verification, support how) {
    const auto retried = [&] {
        return produce_error{e::not_enough_replicas,
                             "Unable to verify the partition has been added to the transaction. Underlying error: " +
                                 std::string{find_broker_error(static_cast<std::int16_t>(verification))->name}};
    };
    switch (verification) {
        case e::invalid_txn_state: return {verification, "Partition was not added to the transaction"};
        case e::network_exception:
        case e::coordinator_load_in_progress:
        case e::coordinator_not_available:
        case e::not_coordinator: return retried();
        case e::concurrent_transactions: return how == support::add_partitions ? produce_error{verification, {}} : retried();
        default: return {verification, {}};
    }
}

transaction_coordinator::description transaction_coordinator::describe(std::int32_t node, const std::string& id) {
    if (id.empty()) return {e::invalid_request};
    place at;
    entry* en = nullptr;
    if (const auto wrong = find(node, id, at, en); wrong != e::none) return {wrong};
    if (!en) return {e::transactional_id_not_found};
    return {e::none, &en->fsm.facts()};
}

std::vector<transaction_coordinator::known_id> transaction_coordinator::list(std::int32_t node) {
    std::vector<known_id> all;
    const auto* t = cluster_.find_topic(transaction_topic);
    if (!t) return all;
    for (const auto& p : t->partitions)
        if (const auto* s = owned(p->index(), node))
            for (const auto& [id, en] : s->ids) all.push_back({&id, &en.fsm.facts()});
    return all;
}

void transaction_coordinator::arm_expiry() {
    if (expiry_timer_) return;
    expiry_timer_ = cluster_.timers().set(cluster_.now().steady + expiry_check, [this] { expire(); });
}

void transaction_coordinator::expire() {
    expiry_timer_ = {};
    const auto before = now_ms() - cluster_.config_number("transactional.id.expiration.ms");
    std::vector<place> old;
    bool any = false;
    for (const auto& [index, s] : shards_)
        for (const auto& [id, en] : s.ids) {
            any = true;
            const auto status = en.fsm.facts().status;
            const bool idle = status == transaction_status::empty || status == transaction_status::complete_commit ||
                              status == transaction_status::complete_abort;
            if (idle && !en.fsm.pending() && en.fsm.facts().last_update_ms <= before) old.push_back({index, s.epoch, id});
        }
    for (const auto& at : old)
        if (auto* en = live(at)) {
            en->fsm.prepare_dead();
            write(at, [](e) {});
        }
    if (any) arm_expiry();
}

}  // namespace kafkawire::broker
