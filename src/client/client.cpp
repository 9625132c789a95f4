#include <kafkawire/asio_environment.hpp>
#include <kafkawire/bootstrap.hpp>
#include <kafkawire/client.hpp>
#include <kafkawire/detail/client_environment.hpp>
#include <kafkawire/protocol/api.hpp>

#include <stdexcept>

#include "client/readiness.hpp"
#include "client/routed_call.hpp"

namespace kafkawire::inline v0_1 {

namespace detail {
const error*& current_error() noexcept {
    thread_local const error* story = nullptr;
    return story;
}
}  // namespace detail

namespace client_detail {

std::shared_ptr<begun> prepare(core& c, std::unique_ptr<operation> what) { return std::make_shared<routed_call>(c.shared_from_this(), std::move(what)); }
std::shared_ptr<begun> prepare_ready(core& c, std::unique_ptr<waiting_operation> what, std::chrono::milliseconds within) {
    return std::make_shared<readiness>(c, std::move(what), within);
}
void close(core& c) { c.close(); }
std::shared_ptr<core> core_of(const kafkawire::client& c) noexcept { return c.core_; }
const asio::any_io_executor& executor_of(const core& c) noexcept { return c.executor(); }
const std::shared_ptr<net::environment>& environment_of(const kafkawire::client& c) noexcept { return core_of(c)->shared_env(); }

const protocol::message_schema* answer_schema(const protocol::message_schema& request) noexcept {
    if (request.as != protocol::role::request) return nullptr;
    const auto* api = protocol::find_api(request.key);
    return api ? api->response : nullptr;
}

}  // namespace client_detail

client::client(asio::any_io_executor executor, const client_options& options, std::shared_ptr<net::environment> env, std::shared_ptr<net::resolver> names) {
    if (auto wrong = validate(options)) throw system_error{std::move(wrong)};
    net::bootstrap_lease lease{options.bootstrap, nullptr, {}};
    std::string_view rest;
    if (const auto scheme = net::find_bootstrap_scheme(options.bootstrap, rest)) lease = scheme->open(rest, executor, env);
    std::vector<bootstrap_address> bootstrap;
    (void)parse_bootstrap(lease.servers, bootstrap);  // validate() has found nothing wrong
    if (!env) env = net::make_asio_environment(executor);
    core_ = std::make_shared<client_detail::core>(std::move(executor), options, bootstrap, std::move(env), std::move(names));
    core_->hold(std::move(lease));
}

client::~client() {
    if (core_) core_->close_at_last();
}

client& client::operator=(client&& other) noexcept {
    if (this != &other) {
        if (core_) core_->close_at_last();
        core_ = std::move(other.core_);
    }
    return *this;
}

const client_options& client::options() const noexcept { return core_->options(); }

std::vector<broker_info> client::brokers() const {
    std::vector<broker_info> all;
    for (const auto& e : core_->brokers().entries()) {
        if (e.gone) continue;
        all.push_back({e.id, e.host, e.port, e.rack, e.state, e.last_error ? *e.last_error : error{}});
    }
    return all;
}

std::vector<broker_health> client::health() const { return core_->health(); }

void client::log(log_level level, std::string_view component, std::string_view text, std::span<const log_field> fields) const noexcept {
    if (core_->reports()) core_->reports()->log(level, component, text, fields);
}

const protocol::message_schema* client::require_request(const protocol::message_schema& schema) {
    const auto* answer = client_detail::answer_schema(schema);
    if (!answer) throw std::invalid_argument{"async_request_any: " + std::string{schema.name} + " is not a request"};
    return answer;
}

protocol::messages::metadata_request client::metadata_of(const std::vector<std::string>& topics) {
    protocol::messages::metadata_request m;
    m.allow_auto_topic_creation = false;
    for (const auto& name : topics) m.topics->emplace_back().name = name;
    return m;
}

}  // namespace kafkawire::inline v0_1
