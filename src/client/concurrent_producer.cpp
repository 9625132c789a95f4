#include <kafkawire/concurrent_producer.hpp>

#include "client/front_core.hpp"

namespace kafkawire::inline v0_1 {

namespace {

// With a thread of its own what the client says of its options is thrown here; an io_context that is given may not run yet, and nobody waits for it.
std::shared_ptr<client_detail::front> make_front(client_detail::loop& l, const client_options& client, const producer_options& options, const front_options& front) {
    auto core = std::make_shared<client_detail::front_core>(l, client, options, front);
    if (l.own()) l.run([&] { core->open(); });
    else asio::post(l.executor(), [core] { core->open(); });
    return core;
}

}  // namespace

concurrent_producer::concurrent_producer(const client_options& client, const producer_options& options, const front_options& front)
    : loop_{std::make_shared<client_detail::loop>()}, core_{make_front(*loop_, client, options, front)} {}

concurrent_producer::concurrent_producer(asio::io_context& io, const client_options& client, const producer_options& options, const front_options& front)
    : loop_{std::make_shared<client_detail::loop>(io)}, core_{make_front(*loop_, client, options, front)} {}

concurrent_producer::~concurrent_producer() {
    auto& core = static_cast<client_detail::front_core&>(*core_);
    core.close_door();
    if (loop_->own()) {
        loop_->run([&] { core.destroy(); });
        // What was told then is on its way: through the producer's executor, and once more through the handler's.
        for (int round = 0; round < 3; ++round) loop_->run([] {});
    } else {
        asio::post(loop_->executor(), [core = std::static_pointer_cast<client_detail::front_core>(core_)] { core->destroy(); });
    }
    // A delivery handler that runs now is waited for; none runs afterwards. What its end tells on the loop is still heard.
    core.on_delivery({});
    if (loop_->own()) loop_->run([] {});
}

void concurrent_producer::warm_up(std::vector<std::string> topics) {
    auto [why] = loop_->call<>([&](auto handler) { async_warm_up(std::move(topics), detailed(std::move(handler))); });
    if (why) throw system_error{std::move(why)};
}

void concurrent_producer::init_transactions(std::optional<std::chrono::milliseconds> deadline) {
    auto [why] = loop_->call<>([&](auto handler) {
        if (deadline) async_init_transactions(*deadline, detailed(std::move(handler)));
        else async_init_transactions(detailed(std::move(handler)));
    });
    if (why) throw system_error{std::move(why)};
}

concurrent_transaction concurrent_producer::begin_transaction(std::optional<std::chrono::milliseconds> deadline) {
    auto [why, tx] = loop_->call<concurrent_transaction>([&](auto handler) {
        if (deadline) async_begin_transaction(*deadline, detailed(std::move(handler)));
        else async_begin_transaction(detailed(std::move(handler)));
    });
    if (why) throw system_error{std::move(why)};
    return std::move(tx);
}

void concurrent_transaction::send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, patience deadline) {
    auto [why] = of()->waits_on().call<>([&](auto handler) { async_send_offsets(offsets, group, deadline, detailed(std::move(handler))); });
    if (why) throw system_error{std::move(why)};
}

void concurrent_transaction::commit(patience deadline) {
    auto [why] = of()->waits_on().call<>([&](auto handler) { async_commit(deadline, detailed(std::move(handler))); });
    if (why) throw system_error{std::move(why)};
}

void concurrent_transaction::abort(patience deadline) {
    auto [why] = of()->waits_on().call<>([&](auto handler) { async_abort(deadline, detailed(std::move(handler))); });
    if (why) throw system_error{std::move(why)};
}

std::size_t concurrent_producer::flush_and_wait(std::chrono::milliseconds deadline, bool close) {
    auto [why, left] = loop_->call<std::size_t>([&](auto handler) {
        if (close) async_close(deadline, detailed(std::move(handler)));
        else async_flush(deadline, detailed(std::move(handler)));
    });
    if (why && why.code != errc::delivery_timed_out) throw system_error{std::move(why)};
    return left;
}

}  // namespace kafkawire::inline v0_1
