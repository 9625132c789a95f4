#include "config/names.hpp"

#include <algorithm>
#include <charconv>

namespace kafkawire::inline v0_1 {
namespace config {

namespace {

struct spelling {
    std::string_view theirs, ours;
};

std::string lower_case(std::string_view text) {
    std::string s{text};
    for (auto& c : s)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return s;
}

// One of some words, in any case; `right` says which.
std::string spelled(std::string_view value, std::span<const spelling> words, std::string_view right, std::string& wrong) {
    const auto given = lower_case(value);
    for (const auto& w : words)
        if (lower_case(w.theirs) == given) return std::string{w.ours};
    wrong = "; " + std::string{right} + " would be right";
    return {};
}

std::optional<std::int64_t> whole(std::string_view text) {
    std::int64_t v = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (ec != std::errc{} || end != text.data() + text.size()) return {};
    return v;
}

std::string offset_reset_word(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"earliest", "earliest"}, {"beginning", "earliest"}, {"smallest", "earliest"}, {"latest", "latest"}, {"end", "latest"},
                                         {"largest", "latest"},    {"none", "none"},          {"error", "none"}};
    return spelled(value, words, "earliest, latest or none", wrong);
}

std::string strategy_words(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"range", "range"},
                                         {"roundrobin", "roundrobin"},
                                         {"sticky", "sticky"},
                                         {"cooperative-sticky", "cooperative-sticky"},
                                         {"org.apache.kafka.clients.consumer.RangeAssignor", "range"},
                                         {"org.apache.kafka.clients.consumer.RoundRobinAssignor", "roundrobin"},
                                         {"org.apache.kafka.clients.consumer.StickyAssignor", "sticky"},
                                         {"org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "cooperative-sticky"}};
    std::string all;
    while (!value.empty() && wrong.empty()) {
        const auto comma = std::min(value.find(','), value.size());
        auto one = value.substr(0, comma);
        value.remove_prefix(std::min(value.size(), comma + 1));
        while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
        while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
        if (one.empty()) continue;
        const auto word = spelled(one, words, "range, roundrobin, sticky or cooperative-sticky, or a list of them,", wrong);
        all += (all.empty() ? "" : ",") + word;
    }
    return all;
}

std::string partitioner_word(std::string_view value, std::string&) {
    static constexpr spelling words[] = {{"consistent", "crc32"},
                                         {"org.apache.kafka.clients.producer.internals.DefaultPartitioner", "murmur2"},
                                         {"org.apache.kafka.clients.producer.RoundRobinPartitioner", "round_robin"}};
    for (const auto& w : words)
        if (w.theirs == value) return std::string{w.ours};
    return std::string{value};
}

// librdkafka takes parts of a millisecond; the library counts whole ones.
std::string fraction_ms(std::string_view value, std::string&) {
    const auto dot = value.find('.');
    if (dot == std::string_view::npos || dot == 0) return std::string{value};
    const auto front = whole(value.substr(0, dot)), rest = whole(value.substr(dot + 1));
    if (!front || !rest || *rest < 0 || *front < 0 || *front > 1'000'000'000) return std::string{value};
    return std::to_string(*front + (*rest > 0 ? 1 : 0));
}

std::string minus_one_never(std::string_view value, std::string&) { return value == "-1" ? "0" : std::string{value}; }
std::string minus_one_longest(std::string_view value, std::string&) { return value == "-1" ? "2147483647" : std::string{value}; }
std::string zero_longest(std::string_view value, std::string&) { return value == "0" ? "2147483647" : std::string{value}; }

std::string kilobytes(std::string_view value, std::string& wrong) {
    const auto v = whole(value);
    if (!v || *v < 1 || *v > (std::int64_t{1} << 30)) {
        wrong = "; 1 to 1073741824 (KiB) would be right";
        return {};
    }
    return std::to_string(*v * 1024);
}

std::string debug_contexts(std::string_view value, std::string&) {
    const auto v = lower_case(value);
    return v.empty() || v == "false" || v == "0" || v == "no" || v == "off" ? "false" : "true";
}

std::string balancer_word(std::string_view value, std::string&) {
    static constexpr spelling words[] = {{"hash", "fnv1a"}, {"roundRobin", "round_robin"}, {"leastBytes", "least_bytes"}, {"crc32", "crc32"}, {"murmur2", "murmur2"}};
    for (const auto& w : words)
        if (w.theirs == value) return std::string{w.ours};
    return std::string{value};
}

std::string attempts(std::string_view value, std::string& wrong) {
    const auto v = whole(value);
    if (!v || *v < 1 || *v > 2'147'483'647) {
        wrong = "; 1 to 2147483647 would be right";
        return {};
    }
    return std::to_string(*v - 1);
}

std::string required_acks(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"0", "0"}, {"1", "1"}, {"-1", "-1"}};
    return spelled(value, words, "0, 1 or -1", wrong);
}

