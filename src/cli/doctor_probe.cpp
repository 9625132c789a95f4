#include "cli/doctor_probe.hpp"

#include <kafkawire/asio_environment.hpp>
#include <kafkawire/client.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

namespace kafkawire::cli {

using namespace protocol;

namespace {

// Somebody waits, at most so long, for a callback.
struct bell {
    bell(asio::io_context& io, std::chrono::milliseconds most) : timer{io, most} {}
    asio::awaitable<bool> wait() {
        std::error_code ec;
        if (!rung) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        co_return rung;
    }
    void ring() {
        rung = true;
        timer.cancel();
    }
    asio::steady_timer timer;
    bool rung = false;
};

std::string host_and_port(const listener_place& p) {
    auto plain = p;
    plain.node = -1;
    return name_of(plain);
}

messages::api_versions_request who_asks() {
    messages::api_versions_request r;
    r.client_software_name = "kafkawire";
    r.client_software_version = KAFKAWIRE_VERSION_STRING;
    return r;
}

}  // namespace

prober::prober(asio::io_context& io, client_options options, std::chrono::milliseconds patience)
    : io_{io}, options_{std::move(options)}, patience_{patience}, world_{net::make_asio_environment(io.get_executor())} {
    options_.connect_timeout = patience_;
    options_.request_timeout = patience_;
    options_.reconnect_backoff = options_.reconnect_backoff_max = patience_;  // one look, not several
}

asio::awaitable<name_facts> prober::look_up(std::string host) {
    name_facts facts;
    if (const auto address = net::ip_address::parse(host)) {
        facts.addresses.push_back(*address);
        co_return facts;
    }
    bell b{io_, patience_};
    const auto lookup = world_->default_resolver().async_resolve(host, [&](net::resolver::answer a) {
        facts.text = a.text.empty() && a.code ? a.code.message() : a.text;
        if (!a.code) facts.addresses = std::move(a.addresses);
        b.ring();
    });
    const bool told = co_await b.wait();
    if (!told) facts.text = "the name servers have not answered in time";
    co_return facts;
}

asio::awaitable<std::vector<connect_facts>> prober::connect(std::vector<net::ip_address> addresses, std::uint16_t port) {
    std::vector<connect_facts> all;
    for (const auto& a : addresses) {
        connect_facts one{{a, port}, errc::connect_timed_out};
        bell b{io_, patience_};
        auto stream = world_->make_stream();
        stream->async_connect(one.to, [&](std::error_code ec) {
            one.why = ec;
            b.ring();
        });
        (void)co_await b.wait();
        stream->close();
        stream.reset();
        all.push_back(one);
        if (!one.why) break;
    }
    co_return all;
}

client_options prober::options_for(const listener_place& p) const {
    auto o = options_;
    o.bootstrap = host_and_port(p);
    return o;
}

asio::awaitable<bool> prober::answers(client_options o) {
    if (validate(o)) co_return false;
    client c{io_, o};
    auto request = who_asks();
    const auto [why, answer] = co_await c.async_request(std::move(request), as_tuple(asio::use_awaitable));
    co_return !why;
}

asio::awaitable<contact_facts> prober::contact(listener_place p) {
    contact_facts facts;
    const auto o = options_for(p);
    {
        client c{io_, o};
        auto request = who_asks();
        const auto [why, answer] = co_await c.async_request(std::move(request), detailed(as_tuple(asio::use_awaitable)));
        facts.why = why;
        std::int16_t fetch = -1, produce = -1;
        for (const auto& api : answer.api_keys) {
            ++facts.apis;
            const auto* const ours = find_api(api.api_key);
            if (ours && ours->request->versions.lowest <= api.max_version && api.min_version <= ours->request->versions.highest) ++facts.common;
            if (api.api_key == 1) fetch = api.max_version;
            if (api.api_key == 0) produce = api.max_version;
        }
        facts.release = release_of(fetch, produce);
    }
    if (!facts.why) co_return facts;
    auto other = o;
    other.sasl_mechanism.reset();
    other.sasl_username.clear();
    other.sasl_password = other.sasl_token = secret{};
    other.sasl_unsecured_tokens = false;
    other.token_source = {};
    other.tls_ca_file.clear();
    other.tls_ca_folder.clear();
    other.tls_ca_pem.clear();
    other.tls_certificate_file.clear();
    other.tls_certificate_pem.clear();
    other.tls_key_file.clear();
    other.tls_key_pem = other.tls_key_password = secret{};
    if (has_tls(o.security_protocol)) {
        other.tls_verify = tls_verify::full;
        other.security_protocol = security_protocol::plaintext;
        facts.plain_works = co_await answers(other);
    } else {
        other.tls_verify = tls_verify::insecure_i_know;
        other.security_protocol = security_protocol::ssl;
        facts.tls_works = co_await answers(other);
    }
    co_return facts;
}

asio::awaitable<prober::cluster_answer> prober::metadata(listener_place p) {
    cluster_answer result;
    client c{io_, options_for(p)};
    messages::metadata_request request;
    request.topics.emplace();
    request.allow_auto_topic_creation = false;
    const auto [why, answer] = co_await c.async_request(std::move(request), detailed(as_tuple(asio::use_awaitable)));
    result.facts.why = why;
    if (why) co_return result;
    result.facts.cluster_id = answer.cluster_id.value_or("");
    result.facts.brokers = answer.brokers.size();
    result.facts.controller = answer.controller_id;
    for (const auto& b : answer.brokers) {
        listener_place at{b.host, static_cast<std::uint16_t>(b.port), b.node_id, p.host};
        result.listeners.push_back(std::move(at));
    }
    co_return result;
}

}  // namespace kafkawire::cli
