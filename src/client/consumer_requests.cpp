// What a consumer asks brokers, and what it makes of their answers: Fetch, ListOffsets, OffsetForLeaderEpoch.
#include <kafkawire/protocol/frame.hpp>

#include <algorithm>

#include "client/consumer_core.hpp"
#include "client/read_answer.hpp"
#include "client/throttling.hpp"

namespace kafkawire::client_detail {

namespace {

using protocol::messages::fetch_request;
using protocol::messages::fetch_response;
using protocol::messages::list_offsets_request;
using protocol::messages::list_offsets_response;
using protocol::messages::offset_for_leader_epoch_request;
using protocol::messages::offset_for_leader_epoch_response;

class fetch_call final : public net::call {
public:
    fetch_call(const std::shared_ptr<consumer_core>& of, fetch_plan_ptr plan, net::time_point now, std::chrono::milliseconds patience) : of_{of}, plan_{std::move(plan)} {
        api_key = fetch_request::key;
        speaks = plan_->by_name ? protocol::between(0, 12) : fetch_request::versions;
        started = now;
        may_wait = std::chrono::milliseconds{plan_->message.max_wait_ms};
        deadline = now + may_wait + patience;
    }
    protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) override {
        if (version < 7 && plan_->incremental) return {errc::not_in_version, 0, {}, "fetch sessions are from version 7 on"};
        return protocol::encode_request(protocol::schema_of<fetch_request>(), &plan_->message, version, correlation_id, client_id, to);
    }
    void done(net::outcome result) override {
        plan_->carrier = nullptr;
        if (const auto of = of_.lock()) of->fetched(*plan_, std::move(result));
    }

private:
    std::weak_ptr<consumer_core> of_;
    fetch_plan_ptr plan_;
};

// Parts of a question topic by topic, as requests have them.
template <class Topics, class Add>
void by_topic(const offset_plan& plan, Topics& topics, std::string std::remove_reference_t<decltype(topics[0])>::*name, Add add) {
    const topic_info* last = nullptr;
    for (const auto& part : plan.parts) {
        if (part.info != last) topics.emplace_back().*name = part.info->name;
        last = part.info;
        add(topics.back().partitions.emplace_back(), part);
    }
}

class offset_operation : public operation {
public:
    offset_operation(std::weak_ptr<consumer_core> of, offset_plan_ptr plan) : of_{std::move(of)}, plan_{std::move(plan)} { options.broker = plan_->broker; }
    void complete(error why, answer_info) override {
        const auto of = of_.lock();
        if (!of) return;
        of->contained([&] {
            std::vector<std::optional<offset_answer>> answers(plan_->parts.size());
            if (!why) read(answers);
            of->told_offsets(*plan_, why, answers);
        });
    }

protected:
    virtual void read(std::vector<std::optional<offset_answer>>& to) = 0;
    void put(std::vector<std::optional<offset_answer>>& to, const std::string& topic, std::int32_t partition, offset_answer a) const {
        for (std::size_t i = 0; i < plan_->parts.size(); ++i)
            if (plan_->parts[i].index == partition && plan_->parts[i].info->name == topic) to[i] = a;
    }
    std::weak_ptr<consumer_core> of_;
    offset_plan_ptr plan_;
};

class list_offsets_operation final : public offset_operation {
public:
    list_offsets_operation(std::weak_ptr<consumer_core> of, offset_plan_ptr plan, bool read_committed, std::int64_t wall_ms, std::chrono::milliseconds patience)
        : offset_operation{std::move(of), std::move(plan)} {
        message_.replica_id = -1;
        message_.isolation_level = read_committed ? 1 : 0;
        message_.timeout_ms = static_cast<std::int32_t>(patience.count());
        by_topic(*plan_, message_.topics, &list_offsets_request::topic::name, [&](auto& p, const offset_plan::part& part) {
            p.partition_index = part.index;
            p.current_leader_epoch = part.leader_epoch;
            switch (part.start.what) {
                case start_position::kind::beginning: p.timestamp = -2; break;
                case start_position::kind::since: p.timestamp = std::max<std::int64_t>(part.start.value, 0); break;
                case start_position::kind::ago: p.timestamp = std::max<std::int64_t>(wall_ms - part.start.value, 0); break;
                default: p.timestamp = -1;
            }
        });
        request_schema = &protocol::schema_of<list_offsets_request>();
        request = &message_;
        response_schema = &protocol::schema_of<list_offsets_response>();
        response = &answer_;
    }

