#include "client/producer_core.hpp"

#include <kafkawire/protocol/frame.hpp>

#include <algorithm>

#include "client/old_formats.hpp"
#include "client/read_answer.hpp"
#include "client/transaction_core.hpp"
#include "net/flag_holder.hpp"

namespace kafkawire::client_detail {

namespace {

using protocol::messages::init_producer_id_request;
using protocol::messages::init_producer_id_response;
using protocol::messages::produce_request;
using protocol::messages::produce_response;

sender_settings settings_of(const producer_options& o) {
    sender_settings s;
    s.acks = static_cast<std::int16_t>(o.acks);
    s.idempotent = idempotent(o);
    s.may_do_without = o.idempotence == toggle::automatic;
    s.transactional = !o.transactional_id.empty();
    s.create_topics = o.create_topics;
    s.request_bytes = o.request_bytes;
    s.send_buffer = o.send_buffer;
    s.in_flight = o.in_flight;
    if (o.max_retries && *o.max_retries < s.max_attempts) s.max_attempts = *o.max_retries + 1;
    s.retry_backoff = o.retry_backoff;
    s.retry_backoff_max = std::max(o.retry_backoff, o.retry_backoff_max);
    return s;
}

// A Produce request: holds its batches until its answer or the end of the socket, whatever becomes of them meanwhile.
class produce_call final : public net::call {
public:
    produce_call(const std::shared_ptr<producer_core>& of, plan_ptr plan, std::int16_t acks, protocol::version_range versions, net::time_point now, std::chrono::milliseconds patience)
        : of_{of}, plan_{std::move(plan)} {
        api_key = produce_request::key;
        speaks = versions;
        expects_reply = acks != 0;
        started = now;
        deadline = now + patience;
        if (auto* const t = of->transactions()) held_ = t->will();
    }
    protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) override {
        const auto of = of_.lock();
        if (!of) return {errc::canceled, 0, {}, "the producer has ended"};
        plan_->on_wire = true;
        plan_->doomed = false;  // it is another connection that broke
        return of->encode(*plan_, version, correlation_id, client_id, to);
    }
    void done(net::outcome result) override {
        plan_->carrier = nullptr;
        if (const auto of = of_.lock()) of->done(*plan_, std::move(result));
    }

private:
    std::weak_ptr<producer_core> of_;
    plan_ptr plan_;
    std::shared_ptr<const void> held_;
};

class id_operation final : public operation {
public:
    explicit id_operation(std::weak_ptr<producer_core> of) : of_{std::move(of)} {
        message_.transactional_id.reset();
        request_schema = &protocol::schema_of<init_producer_id_request>();
        request = &message_;
        response_schema = &protocol::schema_of<init_producer_id_response>();
        response = &answer_;
    }
    void complete(error why, answer_info) override {
        if (const auto of = of_.lock()) of->producer_id_answered(why, answer_);
    }

private:
    std::weak_ptr<producer_core> of_;
    init_producer_id_request message_;
    init_producer_id_response answer_;
};

}  // namespace

// Goes on with a send_all: a record of it had to wait, and was accepted or refused.
class producer_core::continuation final : public waiter {
public:
    continuation(producer_core& of, waiter* who) : of_{of}, who_{who} {}
    void complete(const error*, const delivery&) override {
        auto& of = of_;
        auto* const who = who_;
        free();
        of.go_on(who);
    }
    void drop() noexcept override { free(); }
    void detach(const error&) override {}

private:
    void free() noexcept {
        auto& c = of_;
        this->~continuation();
        c.blocks().give(this, sizeof(continuation));
    }
    producer_core& of_;
    waiter* who_;
};

producer_core::producer_core(std::shared_ptr<core> client, const producer_options& options)
    : client_{std::move(client)}, options_{options}, machine_{settings_of(options), client_->env().random()}, gate_{options.transactional_id.empty() ? gate::open : gate::closed} {
    timer_ = client_->env().make_timer([this] { timer_fired(); });
    if (!options.transactional_id.empty()) hooks_ = std::make_unique<transaction_core>(*this);
    client_->watch(*this);  // last: whoever is watched for must come to be
}