std::string start_word(std::string_view value, std::string&) { return value == "-2" ? "first" : value == "-1" ? "last" : std::string{value}; }

std::string trpc_partitioner(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"random", "random"}, {"roundrobin", "round_robin"}, {"hash", "fnv1a"}};
    return spelled(value, words, "random, roundrobin or hash", wrong);
}

std::string codec_word(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"none", "none"}, {"gzip", "gzip"}, {"snappy", "snappy"}, {"lz4", "lz4"}, {"zstd", "zstd"}};
    return spelled(value, words, "none, gzip, snappy, lz4 or zstd", wrong);
}

std::string trpc_strategy(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"sticky", "sticky"}, {"range", "range"}, {"roundrobin", "roundrobin"}};
    return spelled(value, words, "sticky, range or roundrobin", wrong);
}

std::string initial_word(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"newest", "latest"}, {"oldest", "earliest"}};
    return spelled(value, words, "newest or oldest", wrong);
}

std::string trpc_mechanism(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"SCRAM-SHA-256", "SCRAM-SHA-256"}, {"SCRAM-SHA-512", "SCRAM-SHA-512"}, {"PLAIN", "PLAIN"}, {"OAUTHBEARER", "OAUTHBEARER"}};
    return spelled(value, words, "SCRAM-SHA-256 or SCRAM-SHA-512", wrong);
}

std::string trpc_isolation(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"ReadUncommitted", "read_uncommitted"}, {"ReadCommitted", "read_committed"}};
    return spelled(value, words, "ReadUncommitted or ReadCommitted", wrong);
}

std::string true_or_false(std::string_view value, std::string& wrong) {
    static constexpr spelling words[] = {{"true", "true"}, {"false", "false"}, {"1", "true"}, {"0", "false"}};
    return spelled(value, words, "true or false", wrong);
}

constexpr row properties[] = {
    {"auto.offset.reset", {"auto_offset_reset"}, offset_reset_word},
    {"partition.assignment.strategy", {"assignors"}, strategy_words, {}, "Names, or the Java client's classes."},
    {"partitioner", {"partitioner"}, partitioner_word},
    {"partitioner.class", {"partitioner"}, partitioner_word},
    {"linger.ms", {"linger"}, fraction_ms},
    {"queue.buffering.max.ms", {"linger"}, fraction_ms},
    {"connections.max.idle.ms", {"connections_max_idle"}, minus_one_never},
    {"topic.metadata.refresh.interval.ms", {"metadata_max_age"}, minus_one_longest},
    {"metadata.max.age.ms", {"metadata_max_age"}, minus_one_longest},
    {"message.timeout.ms", {"delivery_timeout"}, zero_longest},
    {"queue.buffering.max.kbytes", {"send_buffer"}, kilobytes, {}, "In KiB."},
    {"queued.max.messages.kbytes", {"fetch_buffer"}, kilobytes, {}, "In KiB."},
    {"fetch.error.backoff.ms", {"retry_backoff"}},
    {"topic.blacklist", {"exclude_topics"}},
    {"debug", {"debug"}, debug_contexts, {}, "Any context turns all of it on."},
};

