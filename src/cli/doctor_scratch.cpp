#include "cli/doctor_scratch.hpp"

#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/20_delete_topics.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <random>

namespace kafkawire::cli {

using namespace protocol;
using clock = std::chrono::steady_clock;

namespace {

error of_broker(std::int16_t code, const std::optional<std::string>& said) {
    error e;
    if (code == 0) return e;
    e.code = make_error_code(static_cast<broker_errc>(code));
    e.in = phase::request;
    e.text = e.code.message();
    if (said && !said->empty() && *said != e.text) e.text += " (" + *said + ")";
    return e;
}

void add(std::vector<finding>& to, const char* step, const std::string& topic, const error& why, clock::time_point began) {
    auto f = judge_scratch(step, topic, why);
    f.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began);
    to.push_back(std::move(f));
}

request_options to_controller(std::int32_t id) {
    request_options o;
    if (id >= 0) o.broker = id;
    return o;
}

asio::awaitable<error> create_with(client& c, std::int32_t controller, std::string topic, std::int16_t replicas) {
    messages::create_topics_request request;
    auto& t = request.topics.emplace_back();
    t.name = topic;
    t.num_partitions = 1;
    t.replication_factor = replicas;
    request.timeout_ms = static_cast<std::int32_t>(c.options().request_timeout.count());
    const auto [why, answer] = co_await c.async_request(std::move(request), to_controller(controller), detailed(as_tuple(asio::use_awaitable)));
    if (why) co_return why;
    if (answer.topics.empty()) co_return of_broker(static_cast<std::int16_t>(broker_errc::unknown_server_error), {});
    co_return of_broker(answer.topics.front().error_code, answer.topics.front().error_message);
}

// Brokers before 2.4 have no number of replicas of their own for topics that are asked for.
asio::awaitable<error> create(client& c, std::int32_t controller, std::string topic) {
    auto why = co_await create_with(c, controller, topic, -1);
    if (why.code == broker_errc::invalid_replication_factor) {
        const auto again = co_await create_with(c, controller, topic, 1);
        if (!again) why = again;
    }
    co_return why;
}

asio::awaitable<error> remove(client& c, std::int32_t controller, std::string topic) {
    auto options = to_controller(controller);
    error why;
    // Versions that go by names: brokers from 4.0 on have no 0, those before 0.11 no 1.
    for (const std::int16_t version : {1, 0}) {
        messages::delete_topics_request request;
        request.topic_names.push_back(topic);
        request.timeout_ms = static_cast<std::int32_t>(c.options().request_timeout.count());
        options.version = version;
        const auto [failed, answer] = co_await c.async_request(std::move(request), options, detailed(as_tuple(asio::use_awaitable)));
        why = failed;
        if (!failed && !answer.responses.empty()) why = of_broker(answer.responses.front().error_code, answer.responses.front().error_message);
        if (why.code != errc::no_common_version) break;
    }
    co_return why;
}

asio::awaitable<error> produce(client& c, std::string topic, topic_partition& at, std::int64_t& offset) {
    producer_options o;
    o.delivery_timeout = c.options().request_timeout;
    o.unknown_topic_timeout = o.delivery_timeout;
    o.create_topics = false;
    o.linger = std::chrono::milliseconds{0};
    producer p{c, o};
    const record r{.topic = topic, .key = "doctor", .value = "kafka-cli doctor was here"};
    const auto [why, d] = co_await p.async_send(r, detailed(as_tuple(asio::use_awaitable)));
    at = {topic, d.partition};
    offset = d.offset;
    co_return why;
}

asio::awaitable<error> fetch(asio::io_context& io, client& c, topic_partition at, std::int64_t offset) {
    consumer_options o;
    o.isolation = isolation::read_uncommitted;
    consumer in{c, o};
    in.assign(at.topic, at.partition, start_position::at(offset));
    bool late = false;
    asio::steady_timer limit{io, c.options().request_timeout};
    limit.async_wait([&](std::error_code ec) {
        if (ec) return;
        late = true;
        in.async_close([](std::error_code) {});
    });
    auto [why, got] = co_await in.async_read(detailed(as_tuple(asio::use_awaitable)));
    limit.cancel();
    if (late) {
        why = {};
        why.code = errc::request_timed_out;
        why.text = "the record that was written did not come back in time";
    } else if (!why && got.offset != offset) {
        why.code = errc::bad_record;
        why.text = fmt::format("the record at offset {} came back as the one at {}", offset, got.offset);
    }
    co_return why;
}

std::string fresh_name() { return fmt::format("kafka-cli-doctor-{:08x}", std::random_device{}()); }

}  // namespace

asio::awaitable<void> try_writing(asio::io_context& io, client_options options, std::string topic, std::int32_t controller, std::vector<finding>& to) {
    client c{io, options};
    const bool ours = topic.empty();
    if (ours) {
        topic = fresh_name();
        const auto began = clock::now();
        const auto why = co_await create(c, controller, topic);
        add(to, "create", topic, why, began);
        if (why) co_return;
    }
    topic_partition at;
    std::int64_t offset = -1;
    auto began = clock::now();
    auto why = co_await produce(c, topic, at, offset);
    add(to, "produce", topic, why, began);
    if (!why) {
        began = clock::now();
        why = co_await fetch(io, c, at, offset);
        add(to, "fetch", topic, why, began);
    }
    if (!ours) co_return;
    began = clock::now();
    why = co_await remove(c, controller, topic);
    add(to, "delete", topic, why, began);
}

}  // namespace kafkawire::cli
