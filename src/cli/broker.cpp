// broker: the embedded cluster as a program, for clients of any kind.
#include <kafkawire/broker.hpp>
#include <kafkawire/options.hpp>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <fmt/format.h>

#include <csignal>
#include <memory>

#include "cli/broker_faults.hpp"
#include "cli/broker_options.hpp"
#include "cli/broker_socket.hpp"
#include "cli/broker_trace.hpp"
#include "cli/command.hpp"
#include "cli/nearest.hpp"

namespace kafkawire::cli {

namespace {

struct broker_arguments {
    broker_words words;
    std::string trace;
    std::optional<std::string> faults, control;
};

void check_trace(const std::string& form) {
    const std::vector<std::string> forms{"text", "json"};
    if (!form.empty() && std::find(forms.begin(), forms.end(), form) == forms.end())
        throw usage_error(fmt::format("--trace={} is none of text, json", form), did_you_mean(form, forms, "write --trace or --trace=json"));
}

// Listening fails for reasons that a person at the keyboard can do something about.
failure cannot_listen(std::error_code why, const broker::options& o) {
    const auto port = o.ports.empty() ? std::uint16_t{0} : o.ports.front();
    failure f{status::failed, "listen_failed", fmt::format("cannot listen on {}: {}", net::endpoint{*net::ip_address::parse(o.host), port}.to_string(), why.message())};
    f.code = why.value();
    if (why == std::errc::address_in_use) f.hint = "another program listens there; --port 0 takes a free one";
    else if (why == std::errc::address_not_available) f.hint = "--host must be an address of this machine";
    else if (why == std::errc::permission_denied) f.hint = "ports below 1024 are the system's";
    return f;
}

// What the library refuses of the options came from the command line.
broker::cluster make_cluster(asio::io_context& io, const broker::options& o) {
    try {
        return broker::cluster{io, o};
    } catch (const system_error& e) {
        if (e.code() != errc::bad_configuration) throw;
        throw usage_error(e.detail().text.empty() ? e.detail().message() : e.detail().text, "see kafka-cli broker --help");
    }
}

// --tls... and --sasl... are everybody's; a broker that ignored them would be open to all.
void refuse_words_of_clients(const context& c) {
    client_options asked;
    if (c.secure) c.secure(asked);
    if (asked.security_protocol != security_protocol::plaintext || asked.sasl_mechanism)
        throw usage_error("--security-protocol, --tls... and --sasl... are about how a client connects", "a broker has --security, --certificates, --certificate, --mechanism and --users");
}

status serve(context& c, const broker_arguments& a) {
    check_trace(a.trace);
    refuse_words_of_clients(c);
    const auto options = broker_options(a.words);
    const auto faults = a.faults ? read_faults(*a.faults) : std::vector<broker::fault>{};
    asio::io_context io{1};
    asio::signal_set signals{io, SIGINT, SIGTERM};
    auto cluster = make_cluster(io, options);
    std::exception_ptr thrown;
    const auto say = [&](const std::string& line) {
        try {
            c.out->write(line);
            c.out->flush();
        } catch (...) {
            // Inside the cluster's own call: its driver must not be unwound.
            thrown = std::current_exception();
            io.stop();
        }
    };
    if (!a.trace.empty()) cluster.watch([&, json = a.trace == "json"](const broker::passing& p) { say(json ? trace_json(p) : trace_line(p)); });
    if (const auto ec = cluster.start()) throw cannot_listen(ec, options);
    for (const auto& f : faults) cluster.control().add(f);
    std::optional<broker_socket> control;
    if (a.control) control.emplace(io, cluster, *a.control);
    signals.async_wait([&](std::error_code, int) {
        cluster.close();
        io.stop();
    });
    say(fmt::format("running at {}\n", cluster.bootstrap()));
    note("Ctrl-C ends it");
    io.run();
    if (thrown) std::rethrow_exception(thrown);
    return status::done;
}

}  // namespace

void add_broker(command root) {
    auto sub = root.add("broker", "Runs a Kafka cluster inside this process: no Java, nothing to install");
    auto a = std::make_shared<broker_arguments>();
    sub.option("--port", a->words.port, "Of the first node; the others follow. 0, the default: free ones", "PORT");
    sub.option("--host", a->words.host, "The IP address to listen on, which clients are told too (default 127.0.0.1)", "ADDRESS");
    sub.option("--advertise", a->words.advertised, "Where clients are told to come to, if not to where it listens: advertised.listeners (repeat for each node)", "HOST:PORT");
    sub.option("--nodes", a->words.nodes, "How many nodes (default 1), numbered from 1", "N");
    sub.option("--topic", a->words.topics, "A topic to begin with: NAME:PARTITIONS:REPLICAS,CONFIG=VALUE,... (repeat)", "TOPIC");
    sub.option("--folder", a->words.folder, "Keep everything there, across restarts; default: in memory", "FOLDER");
    sub.option("--max-bytes", a->words.max_bytes, "Of records, over all partitions, as 512M or 2G (default 1G); the oldest go first", "SIZE");
    sub.option("--config", a->words.configs, "An entry of the brokers' configuration, by Kafka's name (repeat)", "NAME=VALUE");
    sub.option("--faults", a->faults, "What goes wrong, one JSON object a line; see kafka-cli broker-control --help for the members", "FILE");
    sub.option("--control", a->control, "A Unix socket on which kafka-cli broker-control steers it", "SOCKET");
    sub.option("--security", a->words.listener.protocol, "plaintext, ssl, sasl_plaintext or sasl_ssl; not given: what certificate and users are good for", "NAME");
    sub.option("--certificates", a->words.certificates, "TLS to try out: certificates of this folder, made if they are not there: ca.pem for --tls-ca, broker.pem, client.pem", "FOLDER");
    sub.option("--certificate", a->words.listener.certificate, "TLS: the nodes' certificate, PEM", "FILE");
    sub.option("--key", a->words.listener.key, "Its private key, PEM, if it is not in the same file", "FILE");
    sub.option("--client-ca", a->words.listener.client_ca, "Clients must show a certificate of that authority, PEM", "FILE");
    sub.option("--users", a->words.listener.users, "SASL: who is let in, one NAME:PASSWORD a line", "FILE");
    sub.option("--mechanism", a->words.mechanisms, "plain, scram-sha-256, scram-sha-512 or oauthbearer (repeat); not given: those with passwords", "NAME");
    sub.flag("--test-tokens", a->words.listener.test_tokens, "oauthbearer believes every token, on the loopback interface only");
    sub.option("--session-lifetime", a->words.session_lifetime, "Clients show again who they are before so long, as 30s or 5m", "TIME");
    sub.option("--as-version", a->words.as_version, "Offer what that version of Kafka offers (default 4.3)", "VERSION");
    sub.option("--seed", a->words.seed, "Of ids and choices: the same seed and requests, the same answers", "N");
    sub.option_or_flag("--trace", "text", a->trace, "Print each request and answer, decoded, in one line; --trace=json: as JSON");
    sub.examples("  kafka-cli broker --port 9092\n"
                 "  kafka-cli broker --nodes 3 --topic orders:6 --topic accounts:1,cleanup.policy=compact\n"
                 "  kafka-cli broker --port 9092 --trace=json | jq .header\n"
                 "  echo alice:secret >users; kafka-cli broker --port 9093 --certificates tls --users users\n"
                 "  kafka-cli broker --port 9092 --control /tmp/k & kafka-cli broker-control /tmp/k fault api=Fetch delay=300ms");
    sub.does([a](context& c) { return serve(c, *a); });
}

}  // namespace kafkawire::cli