producer_core::~producer_core() {
    client_->unwatch(*this);
    telling_.erase(telling_.begin(), telling_.begin() + static_cast<std::ptrdiff_t>(telling_at_));
    for (auto* const list : {&told_, &telling_})
        for (auto& t : *list) {
            if (auto* const w = std::get_if<tell_waiter>(&t)) w->who->drop();
            if (auto* const w = std::get_if<tell_pending>(&t)) w->who->drop();
        }
    for (auto& p : pending_) p.who->drop();
}

// --- sending ---

topic_queue& producer_core::topic(std::string_view name) {
    if (auto* const t = machine_.find_topic(name)) return *t;
    auto& info = client_->want_topic(name, options_.create_topics);
    topic_settings s{options_.compression, options_.compression_level, options_.batch_bytes, std::numeric_limits<std::int32_t>::max(), options_.linger, options_.delivery_timeout, options_.unknown_topic_timeout};
    if (options_.batch_records > 0) s.batch_records = static_cast<std::int32_t>(options_.batch_records);
    std::string_view partitioner = options_.partitioner;
    if (const auto own = options_.topics.find(name); own != options_.topics.end()) {
        const auto& o = own->second;
        s.codec = o.compression.value_or(s.codec);
        s.level = o.compression_level.value_or(s.level);
        s.batch_bytes = o.batch_bytes.value_or(static_cast<std::uint32_t>(s.batch_bytes));
        s.linger = o.linger.value_or(s.linger);
        s.delivery_timeout = o.delivery_timeout.value_or(s.delivery_timeout);
        s.unknown_topic_timeout = o.unknown_topic_timeout.value_or(s.unknown_topic_timeout);
        if (o.partitioner) partitioner = *o.partitioner;
    }
    if (client_->reports() && (partitioner == "random" || partitioner == "round_robin" || partitioner == "least_bytes"))
        client_->reports()->log(log_level::info, "producer", "records with one key are in no order: the partitioner does not look at keys; murmur2, or fnv1a (partitioner=hash in an address), keeps them together",
                                std::array{log_field{"topic", info.name}, log_field{"partitioner", partitioner}});
    auto& env = client_->env();
    auto& t = machine_.add_topic(info, s, topic_partitioner{partitioner, {info.name, s.batch_bytes, env.random()}}, env.now(), actions_);
    return t;
}

std::error_code producer_core::append(topic_queue& t, const record& r, std::int64_t wall, waiter* w, gate least) {
    if (gate_ > least) [[unlikely]] return gate_why_;
    return machine_.append(t, r, wall, w, [this] { return client_->env().now(); }, actions_);
}

std::error_code producer_core::try_send(const record& r) {
    std::error_code why;
    bool asked = false;
    if (!contain([&] {
            if (exhausted_) end_exhausted();
            auto& t = topic(r.topic);
            why = append(t, r, wall_ms(), nullptr);
            asked = true;
            if (!actions_.empty()) [[unlikely]] run();
        }) &&
        !asked)
        throw std::bad_alloc{};
    return why;
}

void producer_core::send(const record& r, waiter* w) {
    on_behalf_of(w, [&](bool& taken) {
        auto& t = topic(r.topic);
        const auto why = append(t, r, wall_ms(), w);
        if (why == errc::would_wait) machine_.wait(t, {r, client_->env().now(), w, nullptr}, actions_);
        else if (why) refuse_record(w, why, t, r);
        taken = true;
        if (!actions_.empty()) run();
    });
}

void producer_core::enqueue(const record& r, waiter* accepted) {
    on_behalf_of(accepted, [&](bool& taken) {
        auto& t = topic(r.topic);
        const auto why = append(t, r, wall_ms(), nullptr);
        if (why == errc::would_wait) machine_.wait(t, {r, client_->env().now(), nullptr, accepted}, actions_);
        else if (why) refuse_record(accepted, why, t, r);
        else refuse(accepted, {});
        taken = true;
        if (!actions_.empty()) run();
    });
}

