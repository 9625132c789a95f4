// What the doctor makes of what it has seen.
#include "catch.hpp"
#include "cli/doctor_findings.hpp"

using namespace kafkawire;
using namespace kafkawire::cli;

namespace {

error why(std::error_code code, phase in, std::string text, std::string hint = {}) {
    error e;
    e.code = code;
    e.in = in;
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}
// As a client tells it of all its brokers.
error none_available(error cause) {
    auto e = why(errc::no_broker_available, phase::none, "none of the brokers could be reached");
    e.cause = std::make_shared<const error>(std::move(cause));
    return e;
}
listener_place boot(std::string host = "kafka", std::uint16_t port = 9092) { return {std::move(host), port, -1, {}}; }
listener_place told(std::string host, std::string bootstrap = "kafka.example.com", std::int32_t node = 2) { return {std::move(host), 9092, node, std::move(bootstrap)}; }
bool says(const finding& f, std::string_view text) {
    for (const auto& a : f.advice)
        if (a.find(text) != std::string::npos) return true;
    return false;
}
net::ip_address ip(std::string_view text) { return *net::ip_address::parse(text); }
std::string steps(const std::vector<finding>& all) {
    std::string s;
    for (const auto& f : all) s += f.step + (f.how == diagnosis::ill ? "! " : f.how == diagnosis::left_out ? "- " : " ");
    return s;
}

}  // namespace

TEST_CASE("places are named as people write them, and this machine's own are known", "[doctor]") {
    CHECK(name_of(boot()) == "kafka:9092");
    CHECK(name_of(boot("::1", 1)) == "[::1]:1");
    CHECK(name_of(told("k2")) == "broker 2 at k2:9092");
    for (const auto* host : {"localhost", "127.0.0.1", "127.3.4.5", "::1", "a.localhost"}) CHECK(is_loopback(host));
    for (const auto* host : {"local", "128.0.0.1", "::2", "localhost.example.com", ""}) CHECK_FALSE(is_loopback(host));
}

TEST_CASE("a name without an address: of the bootstrap list it may be misspelled, of a broker it is advertised wrong", "[doctor]") {
    CHECK(judge_name(boot(), {{}, {ip("10.0.0.1"), ip("10.0.0.2")}}).what == "10.0.0.1, 10.0.0.2");
    const auto mine = judge_name(boot("kafak"), {"no such name", {}});
    CHECK(mine.how == diagnosis::ill);
    CHECK(mine.why == "no such name");
    CHECK(says(mine, "spelled right"));
    CHECK_FALSE(says(mine, "advertised.listeners"));
    const auto theirs = judge_name(told("kafka-2.internal"), {"no such name", {}});
    CHECK(says(theirs, "advertised.listeners of broker 2"));
    CHECK(says(theirs, "containers"));
    CHECK(says(theirs, "/etc/hosts"));
}

TEST_CASE("a connection: one address that takes it is enough; refusals and silence have other causes", "[doctor]") {
    const net::endpoint v6{ip("::1"), 9092}, v4{ip("127.0.0.1"), 9092};
    const auto refused = std::make_error_code(std::errc::connection_refused);
    const auto second = judge_connection(boot(), {{v6, refused}, {v4, {}}});
    CHECK(second.how == diagnosis::well);
    CHECK(second.what.find("connected to 127.0.0.1:9092; [::1]:9092: ") == 0);
    const auto none = judge_connection(boot(), {{v6, refused}, {v4, refused}});
    CHECK(none.what == "nothing listens there");
    CHECK(says(none, "is the broker running"));
    CHECK_FALSE(says(none, "firewall"));
    const auto silent = judge_connection(told("10.1.2.3"), {{{ip("10.1.2.3"), 9092}, errc::connect_timed_out}});
    CHECK(silent.what == "no connection can be made");
    CHECK(says(silent, "firewall"));
    CHECK(says(silent, "private network"));
    CHECK(says(silent, "advertised.listeners of broker 2"));
}

TEST_CASE("an advertised localhost is this machine, unless the bootstrap address was this machine too", "[doctor]") {
    const auto refused = std::make_error_code(std::errc::connection_refused);
    const auto f = judge_connection(told("localhost"), {{{ip("127.0.0.1"), 9092}, refused}});
    CHECK(says(f, "localhost is this machine itself"));
    CHECK(says(f, "kafka.example.com perhaps"));
    CHECK_FALSE(says(judge_connection(told("localhost", "127.0.0.1"), {{{ip("127.0.0.1"), 9092}, refused}}), "this machine itself"));
    // Something answers there all the same: a tunnel, or another cluster.
    CHECK(judge_listener(told("localhost"), {}, "A", "A").how == diagnosis::doubtful);
    CHECK(judge_listener(told("localhost"), {}, "A", "B").how == diagnosis::ill);
    CHECK(judge_listener(told("localhost", "localhost"), {}, "A", "A").how == diagnosis::well);
    CHECK(judge_listener(told("k2"), {}, "A", "").how == diagnosis::well);
    const auto broken = judge_listener(told("k2"), {judge_name(told("k2"), {"no such name", {}})}, "A", "");
    CHECK(broken.what == "resolve: this machine knows no address for k2");
    CHECK(says(broken, "advertised.listeners"));
}

