#include "client/transaction_core.hpp"

#include <algorithm>

#include "client/coordinator_call.hpp"
#include "net/flag_holder.hpp"

namespace kafkawire::client_detail {

namespace {

using txn::operation_kind;

// Only on behalf of an open transaction is anything sent that adds to it: from version 12 on a Produce does that by itself (KIP-890).
constexpr std::int16_t first_adding_produce = 12;
constexpr std::chrono::milliseconds longest_pause{250};     // before a coordinator is asked again

txn::settings machine_settings(producer_core& of) {
    const auto& o = of.options();
    txn::settings s;
    s.transactional_id = o.transactional_id;
    s.transaction_timeout = o.transaction_timeout;
    s.retry_backoff = o.retry_backoff;
    // A transaction takes one step after the other: pauses as long as a batch's would add up.
    s.retry_backoff_max = std::max(o.retry_backoff, std::min(o.retry_backoff_max, longest_pause));
    s.concurrent_backoff = std::min(s.concurrent_backoff, s.retry_backoff);
    s.seed = of.client().env().random();
    return s;
}

// A request to a coordinator. `of` empty: the answer is of no use any more.
using txn_call = coordinator_call<producer_core, txn::message>;
static_assert(std::is_same_v<txn_call::responses, txn::answer>);
std::shared_ptr<txn_call> make_call(std::weak_ptr<producer_core> of, txn::send what, net::time_point now, std::chrono::milliseconds patience) {
    const auto broker = *what.broker;
    auto tell = [broker, request = what.request](producer_core& producer, txn_call::reply r) {
        auto& to = *static_cast<transaction_core*>(producer.transactions());
        if (r.why) to.failed(request, std::move(r.why), r.maybe_processed);
        else to.answered(request, r.version, std::move(*r.what), broker_name(producer.client(), broker));
    };
    auto c = std::make_shared<txn_call>(std::move(of), broker, lane::coordinator, std::move(what.what), txn::fit, std::move(tell));
    c->speaks = what.versions;
    c->started = now;
    c->deadline = now + patience;
    return c;
}

// FindCoordinator, to any broker.
class lookup_operation final : public operation {
public:
    lookup_operation(std::weak_ptr<producer_core> of, std::uint64_t number, txn::message m) : of_{std::move(of)}, number_{number}, message_{std::move(m)} {
        using asked = txn::messages::find_coordinator_request;
        request_schema = &protocol::schema_of<asked>();
        request = &std::get<asked>(message_);
        response_schema = &protocol::schema_of<asked::response>();
        response = &answer_;
    }
    const void* request_in(std::int16_t version) override {
        fitted_ = message_;
        txn::fit(fitted_, version);
        return &std::get<txn::messages::find_coordinator_request>(fitted_);
    }
    void complete(error why, answer_info info) override {
        if (const auto of = of_.lock()) of->contain([&] { take(of, why, info); });
    }

private:
    void take(const std::shared_ptr<producer_core>& of, error& why, answer_info& info) {
        auto& to = *static_cast<transaction_core*>(of->transactions());
        if (why) return to.failed(number_, std::move(why), false);
        // Where it is stands in the answer: no Metadata request is needed to find it.
        const auto learn = [&](std::int32_t id, const std::string& host, std::int32_t port) {
            if (id >= 0 && port > 0 && port <= 65535 && !of->client().brokers().find(id)) of->client().node_hint(id, host, static_cast<std::uint16_t>(port), {});
        };
        if (info.version < 4 && answer_.error_code == 0) learn(answer_.node_id, answer_.host, answer_.port);
        for (const auto& c : answer_.coordinators)
            if (c.error_code == 0) learn(c.node_id, c.host, c.port);
        to.answered(number_, info.version, std::move(answer_), std::move(info.broker));
    }
    std::weak_ptr<producer_core> of_;
    std::uint64_t number_;
    txn::message message_, fitted_;                         // as for all versions, and as for one: it may be asked of several brokers
    txn::messages::find_coordinator_response answer_;
};

error plain_error(std::error_code code, std::string text = {}) {
    error e;
    e.code = code;
    e.text = std::move(text);
    return e;
}

}  // namespace

transaction_core::transaction_core(producer_core& of) : producer_{of}, machine_{machine_settings(of)} {
    timer_ = of.client().env().make_timer([this] {
        const auto keep = producer_.shared_from_this();
        producer_.contain([&] { step(txn::tick{}); });
    });
    will_ = std::make_shared<last_will>(of.client().weak_from_this());
}

// --- what the application asks for ---

txn::requested transaction_core::ask(operation_kind kind, patience p, waiter* w) {
    const std::chrono::milliseconds longest{std::numeric_limits<std::int32_t>::max()};
    const auto id = next_operation_++;
    operations_.push_back({id, kind, w});
    return {id, producer_.client().env().now() + std::clamp(p.value_or(producer_.options().delivery_timeout), std::chrono::milliseconds{0}, longest)};
}

bool transaction_core::refuse_if_over(std::uint64_t number, waiter* w) {
    if (stopped_) producer_.tell(w, *stopped_);
    else if (number != number_) producer_.tell(w, plain_error(errc::no_transaction, "another transaction was begun since"));
    return stopped_ || number != number_;
}

template <class Requested>
void transaction_core::ask_unless_over(operation_kind kind, patience p, waiter* w) {
    producer_.on_behalf_of(w, [&](bool& taken) {
        if (stopped_) {
            producer_.tell(w, *stopped_);
            taken = true;
            return;
        }
        const auto asked = ask(kind, p, w);
        taken = true;
        step(Requested{asked});
    });
}

void transaction_core::initialize(patience p, waiter* w) { ask_unless_over<txn::initialize_requested>(operation_kind::initialize, p, w); }
void transaction_core::begin(patience p, waiter* w) { ask_unless_over<txn::begin_requested>(operation_kind::begin, p, w); }

void transaction_core::send_offsets(std::uint64_t number, group_offsets what, patience p, waiter* w) {
    producer_.on_behalf_of(w, [&](bool& taken) {
        if ((taken = refuse_if_over(number, w))) return;
        auto all = grouped(std::move(what));
        const auto asked = ask(operation_kind::send_offsets, p, w);
        taken = true;
        step(txn::offsets_requested{asked, std::move(all)});
    });
}

txn::group_offsets transaction_core::grouped(group_offsets what) {
    txn::group_offsets all{what.group.group, what.group.generation, what.group.member_id, what.group.group_instance_id, {}};
    for (auto& o : what.offsets) {
        auto at = std::find_if(all.topics.begin(), all.topics.end(), [&](const auto& t) { return t.name == o.topic; });
        if (at == all.topics.end()) {
            at = all.topics.emplace(all.topics.end());
            at->name = o.topic;
        }
        auto& to = at->partitions.emplace_back();
        to.partition_index = o.partition;
        to.committed_offset = o.offset;
        to.committed_leader_epoch = o.leader_epoch;
        to.committed_metadata = std::move(o.metadata);
    }
    return all;
}

void transaction_core::end(std::uint64_t number, bool commit, patience p, waiter* w) {
    producer_.on_behalf_of(w, [&](bool& taken) {
        if ((taken = refuse_if_over(number, w))) return;
        const auto asked = ask(commit ? operation_kind::commit : operation_kind::abort, p, w);
        taken = true;
        if (!commit) return step(txn::abort_requested{asked});
        step(txn::commit_requested{asked});
        // Refused, as something had failed before. There is one way left, so it is taken.
        if (std::holds_alternative<txn::must_abort>(machine_.where())) step(txn::abort_requested{});
    });
}

void transaction_core::abandon(std::uint64_t number) {
    if (stopped_ || number != number_) return;
    const auto& s = machine_.where();
    if (std::holds_alternative<txn::in_transaction>(s) || std::holds_alternative<txn::must_abort>(s)) producer_.contain([&] { step(txn::abort_requested{}); });
}

error transaction_core::trouble(std::uint64_t number) const {
    if (stopped_) return *stopped_;
    if (number != number_) return plain_error(errc::no_transaction, "another transaction was begun since");
    return machine_.why_not_send();
}

void transaction_core::cancel(waiter* w) {
    const auto at = std::find_if(operations_.begin(), operations_.end(), [&](const operation& o) { return o.who == w; });
    if (at != operations_.end()) step(txn::cancel_requested{at->id});  // else it has ended, and is about to be told
}

// --- what the sender says ---

void transaction_core::partition_touched(partition_queue& where) { step(txn::partition_touched{{where.topic->info->name, where.index}}); }
void transaction_core::send_failed(const error& why) { step(txn::send_failed{why}); }

void transaction_core::looked() {
    if (!settling_ || busy_ || stopped_ || !producer_.quiet()) return;
    settling_ = false;
    // What drop_unsent has taken from the middle of a sequence counts here too: the sequence has a gap, whoever made it.
    const bool broken = producer_.machine().sequence_broken();
    step(txn::records_settled{broken, false, broken ? plain_error(errc::delivery_unknown, "a batch of the transaction is missing in its sequence") : error{}});
}

bool transaction_core::idle() const {
    const auto& s = machine_.where();
    return stopped_ || !(machine_.busy() || std::holds_alternative<txn::settling>(s) || std::holds_alternative<txn::ending>(s));
}

// --- carrying out ---

void transaction_core::step(txn::event e) {
    if (stopped_) return;
    auto& env = producer_.client().env();
    if (const auto& f = producer_.client().features(); f.epoch > features_epoch_) {
        features_epoch_ = f.epoch;
        machine_.step(txn::feature_level{f.transaction_version, f.epoch}, env.now(), actions_);
    }
    const auto& known = producer_.client().brokers();
    for (const auto& c : machine_.coordinators()) {
        if (!c) continue;
        const auto at = known.find(c->broker);
        if (const bool silent = at && known.entries()[*at].silent; silent != c->silent) machine_.step(txn::coordinator_silent{c->broker, silent}, env.now(), actions_);
    }
    machine_.step(std::move(e), env.now(), actions_);
    if (busy_) return;  // whoever is at it goes on with these
    {
        const net::flag_holder held{busy_};
        while (!actions_.empty()) {
            running_.clear();
            std::swap(running_, actions_);
            for (auto& a : running_) std::visit([this](auto& what) { carry_out(what); }, a);
        }
        running_.clear();
    }
    set_gate();
    set_timer();
    producer_.run();
}

void transaction_core::carry_out(txn::send& a) {
    auto& client = producer_.client();
    if (!a.broker) return prepare(client, std::make_unique<lookup_operation>(producer_.weak_from_this(), a.request, std::move(a.what)))->go();
    const auto broker = *a.broker;
    if (!std::holds_alternative<txn::messages::txn_offset_commit_request>(a.what)) coordinator_ = broker;
    client.send(broker, lane::coordinator, make_call(producer_.weak_from_this(), std::move(a), client.env().now(), client.options().request_timeout));
}

void transaction_core::carry_out(txn::identity_changed& a) {
    producer_.machine().producer_id_known(a.to.producer_id, a.to.epoch, producer_.client().env().now(), producer_.actions());
}

void transaction_core::carry_out(txn::partition_ready& a) {
    auto* const topic = producer_.machine().find_topic(a.where.topic);
    if (!topic || a.where.partition < 0 || static_cast<std::size_t>(a.where.partition) >= topic->partitions.size()) return;
    producer_.machine().partition_ready(topic->partitions[static_cast<std::size_t>(a.where.partition)], producer_.client().env().now(), producer_.actions());
}

void transaction_core::carry_out(txn::drop_unsent& a) { producer_.machine().drop_unsent(a.why, producer_.client().env().now(), producer_.actions()); }

void transaction_core::carry_out(txn::settle& a) {
    settling_ = true;
    if (a.commit) (void)producer_.machine().flush(producer_.client().env().now(), producer_.actions());
}

void transaction_core::carry_out(txn::complete& a) {
    if (a.kind == operation_kind::begin && !a.why) {
        ++number_;
        settling_ = false;
        producer_.machine().begin_transaction();
        if (machine_.version() >= 2) producer_.limit_produce({first_adding_produce, protocol::messages::produce_request::versions.highest});
        else producer_.limit_produce({3, first_adding_produce - 1});
    }
    const auto at = std::find_if(operations_.begin(), operations_.end(), [&](const operation& o) { return o.id == a.op; });
    if (at == operations_.end()) return;
    producer_.tell(at->who, std::move(a.why));
    operations_.erase(at);
}

void transaction_core::set_gate() {
    const auto* s = std::get_if<txn::settling>(&machine_.where());
    const auto why = machine_.why_not_send();
    producer_.set_gate(!why ? gate::open : s && s->commit ? gate::closing : gate::closed, why.code);
}

void transaction_core::set_timer() {
    if (const auto at = machine_.next_wakeup()) timer_->set(*at);
    else timer_->clear();
}

void transaction_core::answered(std::uint64_t request, std::int16_t version, txn::answer what, std::string broker) {
    step(txn::answered{request, version, std::move(what), std::move(broker)});
}
void transaction_core::failed(std::uint64_t request, error why, bool maybe_processed) { step(txn::request_failed{request, std::move(why), maybe_processed}); }

// --- the end ---

last_will::~last_will() {
    const auto c = client.lock();
    if (!what || !c || c->is_closed()) return;
    // Whoever lets go may be in the middle of something.
    c->env().post([weak = client, to = coordinator, w = std::move(what)] {
        if (const auto alive = weak.lock()) alive->send(to, lane::coordinator, w);
    });
}

// What the producer leaves open would keep readers waiting for as long as transaction_timeout. Nobody waits for the answer. Not by InitProducerId,
// which would fence what is in flight: while a transaction is open a coordinator does not look at its epoch, and a producer that was replaced
// would end its heir's.
void transaction_core::farewell() {
    const auto will = std::exchange(will_, nullptr);
    const auto& s = machine_.where();
    const txn::open_transaction* open = nullptr;
    if (const auto* in = std::get_if<txn::in_transaction>(&s)) open = &in->of;
    else if (const auto* must = std::get_if<txn::must_abort>(&s)) open = &must->of;
    else if (const auto* settles = std::get_if<txn::settling>(&s)) open = &settles->of;
    if (!open || !open->started || open->end_useless || !coordinator_) return;
    const auto [id, epoch] = machine_.who();
    const auto& client = producer_.client();
    txn::send last{0, coordinator_, open->version >= 2 ? protocol::between(5, 5) : protocol::between(0, 4), {}};
    last.what = txn::messages::end_txn_request{producer_.options().transactional_id, id, epoch, false, {}};
    will->coordinator = *coordinator_;
    // It waits for the requests in flight first.
    will->what = make_call({}, std::move(last), producer_.client().env().now(), 2 * client.options().request_timeout);
}

void transaction_core::stop(const error& why) {
    if (stopped_) return;
    // A commit is told what is true of it; with the others nothing can be wrong.
    for (const auto& o : std::vector{operations_})
        if (o.kind == operation_kind::commit) step(txn::cancel_requested{o.id});
    farewell();
    for (; !operations_.empty(); operations_.erase(operations_.begin())) {
        const auto& o = operations_.front();
        // Where memory has run out, nobody may remember how a commit ended.
        const bool unknown = o.kind == operation_kind::commit && producer_.is_exhausted();
        producer_.tell(o.who, unknown ? plain_error(errc::delivery_unknown) : why);
    }
    stopped_ = why;
    timer_->clear();
    // What is sent now is not: that is what its sender is to hear, whatever has ended the producer.
    producer_.set_gate(gate::closed, why.code == condition::not_persisted ? why.code : make_error_code(errc::producer_failed));
}

}  // namespace kafkawire::client_detail