    // Brokers before 0.11 know no isolation: they have no transactions either.
    const void* request_in(std::int16_t version) override {
        if (version < 2) message_.isolation_level = 0;
        return &message_;
    }

private:
    void read(std::vector<std::optional<offset_answer>>& to) override {
        for (const auto& t : answer_.topics)
            for (const auto& p : t.partitions)
                put(to, t.name, p.partition_index, {p.error_code, p.old_style_offsets.empty() ? p.offset : p.old_style_offsets.front(), p.leader_epoch});
    }
    list_offsets_request message_;
    list_offsets_response answer_;
};

class epochs_operation final : public offset_operation {
public:
    epochs_operation(std::weak_ptr<consumer_core> of, offset_plan_ptr plan) : offset_operation{std::move(of), std::move(plan)} {
        message_.replica_id = -1;
        by_topic(*plan_, message_.topics, &offset_for_leader_epoch_request::offset_for_leader_topic::topic, [&](auto& p, const offset_plan::part& part) {
            p.partition = part.index;
            p.current_leader_epoch = part.leader_epoch;
            p.leader_epoch = part.epoch;
        });
        request_schema = &protocol::schema_of<offset_for_leader_epoch_request>();
        request = &message_;
        response_schema = &protocol::schema_of<offset_for_leader_epoch_response>();
        response = &answer_;
    }

private:
    void read(std::vector<std::optional<offset_answer>>& to) override {
        for (const auto& t : answer_.topics)
            for (const auto& p : t.partitions) put(to, t.topic, p.partition, {p.error_code, p.end_offset, p.leader_epoch});
    }
    offset_for_leader_epoch_request message_;
    offset_for_leader_epoch_response answer_;
};

}  // namespace

void consumer_core::carry_out(send_fetch& a) { send(a.plan, shared_from_this()); }

void consumer_core::send(const fetch_plan_ptr& plan, const std::shared_ptr<consumer_core>& answer_to) {
    const auto c = std::make_shared<fetch_call>(answer_to, plan, client_->env().now(), client_->options().request_timeout);
    plan->carrier = c.get();
    client_->send(plan->broker, fetch_lane_, c);
}

void consumer_core::carry_out(withdraw_fetch& a) {
    if (a.plan->carrier) client_->withdraw(a.plan->broker, fetch_lane_, std::exchange(a.plan->carrier, nullptr));
}

void consumer_core::carry_out(ask_offsets& a) {
    std::unique_ptr<operation> op;
    if (a.plan->epochs) {
        op = std::make_unique<epochs_operation>(weak_from_this(), a.plan);
    } else {
        const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(client_->env().wall_now().time_since_epoch()).count();
        op = std::make_unique<list_offsets_operation>(weak_from_this(), a.plan, options_.isolation == isolation::read_committed, wall, client_->options().request_timeout);
    }
    prepare(*client_, std::move(op))->go();
}

void consumer_core::fetched(fetch_plan& plan, net::outcome result) {
    contained([&] { take_answer(plan, std::move(result)); });
}

void consumer_core::take_answer(fetch_plan& plan, net::outcome result) {
    if (stopped_) return;
    auto& env = client_->env();
    if (result.why.code == errc::client_closed) return stop(result.why);
    fetch_response m;
    if (!result.why) {
        if (const auto wrong = read_answer(m, fetch_request::key, result)) {
            result.why.code = wrong.code;
            result.why.in = phase::request;
            result.why.text = "the answer to Fetch cannot be read: " + wrong.message();
        }
    }
    if (result.why) {
        machine_.lost(plan, result.why, env.now());
    } else {
        if (const auto pause = throttle_of(protocol::schema_of<fetch_response>(), &m, result.version); pause.count() > 0) client_->throttle(plan.broker, pause, fetch_lane_);
        for (const auto& n : m.node_endpoints)
            if (n.port > 0 && n.port <= 65535) client_->node_hint(n.node_id, n.host, static_cast<std::uint16_t>(n.port), n.rack.value_or(""));
        for (const auto& t : m.responses)
            for (const auto& p : t.partitions)
                if (p.current_leader.leader_id >= 0)
                    if (auto* const info = machine_.topic_of(t)) client_->leader_hint(*info, p.partition_index, p.current_leader.leader_id, p.current_leader.leader_epoch);
        machine_.answered(plan, m, result.answer.bytes, result.answer.size, env.now());
    }
    run();
    look();
}

void consumer_core::told_offsets(offset_plan& plan, const error& why, const std::vector<std::optional<offset_answer>>& answers) {
    if (stopped_) return;
    if (why.code == errc::client_closed) return stop(why);
    contained([&] {
        if (why) machine_.offsets_lost(plan, why, client_->env().now());
        else machine_.offsets(plan, answers, client_->env().now());
        run();
        look();
    });
}

}  // namespace kafkawire::client_detail