TEST_CASE("a contact breaks at one step; what came before was well, what comes behind is not told", "[doctor]") {
    client_options o;
    contact_facts c;
    c.apis = 60;
    c.common = 58;
    c.release = "3.9";
    CHECK(steps(judge_contact(boot(), c, o)) == "tls- versions sasl- ");
    CHECK(judge_contact(boot(), c, o)[1].what == "60 APIs, 58 of them ours too, as Kafka 3.9 has them");
    o.security_protocol = security_protocol::sasl_ssl;
    o.sasl_mechanism = sasl_mechanism::scram_sha_512;
    o.sasl_username = "alice";
    CHECK(steps(judge_contact(boot(), c, o)) == "tls versions sasl ");
    CHECK(judge_contact(boot(), c, o)[2].what == "SCRAM-SHA-512 as alice");

    c.why = none_available(why(errc::tls_failed, phase::tls, "the certificate of kafka is not trusted", "tls_ca_file names the authority"));
    auto all = judge_contact(boot(), c, o);
    CHECK(steps(all) == "tls! ");
    CHECK(all[0].what == "the certificate of kafka is not trusted");
    CHECK(says(all[0], "tls_ca_file"));
    c.plain_works = true;
    all = judge_contact(boot(), c, o);
    CHECK(says(all[0], "without TLS: security_protocol sasl_plaintext"));
    CHECK_FALSE(says(all[0], "tls_ca_file"));

    c.plain_works = false;
    c.why = none_available(why(errc::authentication_failed, phase::sasl, "the broker does not believe us", "is the password right?"));
    all = judge_contact(boot(), c, o);
    CHECK(steps(all) == "tls versions sasl! ");
    CHECK(says(all[2], "is the password right?"));

    o = {};
    c.why = none_available(why(errc::not_kafka, phase::api_versions, "an HTTP server answers there", "check the port"));
    all = judge_contact(boot(), c, o);
    CHECK(steps(all) == "tls- versions! ");
    CHECK(says(all[1], "check the port"));
    c.why = none_available(why(errc::connection_closed, phase::api_versions, "the peer closed the connection"));
    c.tls_works = true;
    all = judge_contact(boot(), c, o);
    CHECK(says(all[1], "the listener speaks TLS"));
    c.why = why(errc::request_timed_out, phase::request, "no answer in time");
    CHECK(steps(judge_contact(boot(), c, o)) == "tls- versions sasl- versions! ");
    c.why = none_available(why(errc::connect_failed, phase::connect, "it has gone meanwhile"));
    CHECK(steps(judge_contact(boot(), c, o)) == "connect! ");
}

TEST_CASE("what a cluster says of itself", "[doctor]") {
    CHECK(judge_metadata(boot(), {{}, "A", 3, 1}, {}).what == "cluster A, 3 brokers");
    CHECK(judge_metadata(boot(), {{}, "A", 1, -1}, {}).how == diagnosis::doubtful);
    CHECK(judge_metadata(boot(), {{}, "A", 0, 1}, {}).how == diagnosis::ill);
    const auto hung_up = judge_metadata(boot(), {none_available(why(errc::connection_closed, phase::request, "closed")), {}, 0, -1}, {});
    CHECK(hung_up.how == diagnosis::ill);
    CHECK(says(hung_up, "a listener that wants SASL hangs up"));
}

TEST_CASE("the scratch topic: a right that is missing is a fault, but of making topics", "[doctor]") {
    CHECK(judge_scratch("create", "t", {}).how == diagnosis::well);
    const auto denied = why(make_error_code(broker_errc::topic_authorization_failed), phase::request, "not authorized");
    CHECK(judge_scratch("create", "t", denied).how == diagnosis::doubtful);
    CHECK(says(judge_scratch("create", "t", denied), "--topic NAME"));
    CHECK(judge_scratch("produce", "t", denied).how == diagnosis::ill);
    CHECK(says(judge_scratch("produce", "t", denied), "ACL for t"));
    CHECK(says(judge_scratch("produce", "t", why(make_error_code(broker_errc::not_enough_replicas), phase::request, "x")), "min.insync.replicas"));
    CHECK(says(judge_scratch("delete", "t", denied), "topics delete t"));
    CHECK(says(judge_scratch("fetch", "t", why(errc::request_timed_out, phase::none, "late", "look there")), "look there"));
}

TEST_CASE("releases by the versions of Fetch and Produce", "[doctor]") {
    CHECK(release_of(18, 13) == "4.1 and later");
    CHECK(release_of(17, 12) == "4.0");
    CHECK(release_of(17, 11) == "3.9");
    CHECK(release_of(12, 9) == "2.7 to 3.0");
    CHECK(release_of(3, 2) == "0.10.1 and 0.10.2");
    CHECK(release_of(-1, -1).empty());
}
