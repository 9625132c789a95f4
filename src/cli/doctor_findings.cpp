#include "cli/doctor_findings.hpp"

#include <kafkawire/protocol/api.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "cli/failure.hpp"

namespace kafkawire::cli {

namespace {

// The error that began it: wrappers ("none of the brokers ...") have no phase of their own.
const error& root_of(const error& e) {
    const auto* at = &e;
    while (at->cause && (at->code == errc::no_broker_available || at->in == phase::none)) at = at->cause.get();
    return *at;
}

finding ill(std::string step, const listener_place& p, std::string what, std::string why = {}) {
    return {std::move(step), name_of(p), diagnosis::ill, std::move(what), std::move(why), {}, std::chrono::milliseconds{-1}};
}
finding well(std::string step, const listener_place& p, std::string what) { return {std::move(step), name_of(p), diagnosis::well, std::move(what), {}, {}, std::chrono::milliseconds{-1}}; }

// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7: of use within its own network only.
bool is_private(const net::ip_address& a) {
    const auto* const o = a.octets.data();
    if (a.v6) return (o[0] & 0xfe) == 0xfc;
    return o[0] == 10 || (o[0] == 172 && (o[1] & 0xf0) == 16) || (o[0] == 192 && o[1] == 168);
}

bool advertised_wrong(const listener_place& p) { return p.node >= 0 && is_loopback(p.host) && !is_loopback(p.bootstrap_host); }

// What somebody can do about an address that leads nowhere.
void advise_on_address(finding& f, const listener_place& p, const std::vector<net::ip_address>& addresses) {
    if (p.node < 0) return;
    if (advertised_wrong(p)) {
        f.advice.push_back(fmt::format("{} is this machine itself, not the broker's: set the broker's advertised.listeners to an address that clients reach, {} perhaps", p.host, p.bootstrap_host));
        return;
    }
    f.advice.push_back(fmt::format("set advertised.listeners of broker {} to a name and port that this machine reaches; clients use it for all but their first request", p.node));
    if (std::any_of(addresses.begin(), addresses.end(), is_private)) f.advice.push_back("it is an address of a private network: a VPN, or a listener for clients from outside, is needed from here");
    f.advice.push_back("brokers in containers need a second listener for clients outside, with an advertised address of its own");
}

std::string address_list(const std::vector<net::ip_address>& all) {
    std::string text;
    for (const auto& a : all) text += (text.empty() ? "" : ", ") + a.to_string();
    return text;
}

bool refused(const std::error_code& e) { return e == std::errc::connection_refused; }

void advise_on_silence(finding& f, const contact_facts& c, const client_options& o) {
    const auto mine = o.security_protocol;
    if (c.tls_works && !has_tls(mine)) f.advice.push_back(fmt::format("the listener speaks TLS: security_protocol {} would be right (--tls, --tls-ca FILE)", has_sasl(mine) ? "sasl_ssl" : "ssl, or sasl_ssl,"));
    if (c.plain_works && has_tls(mine)) f.advice.push_back(fmt::format("the listener speaks Kafka without TLS: security_protocol {} would be right, or the port of its TLS listener", has_sasl(mine) ? "sasl_plaintext" : "plaintext"));
}

// A connection's steps in their order: the versions are asked for between TLS and SASL.
int turn_of(phase in) {
    switch (in) {
        case phase::resolve:
        case phase::connect: return 1;
        case phase::tls: return 2;
        case phase::none:
        case phase::api_versions: return 3;
        case phase::sasl: return 4;
        case phase::request: break;
    }
    return 5;
}

finding from(std::string step, const listener_place& p, const error& e) {
    auto f = ill(std::move(step), p, e.text.empty() ? e.code.message() : e.text);
    if (e.cause) {
        const auto& because = root_of(*e.cause);
        f.why = because.text.empty() ? because.code.message() : because.text;
    }
    return f;
}

void add_hint(finding& f, const error& e) {
    if (!e.hint.empty()) f.advice.push_back(with_flags(e.hint));
}

}  // namespace

std::string name_of(const listener_place& p) {
    const bool v6 = p.host.find(':') != std::string::npos;
    const auto address = fmt::format("{}{}{}:{}", v6 ? "[" : "", p.host, v6 ? "]" : "", p.port);
    return p.node < 0 ? address : fmt::format("broker {} at {}", p.node, address);
}

bool is_loopback(std::string_view host) noexcept {
    if (host == "localhost" || host.ends_with(".localhost") || host == "localhost.localdomain") return true;
    const auto a = net::ip_address::parse(host);
    if (!a) return false;
    if (!a->v6) return a->octets[0] == 127;
    return std::all_of(a->octets.begin(), a->octets.end() - 1, [](auto o) { return o == 0; }) && a->octets.back() == 1;
}

finding judge_name(const listener_place& p, const name_facts& n) {
    if (!n.addresses.empty()) {
        auto f = well("resolve", p, net::ip_address::parse(p.host) ? "an address already" : address_list(n.addresses));
        f.took = std::chrono::milliseconds{0};
        return f;
    }
    auto f = ill("resolve", p, fmt::format("this machine knows no address for {}", p.host), n.text);
    advise_on_address(f, p, {});
    if (p.node < 0) f.advice.push_back("is the name spelled right, and does it resolve elsewhere? `getent hosts " + p.host + "` asks the system");
    else f.advice.push_back("for a try, the broker's address and " + p.host + " in /etc/hosts");
    return f;
}

finding judge_connection(const listener_place& p, const std::vector<connect_facts>& tried) {
    std::string failures;
    for (const auto& t : tried) {
        if (!t.why) return well("connect", p, failures.empty() ? "connected to " + t.to.to_string() : "connected to " + t.to.to_string() + "; " + failures);
        failures += (failures.empty() ? "" : "; ") + t.to.to_string() + ": " + t.why.message();
    }
    const bool all_refused = std::all_of(tried.begin(), tried.end(), [](const connect_facts& t) { return refused(t.why); });
    auto f = ill("connect", p, all_refused ? "nothing listens there" : "no connection can be made", failures);
    std::vector<net::ip_address> addresses;
    for (const auto& t : tried) addresses.push_back(t.to.address);
    advise_on_address(f, p, addresses);
    if (p.node < 0 && all_refused) f.advice.insert(f.advice.end(), {"is the broker running, and is that its port? brokers usually listen on 9092", "in a container: is the port published?"});
    if (!all_refused) f.advice.push_back("a firewall or a security group may drop the packets");
    return f;
}

std::vector<finding> judge_contact(const listener_place& p, const contact_facts& c, const client_options& o) {
    std::vector<finding> all;
    const auto& root = root_of(c.why);
    const int broke_at = c.why ? turn_of(root.in) : 9;
    const bool tls = has_tls(o.security_protocol), sasl = has_sasl(o.security_protocol);
    const auto who = sasl && o.sasl_mechanism ? fmt::format("{} as {}", to_string(*o.sasl_mechanism), o.sasl_username.empty() ? "the token says" : o.sasl_username) : std::string{};
    const auto versions = c.why ? std::string{"asked for"} : fmt::format("{} APIs, {} of them ours too{}", c.apis, c.common, c.release.empty() ? "" : ", as Kafka " + c.release + " has them");
    const struct {
        int turn;
        const char* step;
        bool wanted;
        std::string good;
    } steps[] = {{1, "connect", true, {}},
                 {2, "tls", tls, o.tls_verify == tls_verify::full ? "agreed on, and the certificate is trusted" : "agreed on; the certificate was not looked at"},
                 {3, "versions", true, versions},
                 {4, "sasl", sasl, who}};
    for (const auto& s : steps) {
        if (broke_at == s.turn) {
            auto f = from(s.step, p, root);
            advise_on_silence(f, c, o);
            // Who knows what speaks there needs no guess.
            if (f.advice.empty()) add_hint(f, root);
            all.push_back(std::move(f));
            return all;
        }
        if (s.turn == 1) continue;
        if (s.wanted) all.push_back(well(s.step, p, s.good));
        else all.push_back({s.step, name_of(p), diagnosis::left_out, "not asked for", {}, {}, std::chrono::milliseconds{-1}});
    }
    if (c.why) {
        auto f = from("versions", p, root);
        add_hint(f, root);
        all.push_back(std::move(f));
    }
    return all;
}

finding judge_metadata(const listener_place& p, const cluster_facts& c, const client_options& o) {
    if (c.why) {
        const auto& root = root_of(c.why);
        auto f = from("metadata", p, root);
        if (!has_sasl(o.security_protocol) && (root.code == errc::connection_closed || root.code == errc::closed_mid_frame))
            f.advice = {fmt::format("a listener that wants SASL hangs up on whoever has not shown who he is: security_protocol {}, with --sasl-mechanism and --sasl-username", has_tls(o.security_protocol) ? "sasl_ssl" : "sasl_plaintext")};
        else add_hint(f, root);
        return f;
    }
    auto f = well("metadata", p, fmt::format("cluster {}, {} broker{}", c.cluster_id.empty() ? "without an id" : c.cluster_id, c.brokers, c.brokers == 1 ? "" : "s"));
    if (c.brokers == 0) {
        f.how = diagnosis::ill;
        f.what = "the cluster names no brokers";
        f.advice = {"no broker has registered with the controller yet: the brokers' logs say why"};
    } else if (c.controller < 0) {
        f.how = diagnosis::doubtful;
        f.what += ", no controller";
        f.advice = {"topics cannot be created until there is one: look at the controllers"};
    }
    return f;
}

finding judge_listener(const listener_place& p, const std::vector<finding>& on_the_way, const std::string& cluster_id, const std::string& cluster_there) {
    finding f{"listener", name_of(p), diagnosis::well, "reachable from here", {}, {}, std::chrono::milliseconds{-1}};
    for (const auto& w : on_the_way)
        if (w.how == diagnosis::ill) {
            f.how = diagnosis::ill;
            f.what = w.step + ": " + w.what;
            f.why = w.why;
            f.advice = w.advice;
            return f;
        }
    if (!cluster_id.empty() && !cluster_there.empty() && cluster_id != cluster_there) {
        f.how = diagnosis::ill;
        f.what = fmt::format("another cluster answers there: {}, not {}", cluster_there, cluster_id);
        advise_on_address(f, p, {});
        return f;
    }
    if (advertised_wrong(p)) {
        f.how = diagnosis::doubtful;
        f.what = "reachable from here, as something on this machine leads there";
        advise_on_address(f, p, {});
    }
    return f;
}

finding judge_scratch(std::string step, const std::string& topic, const error& why) {
    finding f{std::move(step), topic, diagnosis::well, "done", {}, {}, std::chrono::milliseconds{-1}};
    if (!why) return f;
    const auto& root = root_of(why);
    f.how = diagnosis::ill;
    f.what = root.text.empty() ? root.code.message() : root.text;
    if (root.cause) f.why = root.cause->text.empty() ? root.cause->code.message() : root.cause->text;
    const auto code = root.code;
    if (code == broker_errc::topic_authorization_failed || code == broker_errc::cluster_authorization_failed || code == broker_errc::transactional_id_authorization_failed) {
        f.how = f.step == "create" ? diagnosis::doubtful : diagnosis::ill;
        f.advice.push_back(f.step == "create" ? "this user may not create topics, which may be all right: --topic NAME tries one that is there" : "this user lacks the right: ask for an ACL for " + topic);
    } else if (code == broker_errc::invalid_replication_factor) {
        f.advice.push_back("default.replication.factor is larger than the number of brokers");
    } else if (code == broker_errc::not_enough_replicas || code == broker_errc::not_enough_replicas_after_append) {
        f.advice.push_back("min.insync.replicas is more than the replicas that are in sync: is a broker down?");
    } else if (code == broker_errc::policy_violation) {
        f.advice.push_back("the cluster has a rule for new topics: --topic NAME tries one that is there");
    }
    if (!root.hint.empty() && f.advice.empty()) f.advice.push_back(with_flags(root.hint));
    if (f.step == "delete") f.advice.push_back("it is left there: kafka-cli topics delete " + topic);
    return f;
}

std::string release_of(std::int16_t fetch, std::int16_t produce) {
    if (fetch >= 18) return "4.1 and later";
    if (fetch == 17) return produce >= 12 ? "4.0" : "3.9";
    struct row {
        std::int16_t fetch;
        const char* release;
    };
    static constexpr row rows[] = {{16, "3.7 and 3.8"}, {14, "3.5 and 3.6"}, {13, "3.1 to 3.4"}, {12, "2.7 to 3.0"}, {11, "2.3 to 2.6"}, {9, "2.1 and 2.2"},
                                   {8, "2.0"},          {7, "1.1"},          {6, "1.0"},         {4, "0.11"},        {3, "0.10.1 and 0.10.2"}, {2, "0.10.0"}, {1, "0.9"}};
    for (const auto& r : rows)
        if (fetch >= r.fetch) return r.release;
    return {};
}

}  // namespace kafkawire::cli
