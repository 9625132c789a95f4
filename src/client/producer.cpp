// kw::producer itself, and the calls that its templates make.
#include <kafkawire/producer.hpp>

#include "client/producer_core.hpp"

// Opened as the header does that declares them: clang's names of symbols go by that.
namespace kafkawire::inline v0_1 {
namespace client_detail {

std::error_code try_send(producer_core& c, const record& r) { return c.try_send(r); }
void send(producer_core& c, const record& r, waiter* w) { c.send(r, w); }
void enqueue(producer_core& c, const record& r, waiter* accepted) { c.enqueue(r, accepted); }
void warm_up(producer_core& c, std::vector<std::string> topics, waiter* w) { c.warm_up(std::move(topics), w); }
void flush(producer_core& c, std::chrono::milliseconds deadline, bool close, waiter* w) { c.flush(deadline, close, w); }
void wait_for_room(producer_core& c, std::size_t bytes, waiter* w) { c.wait_for_room(bytes, w); }
void send_all(producer_core& c, std::span<const record> rs, waiter* w) { c.send_all(rs, w); }
void cancel(producer_core& c, const std::weak_ptr<waiter*>& who) { c.cancel(who); }
const asio::any_io_executor& executor_of(const producer_core& c) noexcept { return const_cast<producer_core&>(c).client().executor(); }
void post(producer_core& c, unique_function<void()> what) {
    c.client().env().post([self = c.weak_from_this(), f = std::move(what)]() mutable {
        if (const auto alive = self.lock()) f();
    });
}
void* take_block(producer_core& c, std::size_t size) { return c.blocks().take(size); }
void give_block(producer_core& c, void* block, std::size_t size) noexcept { c.blocks().give(block, size); }

}  // namespace client_detail

producer::producer(client& c, const producer_options& options) {
    if (auto wrong = validate(options)) throw system_error{std::move(wrong)};
    core_ = std::make_shared<client_detail::producer_core>(client_detail::core_of(c), options);
}

producer::~producer() {
    if (core_) core_->destroy();
}

producer& producer::operator=(producer&& other) noexcept {
    if (this != &other) {
        producer before{std::move(*this)};
        core_ = std::move(other.core_);
    }
    return *this;
}

const producer_options& producer::options() const noexcept { return core_->options(); }
void producer::compress_on(executor_type ex) { core_->compress_on(std::move(ex)); }
void producer::on_delivery(unique_function<void(const delivery_report&)> handler) { core_->on_delivery(std::move(handler)); }
const error* producer::degraded() const noexcept { return core_->degraded(); }
producer_statistics producer::statistics() const noexcept { return core_->statistics(); }

}  // namespace kafkawire::inline v0_1
