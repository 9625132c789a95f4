// Produce: appends a batch to each of some partitions, and answers when acks says so: 0 never, 1 when the leader has it, -1 when all in-sync
// replicas have.
// Behaviour, as in Kafka: the first batches of all partitions are looked at before any is taken, and one that cannot be read fails the request,
// as does a transactional batch without a transactional id (TRANSACTIONAL_ID_AUTHORIZATION_FAILED). Then each partition fares for itself: it is
// there, led by this node, has enough replicas in sync (acks=-1), the batch is good (batch_check.hpp) and in its producer's sequence. A partition
// that is named twice takes what was said last. With acks=0 an error closes the connection. Answers with an error have the log's start offset only
// where the log was reached. What waits for replicas is answered REQUEST_TIMED_OUT after timeout_ms, but stays in the log.
// Versions: from 3 on one batch of format 2 per partition (ApiVersions also names 0 to 2, for old librdkafkas; they are not taken); 7 allows zstd;
// 8 names bad records with sentences; 9 is flexible; 10 tells the leader (KIP-951); 11 may answer TRANSACTION_ABORTABLE; 12 adds partitions to
// transactions of version 2 itself (KIP-890); 13 names topics by id.
#include <kafkawire/protocol/messages/00_produce.hpp>

#include <set>

#include "broker/batch_check.hpp"
#include "broker/handlers.hpp"
#include "broker/leader_hint.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::produce_request;
using protocol::messages::produce_response;
using partition_answer = produce_response::partition_produce_response;
using e = broker_errc;
using protocol::bytes_view;

// One partition of the request, once, however often it was named.
struct part {
    const produce_request::topic_produce_data* named = nullptr;
    std::int32_t index = 0;
    const std::optional<protocol::raw_records>* records = nullptr;
};

partition_answer refused(std::int32_t index, e why, std::int64_t log_start = -1) {
    partition_answer a;
    a.index = index;
    a.error_code = code_of(why);
    a.base_offset = -1;
    a.log_start_offset = log_start;
    return a;
}

// The answer and what it still waits for. Lives until it is answered, by the last replica or by the timer.
class delivery : public std::enable_shared_from_this<delivery> {
public:
    delivery(cluster_state& cluster, exchange from, std::int16_t acks) : cluster_{cluster}, from_{std::move(from)}, acks_{acks} {}
    delivery(const delivery&) = delete;
    delivery& operator=(const delivery&) = delete;

    [[nodiscard]] const exchange& from() const noexcept { return from_; }

    struct place {
        std::size_t topic = 0, partition = 0;
    };
    place add(const part& p, partition_answer a, const partition* where) {
        failed_ = failed_ || a.error_code != 0;
        if (where && a.error_code == code_of(e::not_leader_or_follower) && from_.version() >= 10)
            hint_leader(cluster_, *where, a.current_leader, answer_.node_endpoints);
        auto& topics = answer_.responses;
        auto to = std::find_if(topics.begin(), topics.end(), [&](const auto& t) { return t.name == p.named->name && t.topic_id == p.named->topic_id; });
        if (to == topics.end()) to = topics.insert(to, {p.named->name, p.named->topic_id, {}, {}});
        to->partition_responses.push_back(std::move(a));
        return {static_cast<std::size_t>(to - topics.begin()), to->partition_responses.size() - 1};
    }
    // What lies at that place is in the log, and counts when all in-sync replicas have it.
    void await(const place& at, partition& p, std::int64_t last_offset, std::int64_t min_isr) {
        ++waiting_;
        const auto id = p.when_replicated(last_offset, [self = shared_from_this(), at, &p, min_isr](e error) {
            if (error == e::none && static_cast<std::int64_t>(p.isr().size()) < min_isr) error = e::not_enough_replicas_after_append;
            self->settle(at, error);
        });
        waits_.push_back({at, p.topic_id(), p.index(), id});
    }
    // Everything is in the log or refused.
    void complete(std::int32_t timeout_ms) {
        complete_ = true;
        if (waiting_ == 0) return answer();
        timer_ = cluster_.timers().set(cluster_.now().steady + std::chrono::milliseconds{std::max(timeout_ms, 0)}, [self = shared_from_this()] {
            self->timer_ = {};
            self->time_out();
        });
    }
    void fail(const produce_request& asked, const refusal& why) {
        for (const auto& t : asked.topic_data)
            for (const auto& p : t.partition_data) {
                auto a = refused(p.index, why.code);
                a.error_message = why.text;
                add({&t, p.index, nullptr}, std::move(a), nullptr);
            }
        answer();
    }

private:
    struct wait {
        place at;
        protocol::uuid topic;
        std::int32_t index;
        partition::wait_id id;
    };

