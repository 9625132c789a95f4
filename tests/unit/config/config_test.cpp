// The dialects: files that are wrong, each with what is said of it word for word; the configurations that the five documents print; parameters and
// defaults; and bytes of any kind. Whoever changes what is said runs with KAFKAWIRE_TEST_UPDATE=1, reads what has changed, and keeps it.
#include <kafkawire/config.hpp>
#include <kafkawire/partitioner.hpp>

#include "catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

using namespace kafkawire;
using namespace kafkawire::config;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const fs::path data = fs::path{KAFKAWIRE_SOURCE_DIR} / "tests/data/config";

std::string contents(const fs::path& p) {
    std::ifstream in{p, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

settings read_variables(const std::string& text) {
    const auto lines = lines_of(text);
    std::vector<const char*> variables;
    for (const auto& l : lines) variables.push_back(l.c_str());
    variables.push_back(nullptr);
    return read_environment(variables.data());
}

// The lines of a Go map: "name": "value",
settings read_go_map(const std::string& text) {
    std::map<std::string, std::string> entries;
    for (const auto& l : lines_of(text)) {
        std::vector<std::string> quoted;
        for (std::size_t from = l.find('"'); from != l.npos; from = l.find('"', from)) {
            const auto to = l.find('"', from + 1);
            if (to == l.npos) break;
            quoted.push_back(l.substr(from + 1, to - from - 1));
            from = to + 1;
        }
        if (quoted.size() == 2) entries[quoted[0]] = quoted[1];
    }
    return read_properties(entries, defaults_of::librdkafka);
}

settings read(const fs::path& p) {
    const auto text = contents(p);
    const auto name = p.filename().string();
    if (p.extension() == ".toml") return read_toml(text, name);
    if (p.extension() == ".properties") return read_properties(text, name);
    if (p.extension() == ".env") return read_variables(text);
    if (p.extension() == ".map") return read_go_map(text);
    return read_addresses(text, name);
}

std::string said_of(const settings& s) {
    std::string said;
    for (const auto& p : s.problems) said += (p.warning ? "warning: " : "") + p.message() + "\n";
    return said;
}

std::string told_of(const settings& s) {
    auto told = said_of(s);
    for (const auto& m : meanings(s))
        if (m.from.find("default of ") != 0) told += m.owner + ": " + m.option + " = " + m.value + "  (" + m.from + ")\n";
    return told;
}

void compare(const fs::path& file, const std::string& got) {
    auto beside = file;
    beside.replace_extension(".expected");
    if (std::getenv("KAFKAWIRE_TEST_UPDATE")) std::ofstream{beside, std::ios::binary} << got;
    INFO(file.filename().string());
    CHECK(got == contents(beside));
}

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& f : fs::directory_iterator{folder})
        if (f.path().extension() != ".expected") files.push_back(f.path());
    std::sort(files.begin(), files.end());
    return files;
}

// An option of the only producer or consumer, as the table of meanings shows it.
std::string value_of(const settings& s, std::string_view option) {
    for (const auto& m : meanings(s, true))
        if (m.option == option && m.owner != "client") return m.value;
    // What is everybody's is said of the client.
    for (const auto& m : meanings(s, true))
        if (m.option == option) return m.value;
    return "?";
}

struct parameter {
    std::string name, by_default, given, option, effect;
};

void check_parameters(const std::vector<parameter>& all, const std::string& base, settings (*read)(std::string_view, std::string_view)) {
    const auto plain = read(base, {});
    REQUIRE(said_of(plain) == "");
    for (const auto& p : all) {
        INFO(p.name);
        CHECK(value_of(plain, p.option) == p.by_default);
        const auto s = read(base + "&" + p.name + "=" + p.given, {});
        CHECK(said_of(s) == "");
        CHECK(value_of(s, p.option) == p.effect);
        const auto mine = std::find_if(s.origins.begin(), s.origins.end(), [&](const origin& o) { return o.name == p.name && !o.by_dialect; });
        CHECK(mine != s.origins.end());
    }
}

}  // namespace

