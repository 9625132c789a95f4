#include <kafkawire/blocking.hpp>

namespace kafkawire::blocking {

namespace {

// The result, or what went wrong as an exception.
template <class Result>
Result value(std::tuple<error, Result>&& outcome) {
    if (auto& why = std::get<0>(outcome)) throw system_error{std::move(why)};
    return std::move(std::get<1>(outcome));
}

// How many records are left; that the time is over is no more than that.
std::size_t left(std::tuple<error, std::size_t>&& outcome) {
    auto& [why, count] = outcome;
    if (why && why.code != errc::delivery_timed_out) throw system_error{std::move(why)};
    return count;
}

}  // namespace

answer<protocol::messages::metadata_response> client::metadata(const std::vector<std::string>& topics) {
    auto& h = *host_;
    return value(h.loop.call<answer<protocol::messages::metadata_response>>([&](auto handler) { h.client->async_metadata(topics, detailed(std::move(handler))); }));
}

std::vector<broker_info> client::brokers() const {
    std::vector<broker_info> all;
    host_->loop.run([&] { all = host_->client->brokers(); });
    return all;
}

// --- transactions ---

transaction::transaction(transaction&& other) noexcept : host_{std::move(other.host_)}, of_{std::move(other.of_)} { other.of_.reset(); }

transaction& transaction::operator=(transaction&& other) noexcept {
    if (this == &other) return *this;
    leave();
    host_ = std::move(other.host_);
    of_ = std::move(other.of_);
    other.of_.reset();
    return *this;
}

void transaction::leave() noexcept {
    // Where its producer is, which takes no notice of us while it does so.
    if (of_) asio::post(host_->loop.executor(), [gone = std::move(*of_)]() mutable { (void)gone; });
    of_.reset();
    host_.reset();
}

client_detail::loop& transaction::where() const {
    if (!of_) throw std::logic_error{"kw::blocking::transaction: it was moved from, or never begun"};
    return host_->loop;
}

error transaction::trouble() const {
    error why;
    where().run([&] { why = of_->trouble(); });
    return why;
}

void transaction::send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, patience deadline) {
    auto [why] = where().call<>([&](auto handler) {
        if (deadline) of_->async_send_offsets(offsets, group, *deadline, detailed(std::move(handler)));
        else of_->async_send_offsets(offsets, group, detailed(std::move(handler)));
    });
    if (why) throw system_error{std::move(why)};
}

void transaction::commit(error& why, patience deadline) {
    auto [e] = where().call<>([&](auto handler) {
        if (deadline) of_->async_commit(*deadline, detailed(std::move(handler)));
        else of_->async_commit(detailed(std::move(handler)));
    });
    why = std::move(e);
}

void transaction::commit(patience deadline) {
    error why;
    commit(why, deadline);
    if (why) throw system_error{std::move(why)};
}

void transaction::abort(patience deadline) {
    auto [why] = where().call<>([&](auto handler) {
        if (deadline) of_->async_abort(*deadline, detailed(std::move(handler)));
        else of_->async_abort(detailed(std::move(handler)));
    });
    if (why) throw system_error{std::move(why)};
}

void producer::init_transactions(std::optional<std::chrono::milliseconds> deadline) {
    auto [why] = host_->loop.call<>([&](auto handler) {
        if (deadline) producer_->async_init_transactions(*deadline, detailed(std::move(handler)));
        else producer_->async_init_transactions(detailed(std::move(handler)));
    });
    if (why) throw system_error{std::move(why)};
}

transaction producer::begin_transaction(std::optional<std::chrono::milliseconds> deadline) {
    auto tx = value(host_->loop.call<kafkawire::transaction>([&](auto handler) {
        if (deadline) producer_->async_begin_transaction(*deadline, detailed(std::move(handler)));
        else producer_->async_begin_transaction(detailed(std::move(handler)));
    }));
    return {host_, std::move(tx)};
}

// --- the producer ---

producer::producer(const client_options& client, const producer_options& options) : host_{std::make_shared<client_detail::hosted_client>(client)} { make(options); }
producer::producer(asio::io_context& io, const client_options& client, const producer_options& options)
    : host_{std::make_shared<client_detail::hosted_client>(io, client)} {
    make(options);
}
producer::producer(client& of, const producer_options& options) : host_{of.host_} { make(options); }

producer::~producer() {
    if (host_) client_detail::destroy_on(host_->loop, producer_);
}

producer& producer::operator=(producer&& other) noexcept {
    if (this == &other) return *this;
    if (host_) client_detail::destroy_on(host_->loop, producer_);
    host_ = std::move(other.host_);
    producer_ = std::move(other.producer_);
    other.producer_.reset();
    return *this;
}

void producer::make(const producer_options& options) {
    host_->loop.run([&] { producer_.emplace(*host_->client, options); });
}

delivery producer::send(const record& r, error& why) {
    auto [e, at] = host_->loop.call<delivery>([&](auto handler) { producer_->async_send(r, detailed(std::move(handler))); });
    why = std::move(e);
    return at;
}

delivery producer::send(const record& r) {
    error why;
    const auto at = send(r, why);
    if (why) throw system_error{std::move(why)};
    return at;
}

batch_result producer::send_batch(std::span<const record> records, error& why) {
    auto [e, result] = host_->loop.call<batch_result>([&](auto handler) { producer_->async_send_batch(records, detailed(std::move(handler))); });
    why = std::move(e);
    return result;
}

batch_result producer::send_batch(std::span<const record> records) {
    error why;
    const auto result = send_batch(records, why);
    if (why) throw system_error{std::move(why)};
    return result;
}

void producer::enqueue(const record& r) {
    auto [why] = host_->loop.call<>([&](auto handler) { producer_->async_enqueue(r, detailed(std::move(handler))); });
    if (why) throw system_error{std::move(why)};
}

void producer::on_delivery(unique_function<void(const delivery_report&)> handler) {
    host_->loop.run([&] { producer_->on_delivery(std::move(handler)); });
}

void producer::warm_up(std::vector<std::string> topics) {
    auto [why] = host_->loop.call<>([&](auto handler) { producer_->async_warm_up(std::move(topics), detailed(std::move(handler))); });
    if (why) throw system_error{std::move(why)};
}

std::size_t producer::flush(std::chrono::milliseconds deadline) {
    return left(host_->loop.call<std::size_t>([&](auto handler) { producer_->async_flush(deadline, detailed(std::move(handler))); }));
}

std::size_t producer::close(std::chrono::milliseconds deadline) {
    return left(host_->loop.call<std::size_t>([&](auto handler) { producer_->async_close(deadline, detailed(std::move(handler))); }));
}

producer_statistics producer::statistics() const {
    producer_statistics s;
    host_->loop.run([&] { s = producer_->statistics(); });
    return s;
}

}  // namespace kafkawire::blocking