    [[nodiscard]] partition_answer& answer_at(const place& p) { return answer_.responses[p.topic].partition_responses[p.partition]; }
    void settle(const place& at, e error) {
        --waiting_;
        answer_at(at).error_code = code_of(error);
        if (complete_ && waiting_ == 0) answer();
    }
    void time_out() {
        for (const auto& w : waits_) {
            auto* topic = cluster_.find_topic(w.topic);
            auto* p = topic ? topic->find(w.index) : nullptr;
            if (p && p->stop_waiting(w.id)) answer_at(w.at).error_code = code_of(e::request_timed_out);
        }
        answer();
    }
    void answer() {
        if (timer_) cluster_.timers().cancel(timer_);
        if (acks_ != 0) from_.answer(answer_);
        else if (failed_) from_.close();
        else from_.no_answer();
    }

    cluster_state& cluster_;
    exchange from_;
    std::int16_t acks_;
    produce_response answer_;
    std::vector<wait> waits_;
    std::size_t waiting_ = 0;
    timers::id timer_;
    bool complete_ = false;
    bool failed_ = false;
};

batch_rules rules_of(const cluster_state& cluster, const topic& t, std::int32_t index) {
    batch_rules r;
    r.partition = t.name + '-' + std::to_string(index);
    r.max_batch = cluster.config_number(t, "max.message.bytes");
    r.max_segment = cluster.config_number(t, "segment.bytes");
    r.keys_needed = cluster.config(t, "cleanup.policy").find("compact") != std::string::npos;
    r.log_append_time = cluster.config(t, "message.timestamp.type") == "LogAppendTime";
    r.oldest_ms = cluster.config_number(t, "message.timestamp.before.max.ms");
    r.newest_ms = cluster.config_number(t, "message.timestamp.after.max.ms");
    const auto codec = cluster.config(t, "compression.type");
    if (codec == "producer") return r;
    r.recompress = codec == "uncompressed" ? protocol::compression::none : protocol::compression_from(codec);
    if (codec == "gzip" || codec == "lz4" || codec == "zstd") {
        const auto level = cluster.config_number(t, "compression." + codec + ".level");
        if (codec != "gzip" || level != -1) r.level = static_cast<int>(level);
    }
    return r;
}

// One partition of one request.
class append_one {
public:
    append_one(cluster_state& cluster, const produce_request& asked, const std::shared_ptr<delivery>& to) : cluster_{cluster}, asked_{asked}, to_{to} {}

    void run(const part& what, topic& t, partition& p) {
        if (t.internal && to_->from().client_id() != "__admin_client") return refuse(what, &p, e::invalid_topic_exception);
        if (p.leader() != to_->from().node()) return refuse(what, &p, e::not_leader_or_follower);
        const auto min_isr = cluster_.config_number(t, "min.insync.replicas");
        if (asked_.acks == -1 && static_cast<std::int64_t>(p.isr().size()) < min_isr) return refuse(what, &p, e::not_enough_replicas);
        if (!*what.records) return refuse(what, &p, e::unknown_server_error, p.log().start_offset());
        bool verified = false;
        if (const auto wrong = verify((*what.records)->data, p, verified); wrong.error != e::none) return refuse_transaction(what, p, wrong);
        auto v = cluster_.checker().check((*what.records)->data, rules_of(cluster_, t, p.index()), cluster_.now().wall_ms());
        if (v.error != e::none) return refuse_batch(what, p, v);
        const auto producer = producer_batch::of(v.batch);
        const bool idempotent = producer.producer_id >= 0;
        producer_state::verdict allowed;
        if (idempotent) {
            const auto now_ms = cluster_.now().wall_ms();
            if (p.producers().expiry_due(now_ms)) p.producers().expire(now_ms, cluster_.config_number("producer.id.expiration.ms"));
            allowed = p.producers().check(producer, append_origin::client, verified);
            if (allowed.is == producer_state::verdict::kind::refuse) return refuse(what, &p, allowed.error, p.log().start_offset());
        }
        if (allowed.is == producer_state::verdict::kind::duplicate)
            return accepted(what, p, allowed.base_offset, allowed.base_offset + producer.last_offset_delta, allowed.timestamp, min_isr);
        const auto done = p.append_unseen(v.batch.whole, v.changes);
        if (done.error != e::none) return refuse(what, &p, done.error);
        if (idempotent) p.producers().appended(producer, done.base_offset, allowed);
        const auto stamped = v.changes.log_append_time || (v.batch.timestamps() == protocol::timestamp_type::log_append && !v.changes.max_timestamp);
        const auto time = !stamped ? -1 : v.changes.log_append_time ? *v.changes.log_append_time : v.batch.max_timestamp;
        accepted(what, p, done.base_offset, done.last_offset, time, min_isr);
        p.progressed();
    }
    void refuse(const part& what, const partition* p, e why, std::int64_t log_start = -1) { to_->add(what, refused(what.index, why, log_start), p); }

private:
    using produce_error = transaction_coordinator::produce_error;