void producer_core::send_all(std::span<const record> rs, waiter* w) {
    on_behalf_of(w, [&](bool& taken) {
        if (rs.empty()) {
            refuse(w, {});
            taken = true;
            return;
        }
        try {
            put(rs, w, gate::open, taken);
        } catch (const std::bad_alloc&) {
            if (!taken) w->count = static_cast<std::int32_t>(rs.size());  // all of it goes
            throw;
        }
    });
}

void producer_core::put(std::span<const record> rs, waiter* w, gate least, bool& taken) {
    const auto wall = wall_ms();
    std::size_t i = 0;
    try {
        for (; i < rs.size(); ++i) {
            const auto& r = rs[i];
            auto& t = topic(r.topic);
            const auto why = append(t, r, wall, w, least);
            if (why == errc::would_wait) {
                const bool more = i + 1 < rs.size();
                if (more) rests_.reserve(rests_.size() + 1);
                auto* const next = more ? ::new (blocks_.take(sizeof(continuation))) continuation{*this, w} : nullptr;
                try {
                    machine_.wait(t, {r, client_->env().now(), w, next}, actions_);
                } catch (...) {
                    if (next) next->drop();
                    throw;
                }
                if (more) rests_.push_back({rs.subspan(i + 1), w});
                taken = true;
                break;
            }
            if (why) refuse_record(w, why, t, r);
            taken = true;
        }
    } catch (const std::bad_alloc&) {
        if (!taken) throw;
        // Some have gone, and are told with the others when those are settled, too.
        out_of_memory();
        const auto why = std::make_shared<const error>(exhausted());
        told_.reserve(told_.size() + rs.size() - i);
        tell_soon();
        for (; i < rs.size(); ++i) told_.push_back(tell_waiter{w, why});
        return;
    }
    if (!actions_.empty()) run();
}

// Of a transaction that loses a record nothing may be seen.
void producer_core::refuse_record(waiter* w, std::error_code code, const topic_queue& t, const record& r) {
    const auto why = story_of(code, t, r);
    refuse(w, why);
    if (hooks_ && gate_ != gate::closed) hooks_->send_failed(why);
}

void producer_core::go_on(waiter* who) {
    const auto at = std::find_if(rests_.begin(), rests_.end(), [&](const rest& r) { return r.who == who; });
    if (at == rests_.end()) return;
    const auto records = at->records;
    rests_.erase(at);
    bool taken = true;  // its first records have gone
    put(records, who, gate::closing, taken);
    if (hooks_) run();
}

error producer_core::story_of(std::error_code code, const topic_queue& t, const record& r) const {
    error e;
    e.code = code;
    const auto& name = t.info->name;
    if (code == errc::record_too_large) {
        e.text = "the record takes " + std::to_string(r.key.size() + r.value.size()) + " bytes and more, which no request or buffer of this producer holds";
        e.hint = "raise request_bytes and send_buffer, or send less at a time";
    } else if (code == errc::unknown_partition) {
        e.text = r.partition >= 0 ? name + " has " + std::to_string(t.info->partitions.size()) + " partitions, and none of number " + std::to_string(r.partition)
                                  : "no partition was chosen for a record of " + name;
        e.hint = r.partition >= 0 ? "" : "name one: the partitioner leaves it to the record";
    } else if (code == errc::not_in_version) {
        e.text = "the record has headers, and the brokers are older than Kafka 0.11, which has none";
        e.hint = "send it without headers";
    } else if (code == errc::no_transaction) {
        e.text = "a transactional producer sends within a transaction only";
        e.hint = "async_begin_transaction() comes first";
    } else if (gate_ == gate::closed && code == gate_why_) {
        e.text = code == errc::transaction_aborted ? "the transaction has failed and can only be aborted" : "the producer cannot go on";
    } else {
        e.text = "records of " + name + " cannot be sent";
    }
    return e;
}