constexpr foreign_property foreign[] = {
    {"queue.buffering.max.messages", "limits how many records wait to be sent", "send_buffer limits their bytes"},
    {"queued.min.messages", "keeps so many records ready to be read", "fetch_buffer limits their bytes"},
    {"queued.max.messages", "keeps so many records ready to be read", "fetch_buffer limits their bytes"},
    {"socket.send.buffer.bytes", "sets a buffer of the sockets", "the system chooses it"},
    {"socket.receive.buffer.bytes", "sets a buffer of the sockets", "the system chooses it"},
    {"send.buffer.bytes", "sets a buffer of the sockets", "the system chooses it"},
    {"receive.buffer.bytes", "sets a buffer of the sockets", "the system chooses it"},
    {"socket.keepalive.enable", "lets the system probe idle connections", "stall_after finds dead ones"},
    {"socket.nagle.disable", "turns off the delay of small writes", "it is always off"},
    {"socket.max.fails", "closes a connection after so many timeouts", "stall_after finds dead ones"},
    {"socket.blocking.max.ms", "limits how long a thread sleeps", "no thread sleeps in a call of the system's"},
    {"broker.address.ttl", "keeps looked-up addresses so long", "names are looked up at every connection"},
    {"broker.address.family", "chooses between IPv4 and IPv6", "addresses are tried in the resolver's order"},
    {"client.dns.lookup", "says what a name with several addresses means", "all of its addresses are tried"},
    {"statistics.interval.ms", "calls the program with figures", "the client can be asked for its figures at any time"},
    {"log_level", "chooses which messages are logged", "the program's log hook chooses"},
    {"log.queue", "hands log messages to the program's thread", "the log hook is called on the client's executor"},
    {"log.thread.name", "writes the thread's name into the log", "there are no hidden threads"},
    {"log.connection.close", "logs closed connections", "the program's log hook chooses"},
    {"api.version.request.timeout.ms", "limits that request", "connect_timeout limits it"},
    {"api.version.fallback.ms", "asks again after so long", "it is asked at every connection"},
    {"fetch.queue.backoff.ms", "pauses fetching when too much is ready", "fetching goes on when there is room again"},
    {"consume.callback.max.messages", "limits the records of one call", "max_poll_records limits those of one poll"},
    {"offset.store.method", "keeps offsets in files or at the broker", "groups keep them at the broker"},
    {"offset.store.path", "keeps offsets in a file", "name a group, or keep offsets yourself and seek", true},
    {"enable.partition.eof", "tells when a partition's end is reached", "the records that are read say how far the log goes"},
    {"max.block.ms", "limits how long a send waits for room", "async_send waits until it is canceled; try_send does not wait"},
    {"default.api.timeout.ms", "limits calls that name no time", "request_timeout limits each request"},
    {"key.serializer", "names the class that writes keys", "keys are bytes"},
    {"value.serializer", "names the class that writes values", "values are bytes"},
    {"key.deserializer", "names the class that reads keys", "keys are bytes"},
    {"value.deserializer", "names the class that reads values", "values are bytes"},
    {"interceptor.classes", "calls classes for each record", "call functions where records are sent and read", true},
    {"plugin.library.paths", "loads libraries into the client", "link what you need", true},
    {"metric.reporters", "names classes that get figures", "the client can be asked for its figures at any time"},
    {"metrics.", "says how figures are collected", "the client counts for its whole life"},
    {"auto.include.jmx.reporter", "shows figures by JMX", "the client can be asked for its figures at any time"},
    {"enable.metrics.push", "sends the client's figures to the brokers", "nothing is sent"},
    {"queuing.strategy", "chooses which record goes first when there is no room", "the oldest goes first"},
    {"delivery.report.only.error", "tells of failures only", "a record without a handler costs nothing"},
    {"produce.offset.report", "tells the offset of each record", "delivery tells it always"},
    {"message.copy.max.bytes", "copies small records instead of referring to them", "records are encoded straight into their batch"},
    {"sticky.partitioning.linger.ms", "keeps to a partition so long for records without a key", "until a batch is full"},
    {"partitioner.adaptive.partitioning.enable", "prefers partitions of quick brokers", "partitions take turns"},
    {"partitioner.availability.timeout.ms", "leaves out partitions of slow brokers", "partitions take turns"},
    {"partitioner.ignore.keys", "chooses partitions without regard to keys", "partitioner round_robin or random does so", true},
    {"enable.gapless.guarantee", "stops when a record is lost", "a failed delivery is told; stop then", true},
    {"enable.random.seed", "seeds the random numbers", "they need no seed"},
    {"internal.termination.signal", "ends threads by a signal", "there are no hidden threads"},
    {"builtin.features", "lists what the library was built with", "kw::features() does"},
    {"exclude.internal.topics", "keeps patterns from internal topics", "exclude_topics excludes any"},
    {"security.providers", "names Java's providers of ciphers", "OpenSSL's configuration does that"},
    {"test.mock.num.brokers", "starts brokers inside the client", "bootstrap.servers may be embedded:3", true},
    {"metadata.recovery.strategy", "says whether to begin again from the bootstrap list", "rebootstrap_after says when; 0: never"},
    {"background.event", "hands events to a thread", "there are no hidden threads"},
    {"sasl.jaas.config", "names user and password in JAAS's syntax", "sasl.username and sasl.password do", true},
    {"sasl.kerberos.", "is for GSSAPI", "there is no GSSAPI; PLAIN, SCRAM and OAUTHBEARER are there", true},
    {"sasl.login.", "says how Java logs in", "a token source is a function of the program's", true},
    {"sasl.client.callback.handler.class", "names a class that knows the password", "sasl.username and sasl.password do", true},
    {"sasl.oauthbearer.", "fetches tokens", "a token source is a function of the program's", true},
    {"ssl.keystore.type", "says how the key store is written", "certificates and keys are PEM files"},
    {"ssl.keystore.password", "opens a Java key store", "certificates and keys are PEM files", true},
    {"ssl.truststore.type", "says how the trust store is written", "certificates are PEM files"},
    {"ssl.truststore.password", "opens a Java trust store", "certificates are PEM files", true},
    {"ssl.protocol", "chooses the TLS version", "1.2 and later are spoken"},
    {"ssl.enabled.protocols", "chooses the TLS versions", "1.2 and later are spoken"},
    {"ssl.cipher.suites", "chooses ciphers", "OpenSSL's configuration does that", true},
    {"ssl.engine.", "loads another TLS library", "OpenSSL's configuration does that", true},
    {"ssl.crl.location", "names certificates that are no longer good", "there is no such check", true},
};

