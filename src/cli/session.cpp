#include "cli/session.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/protocol/releases.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "cli/configuration.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

// What a signal handler may touch: a flag and a pipe.
volatile std::sig_atomic_t signals_seen = 0;
int signal_pipe[2] = {-1, -1};

extern "C" void on_signal(int) {
    if (signals_seen != 0) ::_exit(static_cast<int>(status::interrupted));
    signals_seen = 1;
    const char one = 1;
    [[maybe_unused]] const auto n = ::write(signal_pipe[1], &one, 1);
}

int open_signal_pipe() {
    if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) throw failure{status::failed, "pipe", "cannot make a pipe", "too many open files?"};
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigemptyset(&action.sa_mask);
    // Without SA_RESTART: a read of standard input that waits comes back.
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    return signal_pipe[0];
}

}  // namespace

client_options client_options_of(const context& c) {
    if (c.client) return *c.client;
    const auto& s = settings_of(c);
    // An address has all of its client's options; elsewhere they are the configuration's own.
    auto o = s.client;
    if (config::dialect_of(c.config_file) == config::dialect::address) {
        if (const auto* p = configured_producer(c); p && s.consumers.empty()) o = p->client;
        else if (const auto* r = configured_consumer(c); r && s.producers.empty()) o = r->client;
        else throw usage_error(fmt::format("{} has several addresses", c.config_file), "give one of them alone");
    }
    if (c.brokers_given) o.bootstrap = c.brokers;
    if (c.client_id_given || o.client_id == client_options{}.client_id) o.client_id = c.client_id;
    if (c.timeout_given || o.request_timeout == client_options{}.request_timeout) o.request_timeout = c.timeout;
    o.connect_timeout = std::min(o.connect_timeout, c.timeout);
    if (c.secure) c.secure(o);
    if (const auto e = validate(o)) throw usage_error(with_flags(e.text.empty() ? e.message() : e.text), e.hint.empty() ? "see kafka-cli --help" : with_flags(e.hint));
    if (const auto warning = warning_of(o); !warning.empty()) note(warning);
    c.client = std::make_shared<const client_options>(o);
    return o;
}

session::session(context& c) : context_{c}, io_{1}, client_{io_, client_options_of(c)}, signals_{io_, open_signal_pipe()} {
    c.brokers = c.client->bootstrap;  // for what is said of them
    wait_for_signal();
}

session::~session() {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    ::close(signal_pipe[1]);
}

void session::wait_for_signal() {
    signals_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code ec) {
        if (ec) return;
        stopping_ = true;
        if (on_stop_) on_stop_();
        else io_.stop();
    });
}

status session::run(std::function<asio::awaitable<status>(session&)> what) {
    status result = status::interrupted;
    std::exception_ptr thrown;
    asio::co_spawn(io_, what(*this), [&](std::exception_ptr e, status s) {
        thrown = e;
        result = s;
        io_.stop();
    });
    io_.run();
    if (thrown) std::rethrow_exception(thrown);
    return result;
}

asio::awaitable<void> session::sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer{io_, time};
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<any_answer> session::ask_any(any_message message, request_options options, std::string doing) {
    try {
        auto a = co_await client_.async_request_any(std::move(message), options, detailed(asio::use_awaitable));
        co_return a;
    } catch (const system_error& e) {
        throw from_error(e.detail(), doing);
    }
}

asio::awaitable<std::int16_t> session::version_of(std::int16_t api_key, std::optional<std::int32_t> broker, std::string doing) {
    const auto id = broker.value_or(-1);
    if (!versions_.contains(id)) {
        messages::api_versions_request request;
        request.client_software_name = "kafkawire";
        request.client_software_version = KAFKAWIRE_VERSION_STRING;
        request_options options;
        options.broker = broker;
        const auto a = co_await ask(std::move(request), options, doing);
        versions known;
        // Held to a release, the client speaks nothing newer whatever brokers offer.
        const auto release = parse_release(client_.options().broker_version);
        for (const auto& k : a.api_keys) {
            const bool held = release && is_known_to_releases(k.api_key);
            if (held && highest_version(*release, k.api_key) < 0) continue;
            known[k.api_key] = {k.min_version, held ? std::min(k.max_version, highest_version(*release, k.api_key)) : k.max_version};
        }
        versions_[id] = std::move(known);
    }
    const auto* api = find_api(api_key);
    const auto& known = versions_[id];
    const auto at = known.find(api_key);
    const auto ours = api->request->versions;
    if (at == known.end() || at->second.first > ours.highest || at->second.second < ours.lowest) {
        failure f{status::failed, "no_common_version", fmt::format("{}: the broker does not speak {}", doing, api->name), "the broker is too old or too new for this"};
        f.api = api->name;
        throw f;
    }
    co_return std::min(ours.highest, at->second.second);
}

}  // namespace kafkawire::cli