void producer_core::refuse(waiter* w, error why) {
    auto story = why ? std::make_shared<const error>(std::move(why)) : nullptr;
    tell_soon();
    told_.push_back(tell_waiter{w, std::move(story)});
}

// --- carrying out ---

void producer_core::run() {
    if (busy_) return;
    {
        const net::flag_holder held{busy_};
        for (;;) {
            // Counted when it is done: whatever is to be told is told also if memory runs out here. See stop().
            for (; running_at_ < running_.size(); ++running_at_) std::visit([this](auto& what) { carry_out(what); }, running_[running_at_]);
            running_.clear();
            running_at_ = 0;
            if (actions_.empty()) break;
            std::swap(running_, actions_);
        }
    }
    if (hooks_) hooks_->looked();
    look_at_pending();
    set_timer();
}

void producer_core::carry_out(send_produce& a) {
    auto& plan = a.plan;
    const auto c = std::make_shared<produce_call>(shared_from_this(), plan, machine_.settings().acks, produce_versions_, client_->env().now(), client_->options().request_timeout);
    plan->carrier = c.get();
    if (client_->reports()) show(*plan);
    client_->send(plan->broker, lane::produce, c);
}

void producer_core::show(const produce_plan& plan) {
    auto& to = *client_->reports();
    for (const auto& part : plan.parts) {
        if (!part.batch || !part.bytes) continue;
        const auto& b = *part.batch;
        if (b.attempts <= 1) to.tell(batch_seen{{}, part.where->topic->info->name, part.where->index, static_cast<std::size_t>(b.count), part.bytes->view().size(), client_->env().now() - b.born});
        else to.tell(retry_seen{{}, "producer", 1, b.last_error.get()});
    }
}

void producer_core::carry_out(withdraw_produce& a) {
    if (a.plan->carrier) client_->withdraw(a.plan->broker, lane::produce, std::exchange(a.plan->carrier, nullptr));
}

void producer_core::carry_out(ask_producer_id&) {
    if (!hooks_) prepare(*client_, std::make_unique<id_operation>(weak_from_this()))->go();  // else its coordinator gives it
}

void producer_core::carry_out(tell_batch& a) {
    if (a.why && client_->reports() && a.why->code != errc::client_closed) {
        auto& to = *client_->reports();
        to.failed("producer", *a.why, static_cast<std::uint64_t>(a.count));
        to.log(log_level::warning, "producer", "records were not delivered", std::array{log_field{"topic", a.topic->info->name}, log_field{"why", a.why->message()}});
    }
    tell_soon();
    if (told_.size() == told_.capacity()) told_.reserve(2 * told_.size() + 8);  // before anything of it is moved
    told_.push_back(std::move(a));
}
void producer_core::carry_out(tell_waiter& a) {
    tell_soon();
    told_.push_back(a);
}
void producer_core::carry_out(touch_partition& a) {
    if (hooks_) hooks_->partition_touched(*a.where);
}
void producer_core::carry_out(fail_transaction& a) {
    if (hooks_) hooks_->send_failed(*a.why);
}

void producer_core::compress_on(asio::any_io_executor ex) {
    machine_.compress_elsewhere(static_cast<bool>(ex));
    compress_on_ = std::move(ex);
}

// The other thread has the job and nothing of ours; we may end meanwhile. Its way back counts as work, so that our loop does not run out of it.
void producer_core::carry_out(compress_batch& a) {
    const auto back = [weak = weak_from_this(), job = a.job] {
        const auto self = weak.lock();
        if (!self || self->stopped_) return;
        self->contain([&] {
            self->machine_.compressed(job, self->client_->env().now(), self->wall_ms(), self->actions_);
            self->run();
        });
    };
    if (!compress_on_) {  // it was taken away in the same breath
        a.job->run();
        return client_->env().post(back);
    }
    asio::post(compress_on_, [back, job = std::move(a.job), here = asio::make_work_guard(client_->executor())]() mutable {
        job->run();
        asio::post(here.get_executor(), std::move(back));
    });
}