constexpr row toml_section[] = {
    {"brokers", {"bootstrap"}, nullptr, {}, "A list of texts."},
    {"debug", {"debug"}, nullptr, "false"},
};
constexpr row toml_client[] = {
    {"timeout", {"request_timeout"}, nullptr, {}, "Of whatever is not a producer's or a consumer's."},
};
constexpr row toml_producer[] = {
    {"topic", {"topic"}},
    {"balancer", {"partitioner"}, balancer_word, "roundRobin", "hash (sarama's and kafka-go's), roundRobin, leastBytes, crc32, murmur2, or a name that the program registers."},
    {"maxAttempts", {"max_retries"}, attempts, "10", "How often a batch is sent altogether: once more than max_retries."},
    {"batchSize", {"batch_records"}, nullptr, "100"},
    {"batchBytes", {"batch_bytes"}, nullptr, "1048576"},
    {"batchTimeout", {"linger"}, nullptr, "1s"},
    {"readTimeout", {"read_timeout"}, nullptr, "10s", "Counts only as a sum with writeTimeout: the time for a whole request."},
    {"writeTimeout", {"write_timeout"}, nullptr, "10s", "Counts only as a sum with readTimeout: the time for a whole request."},
    {"requiredAcks", {"acks"}, required_acks, "-1", "0, 1 or -1."},
    {"async", {"async"}, nullptr, "false"},
};
constexpr row toml_consumer[] = {
    {"partition", {"partition"}, nullptr, {}, "Not together with groupID; without both it is 0."},
    {"groupID", {"group"}, nullptr, {}, "Not together with partition."},
    {"topic", {"topic"}},
    {"minBytes", {"fetch_min_bytes"}, nullptr, "1"},
    {"maxBytes", {"partition_bytes", "fetch_max_bytes"}, nullptr, "1048576"},
    {"watchPartitionChanges", {"watch_partitions"}, nullptr, "false"},
    {"partitionWatchInterval", {"watch_interval"}, nullptr, "5s"},
    {"rebalanceTimeout", {"rebalance_timeout"}, nullptr, "30s"},
    {"maxWait", {"fetch_max_wait"}, nullptr, "10s"},
    {"readLagInterval", {"lag_interval"}, nullptr, "1m"},
    {"heartbeatInterval", {"heartbeat_interval"}, nullptr, "3s"},
    {"commitInterval", {"commit_interval"}, nullptr, "0s", "0: a commit is a request of its own."},
    {"sessionTimeout", {"session_timeout"}, nullptr, "30s"},
    {"joinGroupBackoff", {"join_backoff"}, nullptr, "5s"},
    {"retentionTime", {"retention_time"}},
    {"startOffset", {"start_offset"}, start_word, "-2", "-2: the first there is, -1: behind the last, else that offset (without a group)."},
    {"readBackoffMin", {"retry_backoff"}, nullptr, "100ms"},
    {"readBackoffMax", {"retry_backoff_max"}, nullptr, "1s"},
};
constexpr row toml_server[] = {
    {"consumerName", {"consumer_name"}},
    {"debug", {"debug"}, nullptr, "false"},
};

