// The public faces of the servers; signals.
#include <kafkawire/app/consumer_server.hpp>

#include <asio/signal_set.hpp>
#include <algorithm>

#include "app/service_core.hpp"

namespace kafkawire::inline v0_1 {
namespace app {

namespace {

class app_category final : public std::error_category {
    [[nodiscard]] const char* name() const noexcept override { return "kafkawire.app"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::handler_failed: return "the handler failed";
            case errc::handler_gone: return "the handler dropped its call";
            case errc::handler_slow: return "the handler is slow";
            case errc::given_up: return "no try could handle the message";
            case errc::stopped: return "it was stopped";
        }
        return "unknown error";
    }
};

}  // namespace

const std::error_category& category() noexcept {
    static const app_category one;
    return one;
}

error error_of(std::exception_ptr what) {
    error e;
    try {
        std::rethrow_exception(std::move(what));
    } catch (const kafkawire::system_error& s) {
        return s.detail();
    } catch (const std::system_error& s) {
        e.code = s.code();
        e.text = s.what();
    } catch (const std::exception& s) {
        e.text = s.what();
    } catch (...) {
        e.text = "something that is no std::exception was thrown";
    }
    // A code of 0 would be success.
    if (!e.code) e.code = make_error_code(errc::handler_failed);
    return e;
}

consumer_server::consumer_server(client& c, const consumer_options& read, handler what, const handler_options& how, const producer_options& send)
    : core_{std::make_shared<detail::service_core>(c, read, std::move(what), how, send)} {}
consumer_server::~consumer_server() = default;
consumer_server::consumer_server(consumer_server&&) noexcept = default;
consumer_server& consumer_server::operator=(consumer_server&&) noexcept = default;
void consumer_server::on_error(unique_function<void(const service_error&)> what) { core_->on_error = std::move(what); }
void consumer_server::run_on(asio::any_io_executor pool) { core_->pool = std::move(pool); }
void consumer_server::stop() { core_->stop({}); }
void consumer_server::stop(std::chrono::milliseconds patience) { core_->stop(patience); }
service_statistics consumer_server::statistics() const noexcept { return core_->statistics(); }
session consumer_server::session() const { return core_->session(); }
const consumer& consumer_server::reader() const noexcept { return core_->reader; }

struct services::state {
    explicit state(asio::any_io_executor ex) : executor{std::move(ex)} {}
    asio::any_io_executor executor;
    std::vector<consumer_server> servers;
    unique_function<void(const service_error&)> on_error;
    std::optional<asio::signal_set> signals;
    bool started = false;
    std::size_t left = 0;
    error first;
    unique_function<void(error)> over;

    void ended(error why) {
        if (why && !first) first = std::move(why);
        if (--left > 0) return;
        signals.reset();
        if (auto told = std::move(over)) told(std::exchange(first, {}));
    }
};

services::services(asio::any_io_executor executor) : state_{std::make_shared<state>(std::move(executor))} {}
services::~services() = default;
asio::any_io_executor services::executor() const noexcept { return state_->executor; }

void services::add(std::string name, consumer_server server) {
    server.core_->name = std::move(name);
    server.on_error([weak = std::weak_ptr{state_}](const service_error& e) {
        if (const auto s = weak.lock(); s && s->on_error) s->on_error(e);
    });
    state_->servers.push_back(std::move(server));
}

void services::on_error(unique_function<void(const service_error&)> what) { state_->on_error = std::move(what); }

void services::stop_on_signals(std::vector<int> signals) {
    auto& set = state_->signals.emplace(state_->executor);
    for (const auto s : signals) set.add(s);
    set.async_wait([weak = std::weak_ptr{state_}](std::error_code ec, int) {
        const auto s = weak.lock();
        if (ec || !s) return;
        // A second one is not ours.
        s->signals.reset();
        for (auto& server : s->servers) server.stop();
    });
}

void services::run(unique_function<void(error)> over) {
    auto& s = *state_;
    if (std::exchange(s.started, true)) return over(error{.code = make_error_code(errc::stopped), .text = "services run once"});
    s.over = std::move(over);
    s.left = s.servers.size() + 1;
    for (auto& server : s.servers)
        detail::run(*server.core_, [weak = std::weak_ptr{state_}](error why) {
            if (const auto self = weak.lock()) self->ended(std::move(why));
        });
    s.ended({});
}

void services::stop() {
    asio::post(state_->executor, [weak = std::weak_ptr{state_}] {
        if (const auto s = weak.lock())
            for (auto& server : s->servers) server.stop();
    });
}

void services::cancel(const std::weak_ptr<state>& s) {
    if (const auto alive = s.lock())
        asio::post(alive->executor, [s] {
            if (const auto self = s.lock())
                for (const auto& server : self->servers) detail::cancel(server.core_);
        });
}

const consumer_server* services::find(std::string_view name) const noexcept {
    for (const auto& s : state_->servers)
        if (s.core_->name == name) return &s;
    return nullptr;
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