void producer_core::carry_out(tell_flushed&) {}  // run() looks at the end

protocol::wire_error producer_core::encode(produce_plan& plan, std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) {
    produce_request m;
    if (options_.transactional_id.empty()) m.transactional_id.reset();
    else m.transactional_id = options_.transactional_id;
    m.acks = machine_.settings().acks;
    m.timeout_ms = static_cast<std::int32_t>(client_->options().request_timeout.count());
    const topic_queue* last = nullptr;
    std::sort(plan.parts.begin(), plan.parts.end(), [](const produce_part& a, const produce_part& b) { return a.where->topic != b.where->topic ? a.where->topic < b.where->topic : a.where->index < b.where->index; });
    protocol::codec_error unsayable;
    for (auto& part : plan.parts) {
        if (!part.bytes) continue;
        if (version < first_with_zstd && !adapt(part, version, machine_.settings().idempotent)) [[unlikely]] {
            unsayable = part.unsayable;
            continue;
        }
        if (part.where->topic != last) {
            last = part.where->topic;
            auto& t = m.topic_data.emplace_back();
            if (version < 13) t.name = last->info->name;
            else t.topic_id = last->info->id;
        }
        auto& p = m.topic_data.back().partition_data.emplace_back();
        p.index = part.where->index;
        p.records = protocol::raw_records{part.bytes->view()};
    }
    if (version < first_with_batches) machine_.refuse_headers();
    if (unsayable && m.topic_data.empty()) return {unsayable.code, 0, {}, std::string{unsayable.what}};
    return protocol::encode_request(protocol::schema_of<produce_request>(), &m, version, correlation_id, client_id, to);
}

// What the request went without.
void producer_core::give_up_unsayable(produce_plan& plan) {
    for (auto& part : plan.parts) {
        if (!part.unsayable || !part.batch) continue;
        error e;
        e.code = part.unsayable.code;
        e.in = phase::request;
        e.api_key = produce_request::key;
        e.text = std::string{part.unsayable.what};
        machine_.unsayable(part, std::make_shared<const error>(std::move(e)), client_->env().now(), actions_);
    }
}

void producer_core::done(produce_plan& plan, net::outcome result) {
    if (exhausted_) contain([&] { end_exhausted(); });
    if (!stopped_) contain([&] { take(plan, result); });
}

void producer_core::take(produce_plan& plan, net::outcome& result) {
    auto& env = client_->env();
    const auto now = env.now();
    if (!result.why && result.version < first_with_zstd) give_up_unsayable(plan);
    if (!result.why && machine_.settings().acks == 0) {
        answers_.assign(plan.parts.size(), produce_answer{});
        machine_.answered(plan, answers_, now, wall_ms(), actions_);
        return run();
    }
    produce_response m;
    if (!result.why) {
        if (const auto wrong = read_answer(m, produce_request::key, result)) {
            result.why.code = wrong.code;
            result.why.in = phase::request;
            result.why.text = "the answer to Produce cannot be read: " + wrong.message();
            result.maybe_processed = true;
        }
    }
    if (result.why.code == errc::client_closed) return stop(result.why);
    if (result.why) {
        machine_.lost(plan, std::make_shared<const error>(std::move(result.why)), result.maybe_processed, result.connection_failed, now, wall_ms(), actions_);
        return run();
    }
    if (m.throttle_time_ms > 0) {
        const std::chrono::milliseconds pause{m.throttle_time_ms};
        client_->throttle(plan.broker, pause);
        machine_.throttled(plan.broker, now + pause);
    }
    for (const auto& n : m.node_endpoints)
        if (n.port > 0 && n.port <= 65535) client_->node_hint(n.node_id, n.host, static_cast<std::uint16_t>(n.port), n.rack.value_or(""));
    answers_.assign(plan.parts.size(), std::nullopt);
    for (const auto& t : m.responses) {
        for (const auto& p : t.partition_responses) {
            const auto at = std::find_if(plan.parts.begin(), plan.parts.end(), [&](const produce_part& part) {
                const auto& info = *part.where->topic->info;
                return part.where->index == p.index && (result.version < 13 ? info.name == t.name : info.id == t.topic_id);
            });
            if (at == plan.parts.end()) continue;
            auto& a = answers_[static_cast<std::size_t>(at - plan.parts.begin())].emplace();
            a.code = p.error_code;
            a.base_offset = p.base_offset;
            a.append_time = p.log_append_time_ms;
            if (p.error_message) a.message = *p.error_message;
            for (const auto& r : p.record_errors)
                if (r.batch_index_error_message) a.message += (a.message.empty() ? "" : "; ") + ("record " + std::to_string(r.batch_index) + ": " + *r.batch_index_error_message);
            if (p.current_leader.leader_id >= 0) client_->leader_hint(*at->where->topic->info, p.index, p.current_leader.leader_id, p.current_leader.leader_epoch);
        }
    }
    machine_.answered(plan, answers_, now, wall_ms(), actions_);
    run();
}