TEST_CASE("ten wrong files of each dialect, word for word", "[config]") {
    for (const auto* dialect : {"properties", "toml", "address", "environment"}) {
        const auto files = files_in(data / "wrong" / dialect);
        CHECK(files.size() == 10);
        for (const auto& f : files) {
            const auto s = read(f);
            compare(f, said_of(s));
            CHECK(!s.problems.empty());
            // A variable that is nearly ours is worth a word, and may still be somebody else's.
            CHECK((!s.ok() || f.filename() == "02.env"));
            CHECK(static_cast<bool>(s.error()) == !s.ok());
        }
    }
}

TEST_CASE("the configurations that the documents print, as they stand", "[config]") {
    const auto files = files_in(data / "documents");
    CHECK(files.size() >= 15);
    for (const auto& f : files) compare(f, told_of(read(f)));
}

TEST_CASE("ekafka's component", "[config]") {
    const auto s = read(data / "documents/ekafka_1.toml");
    REQUIRE(s.ok());
    CHECK(s.connection.debug);
    CHECK(s.client.bootstrap == "localhost:9091,localhost:9092,localhost:9093");
    CHECK(s.client.request_timeout == 3s);
    const auto& p1 = s.producers.at("p1");
    CHECK(p1.client.bootstrap == s.client.bootstrap);
    CHECK(p1.client.request_timeout == 20s);
    CHECK(p1.sending.topic == "sre-infra-test");
    CHECK(p1.sending.balancer == "my-balancer");
    CHECK(p1.options.max_retries == 9);
    CHECK(p1.options.batch_records == 100);
    CHECK(!p1.sending.async);
    CHECK(p1.options.batch_bytes == 1'048'576);
    CHECK(p1.options.linger == 1s);
    CHECK(p1.options.acks == acks::all);
    const auto& c1 = s.consumers.at("c1");
    CHECK(c1.options.group == "group-1");
    CHECK(c1.options.topics == std::vector<std::string>{"sre-infra-test"});
    CHECK(!c1.options.auto_commit);
    CHECK(c1.options.session_timeout == 30s);
    CHECK(c1.options.auto_offset_reset == offset_reset::earliest);
    CHECK(s.consumers.at("c2").options.group == "group-2");
    CHECK(read(data / "documents/ekafka_2.toml").servers.at("s1").consumer_name == "c1");

    const auto more = read_toml(R"([kafka]
brokers = ["a:1"]
client_id = "me"
clint_id = "x"
[kafka.client]
timeout = "1m30s"
"connections.max.idle.ms" = "2m"
[kafka.producers.p]
topic = "t"
balancer = "hash"
requiredAcks = 0
batchBytes = 20000000
lingerMs = "2s"
compression = "zstd"
[kafka.consumers.c]
topic = "t"
partition = 4
startOffset = 17
commitInterval = "2s"
watchPartitionChanges = true
partitionWatchInterval = "1500us"
readBackoffMax = "50ms"
[server.governor]
port = 9003
)", "x.toml");
    CHECK(said_of(more) == "x.toml:4: there is no key in [kafka] clint_id (it is \"x\"); did you mean client_id?\n");
    CHECK(more.producers.at("p").options.linger == 2s);
    CHECK(more.consumers.at("c").options.retry_backoff == 50ms);
    CHECK(more.client.request_timeout == 90s);
    CHECK(more.producers.at("p").client.client_id == "me");
    CHECK(more.producers.at("p").client.connections_max_idle == 120s);
    CHECK(more.producers.at("p").options.partitioner == "fnv1a");
    CHECK(more.producers.at("p").options.acks == acks::none);
    CHECK(more.producers.at("p").options.request_bytes == 20'000'000);
    CHECK(more.producers.at("p").options.compression == protocol::compression::zstd);
    CHECK(more.consumers.at("c").reading.partition == 4);
    CHECK(more.consumers.at("c").reading.start_offset == 17);
    CHECK(more.consumers.at("c").client.metadata_max_age == 2ms);
    CHECK(read_toml("[mq]\nbrokers=['a:1']\n[mq.producers.x]\ntopic='t'", "", "mq").producers.contains("x"));
}