constexpr row address_producer[] = {
    {"clientid", {"client_id"}},
    {"topic", {"topic"}},
    {"version", {"broker_version"}},
    {"partitioner", {"partitioner"}, trpc_partitioner, "random", "random, roundrobin or hash (sarama's)."},
    {"compression", {"compression"}, codec_word, "gzip"},
    {"maxMessageBytes", {"max_message_bytes"}, nullptr, "131072"},
    {"requiredAcks", {"acks"}, required_acks, "-1", "0, 1 or -1."},
    {"maxRetry", {"max_retries"}, nullptr, "3"},
    {"retryInterval", {"retry_backoff", "retry_backoff_max"}, nullptr, "100"},
    {"trpcMeta", {"caller_metadata"}, true_or_false, "false"},
    {"discover", {"discover"}, nullptr, {}, "The host is then the name of a service."},
    {"namespace", {"service_namespace"}, nullptr, {}, "Only with discover."},
    {"idempotent", {"idempotence"}, true_or_false, "false"},
    {"async", {"async"}, true_or_false, "false"},
};
constexpr row address_consumer[] = {
    {"group", {"group"}},
    {"clientid", {"client_id"}},
    {"topics", {"topics"}},
    {"compression", {"compression"}, codec_word, {}, "Of messages that go to a retry or dead-letter topic; batches that are read say themselves how they are compressed."},
    {"strategy", {"assignors"}, trpc_strategy, "sticky", "sticky, range or roundrobin."},
    {"fetchDefault", {"partition_bytes"}, nullptr, "524288"},
    {"fetchMax", {"fetch_max_bytes", "max_message_bytes"}, nullptr, "1048576", "A larger record is an error."},
    {"batch", {"batch"}, nullptr, "0"},
    {"batchFlush", {"batch_flush"}, nullptr, "2000", "Only with batch."},
    {"initial", {"auto_offset_reset"}, initial_word, "newest", "newest or oldest."},
    {"maxWaitTime", {"fetch_max_wait"}, nullptr, "1000"},
    {"maxRetry", {"max_retry"}, nullptr, "0"},
    {"netMaxOpenRequests", {"max_in_flight"}, nullptr, "5"},
    {"maxProcessingTime", {"max_processing_time"}, nullptr, "1000"},
    {"netDailTimeout", {"connect_timeout"}, nullptr, "30000", "Spelled so."},
    {"netReadTimeout", {"read_timeout"}, nullptr, "30000", "Counts only as a sum with netWriteTimeout: the time for a whole request."},
    {"netWriteTimeout", {"write_timeout"}, nullptr, "30000", "Counts only as a sum with netReadTimeout: the time for a whole request."},
    {"groupSessionTimeout", {"session_timeout"}, nullptr, "10000"},
    {"groupRebalanceTimeout", {"rebalance_timeout"}, nullptr, "60000"},
    {"mechanism", {"sasl.mechanism"}, trpc_mechanism, {}, "SCRAM-SHA-256 or SCRAM-SHA-512. Without security.protocol=SASL_SSL it goes over plain text."},
    {"user", {"sasl.username"}},
    {"password", {"sasl.password"}},
    {"retryInterval", {"retry_interval"}, nullptr, "3000"},
    {"isolationLevel", {"isolation"}, trpc_isolation, "ReadUncommitted", "ReadUncommitted or ReadCommitted."},
    {"trpcMeta", {"caller_metadata"}, true_or_false, "false"},
    {"discover", {"discover"}, nullptr, {}, "The host is then the name of a service."},
    {"namespace", {"service_namespace"}, nullptr, {}, "Only with discover."},
    {"version", {"broker_version"}, nullptr, {}, "Not given (1.1.1.0 there): each broker is asked, which serves old ones too."},
};

}  // namespace