// Opened as the header does that declares them: clang's names of symbols go by that.
namespace kafkawire::inline v0_1 {
namespace client_detail {

// --- the erased calls of transaction.hpp ---

const char transaction_mark = 0;

namespace {
transaction_core* transactions_of(const producer_core& c) noexcept { return static_cast<transaction_core*>(const_cast<producer_core&>(c).transactions()); }
}  // namespace

namespace {
void refuse_transactions(producer_core& c, waiter* w) {
    auto why = plain_error(errc::no_transaction, "this producer has no transactions: its transactional_id is empty");
    why.hint = "name one in producer_options; each instance of an application that runs at a time needs its own";
    c.tell(w, std::move(why));
}
}  // namespace

void init_transactions(producer_core& c, std::optional<std::chrono::milliseconds> deadline, waiter* w) {
    if (auto* const t = transactions_of(c)) return t->initialize(deadline, w);
    refuse_transactions(c, w);
}
void begin_transaction(producer_core& c, std::optional<std::chrono::milliseconds> deadline, waiter* w) {
    if (auto* const t = transactions_of(c)) return t->begin(deadline, w);
    refuse_transactions(c, w);
}
void send_offsets(producer_core& c, std::uint64_t number, group_offsets what, std::optional<std::chrono::milliseconds> deadline, waiter* w) {
    transactions_of(c)->send_offsets(number, std::move(what), deadline, w);
}
void end_transaction(producer_core& c, std::uint64_t number, bool commit, std::optional<std::chrono::milliseconds> deadline, waiter* w) {
    transactions_of(c)->end(number, commit, deadline, w);
}
void abandon_transaction(producer_core& c, std::uint64_t number) noexcept { transactions_of(c)->abandon(number); }
std::uint64_t transaction_number(const producer_core& c) noexcept { return transactions_of(c)->number(); }
error transaction_trouble(const producer_core& c, std::uint64_t number) { return transactions_of(c)->trouble(number); }
std::shared_ptr<producer_core> share(producer_core& c) noexcept { return c.shared_from_this(); }

}  // namespace client_detail
}  // namespace kafkawire::inline v0_1