TEST_CASE("every parameter of a producer's address", "[config]") {
    check_parameters(
        {
            {"clientid", "kafkawire", "me", "client_id", "me"},
            {"topic", "", "orders", "topic", "orders"},
            {"version", "", "0.1.1.0", "broker_version", "0.1.1.0"},
            {"version", "", "1.1.0", "broker_version", "1.1.0"},
            {"partitioner", "random", "roundrobin", "partitioner", "round_robin"},
            {"partitioner", "random", "hash", "partitioner", "fnv1a"},
            {"compression", "gzip", "none", "compression", "none"},
            {"compression", "gzip", "snappy", "compression", "snappy"},
            {"compression", "gzip", "lz4", "compression", "lz4"},
            {"compression", "gzip", "zstd", "compression", "zstd"},
            {"maxMessageBytes", "128 KiB", "1000", "max_message_bytes", "1000"},
            {"requiredAcks", "all", "0", "acks", "0"},
            {"requiredAcks", "all", "1", "acks", "1"},
            {"requiredAcks", "all", "-1", "acks", "all"},
            {"maxRetry", "3", "0", "max_retries", "0"},
            {"retryInterval", "100 ms", "250", "retry_backoff", "250 ms"},
            {"retryInterval", "100 ms", "250", "retry_backoff_max", "250 ms"},
            {"trpcMeta", "false", "true", "caller_metadata", "true"},
            {"discover", "", "polaris", "discover", "polaris"},
            {"discover", "", "polaris", "service", "h1:1,h2:2"},
            {"idempotent", "off", "true", "idempotence", "on"},
            {"async", "false", "1", "async", "true"},
        },
        "kafka://h1:1,h2:2?", read_producer_address);
    const auto s = read_producer_address("kafka://orders?topic=t&discover=polaris&namespace=Development");
    CHECK(s.ok());
    CHECK(s.producers.at("").connection.service == "orders");
    CHECK(s.producers.at("").connection.service_namespace == "Development");
    CHECK(read_producer_address("kafka://h:1?topic=t&version=0.10.2.0").producers.at("").client.broker_version == "0.10.2.0");
}

TEST_CASE("every parameter of a consumer's address", "[config]") {
    check_parameters(
        {
            {"clientid", "kafkawire", "me", "client_id", "me"},
            {"strategy", "sticky", "range", "assignors", "range"},
            {"strategy", "sticky", "roundrobin", "assignors", "roundrobin"},
            {"fetchDefault", "512 KiB", "1000", "partition_bytes", "1000"},
            {"fetchMax", "1 MiB", "2097152", "fetch_max_bytes", "2 MiB"},
            {"fetchMax", "1 MiB", "2097152", "max_message_bytes", "2 MiB"},
            {"batch", "0", "100", "batch", "100"},
            {"initial", "latest", "oldest", "auto_offset_reset", "earliest"},
            {"initial", "latest", "newest", "auto_offset_reset", "latest"},
            {"maxWaitTime", "1 s", "250", "fetch_max_wait", "250 ms"},
            {"maxRetry", "0", "-1", "max_retry", "-1"},
            {"maxRetry", "0", "5", "max_retry", "5"},
            {"netMaxOpenRequests", "5", "9", "max_in_flight", "9"},
            {"maxProcessingTime", "1 s", "50", "max_processing_time", "50 ms"},
            {"netDailTimeout", "30 s", "500", "connect_timeout", "500 ms"},
            {"netReadTimeout", "60 s", "5000", "request_timeout", "35 s"},
            {"netWriteTimeout", "60 s", "5000", "request_timeout", "35 s"},
            {"groupSessionTimeout", "10 s", "6000", "session_timeout", "6 s"},
            {"groupRebalanceTimeout", "60 s", "6000", "rebalance_timeout", "6 s"},
            {"retryInterval", "3 s", "10", "retry_interval", "10 ms"},
            {"isolationLevel", "read_uncommitted", "ReadCommitted", "isolation", "read_committed"},
            {"isolationLevel", "read_uncommitted", "ReadUncommitted", "isolation", "read_uncommitted"},
            {"trpcMeta", "false", "true", "caller_metadata", "true"},
            {"discover", "", "polaris", "discover", "polaris"},
            {"version", "", "0.10.2.0", "broker_version", "0.10.2.0"},
        },
        "h1:1,h2:2?topics=a,b&group=g", read_consumer_address);
    auto s = read_consumer_address("h:1?topics=a,b&group=g&batch=10&batchFlush=100&compression=lz4&maxRetry=2&after_last_try=dead_letter&dead_letter_topic=d");
    CHECK(s.ok());
    const auto& c = s.consumers.at("");
    CHECK(c.options.topics == std::vector<std::string>{"a", "b"});
    CHECK(c.options.group == "g");
    CHECK(c.options.auto_commit);
    CHECK(!c.options.auto_mark);
    CHECK(c.handling.batch_flush == 100ms);
    CHECK(c.handling.after_last_try == last_resort::dead_letter);
    CHECK(!check_batch_handler(c));
    CHECK(check_batch_handler(read_consumer_address("h:1?topics=a&group=g").consumers.at("")).code == errc::bad_configuration);
    CHECK(value_of(read_consumer_address("h:1?topics=a&group=g"), "batch_flush") == "2 s");

    consumer_settings mine;
    mine.client.bootstrap = "127.0.0.1:9092";
    mine.options.topics = {"test_topic"};
    register_address("made-up-address", mine);
    s = read_consumer_address("made-up-address", "x");
    CHECK(s.ok());
    CHECK(s.consumers.at("x").options.topics.front() == "test_topic");
}

