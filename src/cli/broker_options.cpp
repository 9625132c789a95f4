#include "cli/broker_options.hpp"

#include <kafkawire/environment.hpp>
#include <kafkawire/options.hpp>

#include <fmt/format.h>

#include <limits>

#include "broker/config_rules.hpp"
#include "broker/topic_rules.hpp"
#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/nearest.hpp"
#include "cli/text.hpp"
#include "cli/throwaway_certificates.hpp"

namespace kafkawire::cli {

namespace {

std::int64_t in_range(const char* name, const std::optional<std::int64_t>& given, std::int64_t low, std::int64_t high, std::int64_t otherwise) {
    if (!given) return otherwise;
    if (*given < low || *given > high) throw usage_error(fmt::format("{} takes {} to {}, not {}", name, low, high, *given));
    return *given;
}

std::pair<std::string, std::string> parse_entry(const std::string& word) {
    const auto at = word.find('=');
    if (at == 0 || at == word.npos) throw usage_error(fmt::format("\"{}\" sets nothing", word), "write NAME=VALUE");
    return {word.substr(0, at), word.substr(at + 1)};
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
    std::vector<std::string> names;
    for (const auto& e : table) names.emplace_back(e.name);
    return names;
}

broker::advertised_address parse_advertised(const std::string& word) {
    std::vector<bootstrap_address> list;
    if (!parse_bootstrap(word, list).empty() || list.size() != 1) throw usage_error(fmt::format("--advertise {} is no address", word), "write HOST or HOST:PORT");
    const auto end = word.rfind(list.front().host) + list.front().host.size();
    const bool port = word.find(':', end) != std::string::npos;
    return {list.front().host, port ? list.front().port : std::uint16_t{0}};
}

// Certificates that were asked for are made only when everything else is right.
broker::listener_security listener_of(const broker_words& words, const std::string& host) {
    auto w = words.listener;
    for (const auto& m : words.mechanisms) w.mechanisms += (w.mechanisms.empty() ? "" : ",") + m;
    if (words.session_lifetime) {
        const auto t = parse_duration(*words.session_lifetime);
        if (!t || t->count() < 1) throw usage_error(fmt::format("--session-lifetime {} is no length of time", *words.session_lifetime), "write it as 500ms, 30s or 2m");
        w.session_lifetime = std::to_string(t->count());
    }
    if (words.certificates) {
        if (!w.certificate.empty() || !w.key.empty()) throw usage_error("--certificates and --certificate do not go together", "one of them would be right");
        if (w.protocol.empty()) w.protocol = w.users.empty() && !w.test_tokens ? "ssl" : "sasl_ssl";
        w.certificate = *words.certificates + "/broker.pem";
    } else if (w.protocol.empty()) {
        const bool tls = !w.certificate.empty(), sasl = !w.users.empty() || w.test_tokens;
        w.protocol = tls ? (sasl ? "sasl_ssl" : "ssl") : (sasl ? "sasl_plaintext" : "");
    }
    if (const auto why = broker::refuse_listener(w); !why.empty()) throw usage_error(why, "see kafka-cli broker --help");
    if (words.certificates) (void)make_throwaway_certificates(*words.certificates, {"127.0.0.1", "::1", host});
    broker::listener_security s;
    if (const auto why = broker::read_listener(w, s); !why.empty()) throw failure{status::failed, "io", why, "see kafka-cli broker --help"};
    return s;
}

}  // namespace

std::optional<std::uint64_t> parse_bytes(std::string_view word) {
    std::uint64_t factor = 1;
    if (!word.empty()) {
        const auto unit = std::string_view{"kKmMgG"}.find(word.back());
        if (unit != std::string_view::npos) {
            factor = std::uint64_t{1} << (10 * (unit / 2 + 1));
            word.remove_suffix(1);
        }
    }
    const auto n = number<std::uint64_t>(word);
    if (!n || *n > std::numeric_limits<std::uint64_t>::max() / factor) return {};
    return *n * factor;
}

broker::topic_spec parse_topic(const std::string& word) {
    broker::topic_spec spec;
    auto rest = word;
    const auto comma = rest.find(',');
    std::string entries = comma == rest.npos ? "" : rest.substr(comma + 1);
    rest = rest.substr(0, comma);
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= rest.size();) {
        const auto end = std::min(rest.find(':', at), rest.size());
        parts.push_back(rest.substr(at, end - at));
        at = end + 1;
    }
    spec.name = parts[0];
    if (const auto why = broker::refuse_topic_name(spec.name)) throw usage_error(fmt::format("\"{}\" cannot be a topic: {}", spec.name, *why));
    const auto part = [&](std::size_t i, std::int64_t high, const char* what) -> std::int64_t {
        const auto n = number<std::int64_t>(parts[i]);
        if (!n || *n < 1 || *n > high) throw usage_error(fmt::format("topic \"{}\": {} are 1 to {}, not \"{}\"", spec.name, what, high, parts[i]), "write NAME:PARTITIONS:REPLICAS");
        return *n;
    };
    if (parts.size() > 3) throw usage_error(fmt::format("topic \"{}\" has too many colons", word), "write NAME:PARTITIONS:REPLICAS");
    if (parts.size() > 1) spec.partitions = static_cast<std::int32_t>(part(1, 100'000, "partitions"));
    if (parts.size() > 2) spec.replication_factor = static_cast<std::int16_t>(part(2, 1000, "replicas"));
    while (!entries.empty()) {
        const auto end = std::min(entries.find(','), entries.size());
        auto [name, value] = parse_entry(entries.substr(0, end));
        entries.erase(0, end + 1);
        if (!broker::find_topic_config(name))
            throw usage_error(fmt::format("a topic has no configuration \"{}\" here", name), did_you_mean(name, names_of(broker::topic_configs())));
        spec.configs[name] = value;
    }
    if (const auto why = broker::refuse_topic_configs(spec.configs)) throw usage_error(fmt::format("topic \"{}\": {}", spec.name, *why));
    return spec;
}

broker::options broker_options(const broker_words& words) {
    broker::options o;
    o.nodes = static_cast<std::int32_t>(in_range("--nodes", words.nodes, 1, 1000, 1));
    const auto port = in_range("--port", words.port, 0, 65'535, 0);
    if (port + o.nodes - 1 > 65'535) throw usage_error(fmt::format("{} nodes from port {} on need ports beyond 65535", o.nodes, port));
    // The nodes listen on neighbouring ports; a port of 0 leaves all of them to the system.
    for (std::int32_t i = 0; i < o.nodes && port > 0; ++i) o.ports.push_back(static_cast<std::uint16_t>(port + i));
    o.seed = static_cast<std::uint64_t>(in_range("--seed", words.seed, 0, std::numeric_limits<std::int64_t>::max(), 0));
    if (words.host) o.host = *words.host;
    if (!net::ip_address::parse(o.host)) throw usage_error(fmt::format("--host {} is no IP address", o.host), "clients are told this address: write one that they reach");
    if (words.folder) o.folder = *words.folder;
    if (words.as_version) o.as_version = *words.as_version;
    if (words.max_bytes) {
        const auto n = parse_bytes(*words.max_bytes);
        if (!n || *n == 0) throw usage_error(fmt::format("--max-bytes {} is no number of bytes", *words.max_bytes), "write it as 1048576, 512M or 2G");
        o.max_bytes = *n;
    }
    for (const auto& t : words.topics) o.topics.push_back(parse_topic(t));
    for (const auto& c : words.configs) {
        auto [name, value] = parse_entry(c);
        const auto* entry = broker::find_broker_config(name);
        if (!entry)
            throw usage_error(fmt::format("the broker has no configuration \"{}\" here", name), did_you_mean(name, names_of(broker::broker_configs()), "topics have theirs after their name: --topic NAME:PARTITIONS,CONFIG=VALUE"));
        if (const auto why = broker::refuse_broker_config(*entry, value)) throw usage_error(fmt::format("--config {}: {}", name, *why));
        o.configs[name] = value;
    }
    for (const auto& a : words.advertised) o.advertised.push_back(parse_advertised(a));
    o.security = listener_of(words, o.host);
    return o;
}

}  // namespace kafkawire::cli