    // The first batch of a transaction in this partition needs the coordinator's word that the partition is part of it.
    produce_error verify(bytes_view records, partition& p, bool& verified) {
        protocol::record_batches in{records, false};
        const auto* b = in.next();
        if (!b || !b->is_transactional() || !asked_.transactional_id) return {};
        const auto producer = producer_batch::of(*b);
        if (p.producers().has_ongoing_transaction(producer.producer_id, producer.epoch)) return {};
        const auto how = transaction_coordinator::support_of_produce(to_->from().version());
        const auto bumps = how == transaction_coordinator::support::add_partitions;
        if (const auto wrong = p.producers().begin_verification(producer, bumps, cluster_.now().wall_ms()); wrong != e::none) return {wrong, {}};
        const auto said = cluster_.transactions().verify_or_add(*asked_.transactional_id, {producer.producer_id, producer.epoch}, {p.topic(), p.index()}, how);
        verified = said == e::none;
        return verified ? produce_error{} : transaction_coordinator::produce_answer(said, how);
    }
    void refuse_transaction(const part& what, const partition& p, const produce_error& why) {
        auto a = refused(what.index, why.error);
        if (!why.message.empty()) a.error_message = why.message;
        to_->add(what, std::move(a), &p);
    }
    void refuse_batch(const part& what, const partition& p, batch_verdict& v) {
        auto a = refused(what.index, v.error, v.tells_log_start ? p.log().start_offset() : -1);
        a.error_message = std::move(v.text);
        for (auto& r : v.bad_records) a.record_errors.push_back({r.index, std::move(r.text), {}});
        to_->add(what, std::move(a), &p);
    }
    void accepted(const part& what, partition& p, std::int64_t base, std::int64_t last, std::int64_t log_append_time, std::int64_t min_isr) {
        partition_answer a;
        a.index = what.index;
        a.base_offset = base;
        a.log_append_time_ms = log_append_time;
        a.log_start_offset = p.log().start_offset();
        const auto at = to_->add(what, std::move(a), &p);
        if (asked_.acks == -1) to_->await(at, p, last, min_isr);
    }

    cluster_state& cluster_;
    const produce_request& asked_;
    const std::shared_ptr<delivery>& to_;
};

// What fails the whole request.
refusal look_at_all(const produce_request& asked) {
    bool transactional = false;
    std::set<std::pair<std::int64_t, std::int16_t>> producers;
    for (const auto& t : asked.topic_data)
        for (const auto& p : t.partition_data) {
            if (!p.records) continue;
            auto look = look_at(p.records->data);
            if (look.error) return std::move(look.error);
            if (!look.transactional) continue;
            transactional = true;
            protocol::record_batches in{p.records->data, false};
            if (const auto* b = in.next()) producers.emplace(b->producer_id, b->producer_epoch);
        }
    if (transactional && !asked.transactional_id) return {e::transactional_id_authorization_failed};
    if (producers.size() > 1) return {e::invalid_producer_id_mapping, "Transactional records contained more than one producer ID"};
    return {};
}

std::vector<part> parts_of(const produce_request& asked) {
    std::vector<part> parts;
    std::map<std::pair<std::pair<std::string_view, protocol::uuid>, std::int32_t>, std::size_t> places;
    for (const auto& t : asked.topic_data)
        for (const auto& p : t.partition_data) {
            const auto [at, is_new] = places.try_emplace({{t.name, t.topic_id}, p.index}, parts.size());
            if (is_new) parts.push_back({&t, p.index, &p.records});
            else parts[at->second].records = &p.records;
        }
    return parts;
}

}  // namespace

void produce(cluster_state& cluster, exchange from, const produce_request& asked) {
    const auto version = from.version();
    if (version < 3) return from.close();
    const auto to = std::make_shared<delivery>(cluster, std::move(from), asked.acks);
    if (const auto wrong = look_at_all(asked)) return to->fail(asked, wrong);
    append_one one{cluster, asked, to};
    for (const auto& p : parts_of(asked)) {
        auto* t = version >= 13 ? cluster.find_topic(p.named->topic_id) : cluster.find_topic(p.named->name);
        auto* where = t ? t->find(p.index) : nullptr;
        if (!where) {
            one.refuse(p, nullptr, !t && version >= 13 ? e::unknown_topic_id : e::unknown_topic_or_partition);
            continue;
        }
        const auto wrong = *p.records ? check_records_field((*p.records)->data, version) : e::none;
        if (wrong != e::none) one.refuse(p, where, wrong);
        else if (asked.acks < -1 || asked.acks > 1) one.refuse(p, where, e::invalid_required_acks);
        else one.run(p, *t, *where);
    }
    to->complete(asked.timeout_ms);
}

}  // namespace kafkawire::broker