std::span<const row> property_rows() noexcept { return properties; }
std::span<const foreign_property> foreign_properties() noexcept { return foreign; }
std::span<const row> toml_section_rows() noexcept { return toml_section; }
std::span<const row> toml_client_rows() noexcept { return toml_client; }
std::span<const row> toml_producer_rows() noexcept { return toml_producer; }
std::span<const row> toml_consumer_rows() noexcept { return toml_consumer; }
std::span<const row> toml_server_rows() noexcept { return toml_server; }
std::span<const row> address_producer_rows() noexcept { return address_producer; }
std::span<const row> address_consumer_rows() noexcept { return address_consumer; }

const foreign_property* find_foreign(std::string_view name) noexcept {
    for (const auto& f : foreign)
        if (f.name == name || (f.name.ends_with('.') && name.starts_with(f.name))) return &f;
    return nullptr;
}

std::string camel_case(std::string_view option) {
    std::string s;
    bool up = false;
    for (const char c : option) {
        if (c == '_' || c == '.' || c == '-') {
            up = true;
            continue;
        }
        s += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        up = false;
    }
    return s;
}

std::string variable_name(std::string_view option) {
    std::string s = "KAFKAWIRE_";
    for (const char c : option) s += c == '.' || c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return s;
}

bool parse_go_duration(std::string_view text, std::int64_t& milliseconds) {
    struct unit {
        std::string_view name;
        double ms;
    };
    // "ms" before "m": the longer name first.
    static constexpr unit units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"\xc2\xb5s", 1e-3}, {"ms", 1}, {"h", 3.6e6}, {"m", 6e4}, {"s", 1e3}};
    if (text == "0") {
        milliseconds = 0;
        return true;
    }
    double sum = 0;
    if (text.empty()) return false;
    while (!text.empty()) {
        if (text[0] != '.' && (text[0] < '0' || text[0] > '9')) return false;
        double v = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v, std::chars_format::fixed);
        if (ec != std::errc{}) return false;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const auto u = std::find_if(std::begin(units), std::end(units), [&](const unit& one) { return text.starts_with(one.name); });
        if (u == std::end(units)) return false;
        text.remove_prefix(u->name.size());
        sum += v * u->ms;
    }
    if (!(sum < 9e15)) return false;
    milliseconds = static_cast<std::int64_t>(sum);
    if (static_cast<double>(milliseconds) + 1e-6 < sum) ++milliseconds;
    return true;
}

}  // namespace config
}  // namespace kafkawire::inline v0_1