TEST_CASE("properties: Java's syntax", "[config]") {
    std::vector<problem> problems;
    const auto all = parse_properties("\xef\xbb\xbf! one\n  # two\n\na=1\nb : 2\r\nc\t3\nd\\ e\\=f = \\u00e9\\uD83D\\uDE00 \\\n   more\\\\\n=x\ng\nh = tail \\", "f", problems);
    CHECK(problems.empty());
    std::string got;
    for (const auto& p : all) got += std::to_string(p.line) + " [" + p.name + "] [" + p.value + "]\n";
    CHECK(got == "4 [a] [1]\n5 [b] [2]\n6 [c] [3]\n7 [d e=f] [\xc3\xa9\xf0\x9f\x98\x80 more\\]\n9 [] [x]\n10 [g] []\n11 [h] [tail]\n");
}

TEST_CASE("properties: names of others, defaults of others", "[config]") {
    auto s = read_properties(std::map<std::string, std::string>{{"bootstrap.servers", "a:1,b:2"},
                                                                 {"message.send.max.retries", "2"},
                                                                 {"queue.buffering.max.ms", "0.5"},
                                                                 {"compression.codec", "lz4"},
                                                                 {"isolation.level", "read_uncommitted"},
                                                                 {"auto.offset.reset", "smallest"},
                                                                 {"queue.buffering.max.kbytes", "2048"},
                                                                 {"connections.max.idle.ms", "-1"},
                                                                 {"message.timeout.ms", "0"},
                                                                 {"debug", "broker,topic"},
                                                                 {"partitioner", "consistent"},
                                                                 {"group.id", "g"},
                                                                 {"partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}});
    REQUIRE(said_of(s) == "");
    const auto& p = s.producers.at("");
    CHECK(p.client.bootstrap == "a:1,b:2");
    CHECK(p.client.connections_max_idle == 0s);
    CHECK(p.options.max_retries == 2);
    CHECK(p.options.linger == 1ms);
    CHECK(p.options.compression == protocol::compression::lz4);
    CHECK(p.options.send_buffer == 2u << 20);
    CHECK(p.options.delivery_timeout.count() == 2'147'483'647);
    CHECK(p.options.partitioner == "crc32");
    CHECK(p.connection.debug);
    const auto& c = s.consumers.at("");
    CHECK(c.options.isolation == isolation::read_uncommitted);
    CHECK(c.options.auto_offset_reset == offset_reset::earliest);
    CHECK(c.options.assignors == std::vector<std::string>{"cooperative-sticky"});
    CHECK(!c.options.auto_commit);

    s = read_properties(std::map<std::string, std::string>{{"group.id", "g"}}, defaults_of::librdkafka);
    CHECK(s.consumers.at("").options.auto_commit);
    CHECK(s.consumers.at("").options.assignors == std::vector<std::string>{"range", "roundrobin"});
    CHECK(!idempotent(s.producers.at("").options));
    CHECK(s.producers.at("").options.partitioner == "consistent_random");
    s = read_properties(std::map<std::string, std::string>{}, defaults_of::java);
    CHECK(s.ok());
    CHECK(!s.consumers.at("").options.auto_commit);
    CHECK(s.consumers.at("").options.isolation == isolation::read_uncommitted);

    // A typo in the name of a secret does not show it.
    s = read_properties(std::map<std::string, std::string>{{"sasl.pasword", "hunter2"}, {"ssl.key.passwrd", "hunter2"}});
    CHECK(s.problems.size() == 2);
    CHECK(said_of(s).find("hunter2") == std::string::npos);
}

TEST_CASE("security in each dialect; secrets are taken and never shown", "[config]") {
    const std::string canary = "c4n4ry";
    const auto check = [&](const settings& s, const client_options& client) {
        CHECK(said_of(s).find("would be right") == std::string::npos);
        CHECK(client.sasl_password.reveal() == canary);
        CHECK(client.sasl_username == "alice");
        CHECK(client.sasl_mechanism == sasl_mechanism::scram_sha_512);
        CHECK(told_of(s).find(canary) == std::string::npos);
        CHECK(told_of(s).find("sasl_password = (hidden)") != std::string::npos);
    };
    const auto properties = read_properties("security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=alice\nsasl.password=" + canary, "f");
    check(properties, properties.consumers.at("").client);
    CHECK(properties.client.security_protocol == security_protocol::sasl_ssl);
    const auto toml = read_toml("[kafka]\nbrokers=['a:1']\n[kafka.client]\nsecurity.protocol='SASL_SSL'\nsasl={mechanism='SCRAM-SHA-512', username='alice'}\nsaslPassword='" + canary + "'\n[kafka.producers.p]\ntopic='t'", "f");
    check(toml, toml.producers.at("p").client);
    const auto address = read_consumer_address("h:1?topics=t&group=g&mechanism=SCRAM-SHA-512&user=alice&password=" + canary);
    check(address, address.consumers.at("").client);
    CHECK(address.consumers.at("").client.security_protocol == security_protocol::sasl_plaintext);
    CHECK(said_of(address) == "warning: consumer: sasl_plaintext: the password is not sent, but everybody between here and the brokers can read and change all else\n");
    const auto over_tls = read_consumer_address("h:1?topics=t&group=g&mechanism=SCRAM-SHA-512&user=alice&security.protocol=SASL_SSL&password=" + canary);
    CHECK(over_tls.consumers.at("").client.security_protocol == security_protocol::sasl_ssl);
    const auto environment = read_variables("KAFKAWIRE_SECURITY_PROTOCOL=SASL_SSL\nKAFKAWIRE_SASL_MECHANISMS=SCRAM-SHA-512\nKAFKAWIRE_SASL_USERNAME=alice\nKAFKAWIRE_SASL_PASSWORD=" + canary);
    check(environment, environment.client);

    // What is wrong does not tell either.
    for (const auto* wrong : {"mechanism=SCRAM-SHA-1&user=alice", "user=alice", "mechanism=SCRAM-SHA-256"}) {
        const auto s = read_consumer_address("h:1?topics=t&group=g&" + std::string{wrong} + "&password=" + canary);
        CHECK(!s.ok());
        CHECK(said_of(s).find(canary) == std::string::npos);
    }
    CHECK(said_of(read_properties("sasl.password=" + canary, "f")).find("f:1: sasl.password is set, and security_protocol is plaintext") == 0);
    CHECK(said_of(read_properties("sasl.mechanisms=" + canary, "f")).find("plain, scram-sha-256, scram-sha-512 or oauthbearer would be right") != std::string::npos);
}

TEST_CASE("profiles", "[config]") {
    const std::string file = "current = \"test\"\n[profiles.test]\nbootstrap_servers = \"a:1\"\n[profiles.prod]\n\"bootstrap.servers\" = [\"b:1\", \"b:2\"]\nclient.id = \"me\"\nlinger = 5\n";
    std::vector<problem> problems;
    auto entries = parse_profile(file, "profiles.toml", "prod", problems);
    REQUIRE(entries.size() == 3);
    const auto s = read_properties(entries);
    CHECK(said_of(s) == "");
    CHECK(s.client.bootstrap == "b:1,b:2");
    CHECK(s.client.client_id == "me");
    CHECK(s.producers.at("").options.linger == 5ms);
    entries = parse_profile(file, "profiles.toml", "", problems);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].name == "bootstrap_servers");
    CHECK(said_of(read_properties(entries)) == "profiles.toml:3: there is no property bootstrap_servers (it is \"a:1\"); did you mean bootstrap.servers?\n");
    CHECK(problems.empty());
    (void)parse_profile(file, "profiles.toml", "prd", problems);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].message() == "profiles.toml: there is no profile \"prd\"; did you mean prod?");
}