void producer_core::producer_id_answered(const error& why, const init_producer_id_response& r) {
    if (exhausted_) contain([&] { end_exhausted(); });
    if (!stopped_) contain([&] { take(why, r); });
}

void producer_core::take(const error& why, const init_producer_id_response& r) {
    const auto now = client_->env().now();
    if (!why && r.error_code == 0 && r.producer_id >= 0 && r.producer_epoch >= 0) {
        machine_.producer_id_known(r.producer_id, r.producer_epoch, now, actions_);
    } else {
        auto e = why;
        if (!e) {
            e.code = r.error_code ? static_cast<broker_errc>(r.error_code) : broker_errc::unknown_server_error;
            e.in = phase::request;
            e.api_key = init_producer_id_request::key;
            e.text = r.error_code ? "no producer id: " + e.code.message() : "the answer to InitProducerId has neither an id nor an error";
        }
        machine_.producer_id_failed(std::make_shared<const error>(std::move(e)), now, actions_);
        if (const auto* const less = degraded(); less && client_->reports())
            client_->reports()->log(log_level::warning, "producer", less->text, {"what to do", less->hint});
    }
    run();
}

// --- time ---

void producer_core::topics_changed() {
    if (stopped_) return;
    contain([&] {
        if (exhausted_) return end_exhausted();
        const auto* trouble = client_->last_metadata_error();
        machine_.topics_changed(trouble ? std::make_shared<const error>(*trouble) : nullptr, client_->env().now(), wall_ms(), actions_);
        run();
    });
}

void producer_core::soon() {
    if (turn_posted_) return;
    client_->env().post([self = weak_from_this()] {
        if (const auto alive = self.lock()) alive->turn();
    });
    turn_posted_ = true;
}

void producer_core::turn() {
    turn_posted_ = false;
    if (stopped_) return;
    contain([&] {
        if (exhausted_) return end_exhausted();
        machine_.turn(client_->env().now(), wall_ms(), actions_);
        run();
    });
}

void producer_core::set_timer() {
    auto at = stopped_ ? std::nullopt : machine_.next_wakeup();
    for (const auto& p : pending_) at = at ? std::min(*at, p.deadline) : p.deadline;
    if (!at || (timer_at_ && *timer_at_ <= *at)) return;  // firing for nothing costs one look; moving it for every batch would cost more
    timer_->set(*at);
    timer_at_ = at;
}

void producer_core::timer_fired() {
    const auto self = shared_from_this();
    timer_at_.reset();
    contain([&] {
        if (exhausted_) return end_exhausted();
        if (!stopped_) machine_.tick(client_->env().now(), wall_ms(), actions_);
        run();
    });
}

producer_statistics producer_core::statistics() const noexcept {
    const auto& c = machine_.counts();
    return {c.records, c.batches, c.requests, c.bytes, c.retries, c.acknowledged, c.failed, machine_.used(), machine_.unsettled(), machine_.degraded() != nullptr};
}

}  // namespace kafkawire::client_detail