TEST_CASE("later entries count more, and properties lie over any configuration", "[config]") {
    auto s = read_toml("[kafka]\nbrokers=['a:1']\n[kafka.producers.p]\ntopic='t'\n", "x.toml");
    REQUIRE(s.ok());
    const std::vector<property> over{{"bootstrap.servers", "z:9", "-X"}, {"acks", "1", "-X"}};
    apply_properties(s, over);
    CHECK(said_of(s) == "");
    CHECK(s.client.bootstrap == "z:9");
    CHECK(s.producers.at("p").client.bootstrap == "z:9");
    CHECK(s.producers.at("p").options.acks == acks::leader);
}

TEST_CASE("names are explained in each dialect", "[config]") {
    std::string nearest;
    const auto linger = explain("linger.ms", nearest);
    for (const auto* name : {"linger", "queue.buffering.max.ms", "KAFKAWIRE_LINGER_MS"}) CHECK(explain(name, nearest) == linger);
    CHECK(linger.find("batchTimeout in [kafka.producers.NAME] (default 1s)") != std::string::npos);
    CHECK(explain("netDailTimeout", nearest).find("connect_timeout") == 0);
    CHECK(explain("statistics.interval.ms", nearest).find("Of other clients") != std::string::npos);
    CHECK(explain("liger.ms", nearest).empty());
    CHECK(nearest == "linger.ms");
}

TEST_CASE("the reference in docs/options.md is up to date", "[config]") {
    const auto file = fs::path{KAFKAWIRE_SOURCE_DIR} / "docs/options.md";
    if (std::getenv("KAFKAWIRE_TEST_UPDATE")) std::ofstream{file, std::ios::binary} << manual();
    INFO("kafka-cli config explain --all --markdown > docs/options.md");
    CHECK((contents(file) == manual()));
}

TEST_CASE("bytes of any kind are refused or taken, never more", "[config]") {
    std::vector<std::string> seeds;
    for (const auto* folder : {"wrong/properties", "wrong/toml", "wrong/address", "documents"})
        for (const auto& f : files_in(data / folder)) seeds.push_back(contents(f));
    const auto try_all = [](const std::string& text) {
        std::vector<problem> problems;
        (void)meanings(read_properties(text, "f"));
        (void)meanings(read_toml(text, "f"));
        (void)meanings(read_addresses(text, "f"));
        (void)read_producer_address(text);
        (void)read_consumer_address(text);
        (void)parse_profile(text, "f", "p", problems);
    };
    std::mt19937 random{20261122};
    for (int i = 0; i < 150; ++i) {
        auto text = seeds[random() % seeds.size()];
        const auto cut = random() % (text.size() + 1);
        if (i % 3 == 0) text.resize(cut);
        for (int change = i % 3 == 0 ? 0 : 4; change > 0 && !text.empty(); --change) {
            const auto at = random() % text.size();
            text[at] = static_cast<char>(random());
        }
        try_all(text);
    }
    std::string noise(300, '\0');
    for (int i = 0; i < 50; ++i) {
        for (auto& c : noise) c = static_cast<char>(random());
        try_all(noise);
    }
    // Depth, length and number have limits.
    std::string deep = "a=" + std::string(5000, '['), long_list = "h:1?";
    for (int i = 0; i < 5000; ++i) long_list += "x" + std::to_string(i) + "=1&";
    try_all(deep);
    CHECK(read_consumer_address(long_list).problems.size() <= 110);
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "name" + std::to_string(i) + "=1\n";
    CHECK(read_properties(many, "f").problems.size() <= 110);
}
