// Options, declared as messages are: a plain struct whose member initialisers are the defaults, and a describe() list with names, aliases,
// ranges and texts. Validation, documentation, command line and every dialect of configuration visit that one list.
#pragma once
#include <kafkawire/observer.hpp>
#include <kafkawire/security.hpp>

#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace kafkawire::inline v0_1 {

/// What a kw::client is made with.
struct client_options {
    std::string bootstrap = "localhost:9092";
    std::string client_id = "kafkawire";
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds request_timeout{30'000};
    std::chrono::milliseconds reconnect_backoff{50};
    std::chrono::milliseconds reconnect_backoff_max{500};
    std::chrono::milliseconds metadata_max_age{300'000};
    std::uint32_t max_response = 100u << 20;
    std::uint32_t max_in_flight = 100;
    std::chrono::milliseconds connections_max_idle{540'000};
    std::chrono::milliseconds stall_after{3'000};
    std::chrono::milliseconds rebootstrap_after{60'000};
    std::string broker_version{};                  ///< empty: each broker is asked what it speaks

    // Whom to trust and who we are. What does not fit together is refused when the client is made.
    kafkawire::security_protocol security_protocol = kafkawire::security_protocol::plaintext;
    std::string tls_ca_file{};                     ///< authorities: file, folder and text together; none of them: the system's
    std::string tls_ca_folder{};
    std::string tls_ca_pem{};
    std::string tls_certificate_file{};            ///< of ours, if brokers want one
    std::string tls_certificate_pem{};
    std::string tls_key_file{};
    secret tls_key_pem{};
    secret tls_key_password{};
    kafkawire::tls_verify tls_verify = kafkawire::tls_verify::full;
    std::chrono::milliseconds tls_reload{60'000};
    std::optional<kafkawire::sasl_mechanism> sasl_mechanism{};
    std::string sasl_username{};
    secret sasl_password{};
    secret sasl_token{};
    bool sasl_unsecured_tokens = false;
    /// Of OAUTHBEARER. Not an option of the describe() list.
    kafkawire::token_source token_source{};

    // What follows are no options of the describe() list.
    /// What the client is called in reports and log lines: its configuration's name, say. Empty: client_id.
    std::string name{};
    /// Told of what the client does, see observer.hpp. The client holds it until it is destroyed.
    std::shared_ptr<kafkawire::observer> observer{};
};

/// What an option holds, and so how its text is read: "30 s", "250ms" and plain milliseconds; "64 MiB", "100k" and plain bytes; one of some names;
/// texts with commas between (std::vector<std::string>); a secret, whose text is never shown: what is set reads "(hidden)".
enum class option_kind : std::uint8_t { text, boolean, number, duration, size, choice, list, secret };

/// A name for a value. The first name of a value is the one that is shown.
struct option_choice {
    std::string_view name;
    std::int64_t value;
};

/// What is said of an option beside its name.
struct option_words {
    std::array<std::string_view, 3> aliases{};                          ///< what librdkafka and the Java client call it
    std::int64_t lowest = 0;                                            ///< of numbers, durations (ms) and sizes (bytes)
    std::int64_t highest = std::numeric_limits<std::int32_t>::max();
    bool size = false;                                                  ///< a number that counts bytes
    std::string_view text;                                              ///< one or two sentences for the manual
    std::span<const option_choice> choices{};                           ///< of an enum: all its values; of a number: names beside the numbers
};

/// One option, erased. Constant data.
struct option_schema {
    std::string_view name;
    option_words words;
    option_kind kind;
    std::size_t width;               ///< sizeof a number or a choice
    bool negative;                   ///< a number or choice that may be below zero
    void* (*get)(void* object) noexcept;   ///< null: an optional one that is not set
    void* (*make)(void* object) noexcept;  ///< the same, but sets an optional one first
    std::string (*check)(std::string_view value);  ///< of a text, or each of a list: what is wrong with it, or empty; may be null
};

template <class Options>
struct options_type {};

namespace client_detail {
template <class Value>
struct option_value {
    using type = Value;
    static void* get(Value& v) noexcept { return &v; }
    static void* make(Value& v) noexcept { return &v; }
};
template <class Value>
struct option_value<std::optional<Value>> {
    using type = Value;
    static void* get(std::optional<Value>& v) noexcept { return v ? &*v : nullptr; }
    static void* make(std::optional<Value>& v) noexcept { return v ? &*v : &v.emplace(); }
};
}  // namespace client_detail

/// A row of a describe() list. A member may be a std::optional: one that is not set is within every range, and has no text.
template <auto Member>
constexpr option_schema option(std::string_view name, option_words words, std::string (*check)(std::string_view) = nullptr) noexcept {
    return []<class Object, class Declared>(Declared Object::*, std::string_view n, const option_words& w, std::string (*c)(std::string_view)) {
        using holder = client_detail::option_value<Declared>;
        using value = typename holder::type;
        constexpr auto kind = std::is_same_v<value, std::string>                 ? option_kind::text
                              : std::is_same_v<value, secret>                    ? option_kind::secret
                              : std::is_same_v<value, std::vector<std::string>>  ? option_kind::list
                              : std::is_same_v<value, bool>                      ? option_kind::boolean
                              : std::is_same_v<value, std::chrono::milliseconds> ? option_kind::duration
                              : std::is_enum_v<value>                            ? option_kind::choice
                                                                                 : option_kind::number;
        static_assert(kind != option_kind::number || std::is_integral_v<value>, "an option of a type that has no text form");
        constexpr bool negative = [] {
            if constexpr (std::is_enum_v<value>) return std::is_signed_v<std::underlying_type_t<value>>;
            else return std::is_signed_v<value>;
        }();
        return option_schema{n, w, kind == option_kind::number && w.size ? option_kind::size : kind, sizeof(value), negative,
                             [](void* o) noexcept -> void* { return holder::get(static_cast<Object*>(o)->*Member); },
                             [](void* o) noexcept -> void* { return holder::make(static_cast<Object*>(o)->*Member); }, c};
    }(Member, name, words, check);
}

/// "host:port,host,[::1]:9093" taken apart. Port 9092 where none is given.
struct bootstrap_address {
    std::string host;
    std::uint16_t port = 9092;
};
/// Empty on success; else what is wrong, for a person.
[[nodiscard]] KAFKAWIRE_API std::string parse_bootstrap(std::string_view text, std::vector<bootstrap_address>& to);
/// The same, as a check of an option.
[[nodiscard]] KAFKAWIRE_API std::string check_bootstrap(std::string_view text);
[[nodiscard]] KAFKAWIRE_API std::string check_client_id(std::string_view text);
[[nodiscard]] KAFKAWIRE_API std::string check_broker_version(std::string_view text);

inline constexpr std::array security_protocol_names{option_choice{"plaintext", 0}, option_choice{"ssl", 1}, option_choice{"sasl_plaintext", 2}, option_choice{"sasl_ssl", 3}};
inline constexpr std::array sasl_mechanism_names{option_choice{"plain", 0}, option_choice{"scram-sha-256", 1}, option_choice{"scram-sha-512", 2}, option_choice{"oauthbearer", 3}};
inline constexpr std::array tls_verify_names{option_choice{"full", 0}, option_choice{"insecure_i_know", 1}, option_choice{"true", 0}, option_choice{"https", 0}, option_choice{"false", 1}};

constexpr auto describe(options_type<client_options>) {
    using o = client_options;
    return std::array{
        option<&o::bootstrap>("bootstrap",
                              {.aliases = {"bootstrap.servers", "metadata.broker.list"},
                               .text = "Brokers to ask first, as host:port with commas between. One that answers is enough: it tells of the others."},
                              check_bootstrap),
        option<&o::client_id>("client_id", {.aliases = {"client.id"}, .text = "Stands in the broker's log and decides which quota applies."}, check_client_id),
        option<&o::connect_timeout>("connect_timeout",
                                    {.aliases = {"socket.connection.setup.timeout.ms"}, .lowest = 1, .text = "Time for looking up a broker's name and connecting, and again for its first answer."}),
        option<&o::request_timeout>("request_timeout",
                                    {.aliases = {"request.timeout.ms", "socket.timeout.ms"}, .lowest = 1, .text = "Time for a whole request, from the call to its answer, connecting included. Each call may have its own."}),
        option<&o::reconnect_backoff>("reconnect_backoff",
                                      {.aliases = {"reconnect.backoff.ms"}, .text = "Pause before a broker that could not be reached is tried again; doubles with every failure, spread by a fifth."}),
        option<&o::reconnect_backoff_max>("reconnect_backoff_max", {.aliases = {"reconnect.backoff.max.ms"}, .text = "The longest such pause."}),
        option<&o::metadata_max_age>("metadata_max_age",
                                     {.aliases = {"metadata.max.age.ms", "topic.metadata.refresh.interval.ms"}, .lowest = 1, .text = "What is known of the cluster is asked for again when it is older than this and needed."}),
        option<&o::max_response>("max_response",
                                 {.aliases = {"receive.message.max.bytes"}, .lowest = 1024, .size = true, .text = "A longer answer closes the connection before memory is taken for it."}),
        option<&o::max_in_flight>("max_in_flight",
                                  {.aliases = {"max.in.flight.requests.per.connection", "max.in.flight"}, .lowest = 1, .highest = 1'000'000, .text = "Requests on one connection that have no answer yet; further ones wait."}),
        option<&o::connections_max_idle>("connections_max_idle",
                                         {.aliases = {"connections.max.idle.ms"}, .text = "A connection that nobody has used for so long is closed, before the broker does it (after 10 minutes). 0: never."}),
        option<&o::stall_after>("stall_after",
                                {.text = "A connection on which an answer is due and nothing moves for so long is looked into: if a second one to the same broker works, the first is dead and is given up. 0: never."}),
        option<&o::rebootstrap_after>("rebootstrap_after",
                                      {.aliases = {"metadata.recovery.rebootstrap.trigger.ms"}, .text = "When no known broker could be reached for so long, they are forgotten and the client begins again from the bootstrap list. 0: never."}),
        option<&o::broker_version>("broker_version",
                                   {.text = "A Kafka release, as 2.8 or 0.10.2.0: nothing newer is spoken, whatever brokers offer. Brokers before 0.10 cannot be asked and need it. Empty: each broker is asked."},
                                   check_broker_version),
        option<&o::security_protocol>("security_protocol",
                                      {.aliases = {"security.protocol"}, .text = "What connections are: plain text or TLS (ssl), with or without SASL. Brokers have a listener for each.", .choices = security_protocol_names}),
        option<&o::tls_ca_file>("tls_ca_file", {.aliases = {"ssl.ca.location", "ssl.truststore.location"}, .text = "Certificates of the authorities that brokers' certificates are trusted from, PEM. Nothing given here, in tls_ca_folder and in tls_ca_pem: the system's."}),
        option<&o::tls_ca_folder>("tls_ca_folder", {.text = "A folder of such certificates, by their hashes (openssl rehash)."}),
        option<&o::tls_ca_pem>("tls_ca_pem", {.aliases = {"ssl.ca.pem", "ssl.truststore.certificates"}, .text = "Such certificates themselves, PEM."}),
        option<&o::tls_certificate_file>("tls_certificate_file", {.aliases = {"ssl.certificate.location", "ssl.keystore.location"}, .text = "The client's own certificate, PEM, with those that lead to its authority behind it."}),
        option<&o::tls_certificate_pem>("tls_certificate_pem", {.aliases = {"ssl.certificate.pem", "ssl.keystore.certificate.chain"}, .text = "The same itself, PEM."}),
        option<&o::tls_key_file>("tls_key_file", {.aliases = {"ssl.key.location"}, .text = "The private key of the client's certificate, PEM, encrypted or not; not given: it stands beside the certificate."}),
        option<&o::tls_key_pem>("tls_key_pem", {.aliases = {"ssl.key.pem", "ssl.keystore.key"}, .text = "The same itself, PEM."}),
        option<&o::tls_key_password>("tls_key_password", {.aliases = {"ssl.key.password"}, .text = "Of an encrypted key."}),
        option<&o::tls_verify>("tls_verify",
                               {.aliases = {"enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm"}, .text = "Whether a broker's certificate must be trusted and be for the host that was asked for. insecure_i_know: anybody may answer.", .choices = tls_verify_names}),
        option<&o::tls_reload>("tls_reload", {.text = "How old what was read from certificate and key files may be when a connection is made: changed files are read again, and connections that are up stay. 0: they are read once."}),
        option<&o::sasl_mechanism>("sasl_mechanism",
                                   {.aliases = {"sasl.mechanism", "sasl.mechanisms"}, .text = "How the client shows who it is. No other one is tried, whatever a broker offers.", .choices = sasl_mechanism_names}),
        option<&o::sasl_username>("sasl_username", {.aliases = {"sasl.username"}, .text = "Of plain and SCRAM; of tokens that nobody has signed, their subject."}),
        option<&o::sasl_password>("sasl_password", {.aliases = {"sasl.password"}, .text = "Of plain and SCRAM."}),
        option<&o::sasl_token>("sasl_token", {.text = "A token for oauthbearer that serves until the broker refuses it. Programs may have a token_source instead."}),
        option<&o::sasl_unsecured_tokens>("sasl_unsecured_tokens", {.aliases = {"enable.sasl.oauthbearer.unsecure.jwt"}, .text = "For tests: the client makes tokens for oauthbearer itself, which nobody has signed."}),
    };
}

/// What somebody should know who chose these options: that a password goes over plain text, that certificates are not looked at. Empty: nothing.
[[nodiscard]] KAFKAWIRE_API std::string warning_of(const client_options& o);

/// The options of a struct, in the order of its describe() list. Thread-safe, constant data.
template <class Options>
[[nodiscard]] std::span<const option_schema> options_of() noexcept {
    static constexpr auto table = describe(options_type<Options>{});
    return table;
}

// The erased forms.
[[nodiscard]] KAFKAWIRE_API error check_options(std::span<const option_schema> table, const void* object);
[[nodiscard]] KAFKAWIRE_API error set_option(std::span<const option_schema> table, void* object, std::string_view name, std::string_view value);
[[nodiscard]] KAFKAWIRE_API std::string option_text(const option_schema& option, const void* object);
[[nodiscard]] KAFKAWIRE_API std::string option_manual(std::span<const option_schema> table, const void* defaults);
/// The name most like `name`, or empty if none is near: for "did you mean".
[[nodiscard]] KAFKAWIRE_API std::string_view nearest_name(std::span<const std::string_view> names, std::string_view name);

/// Empty if every value is within its range; else errc::bad_configuration with option, value and what would be right.
template <class Options>
[[nodiscard]] error validate(const Options& options) {
    return check_options(options_of<Options>(), &options);
}
/// The same, and whether they fit together: what is asked of TLS and SASL can be, and is not asked in vain.
[[nodiscard]] KAFKAWIRE_API error validate(const client_options& options);
/// Sets an option by its name or an alias from its text. An unknown name is answered with the nearest one.
template <class Options>
[[nodiscard]] error set_option(Options& options, std::string_view name, std::string_view value) {
    return set_option(options_of<Options>(), &options, name, value);
}
/// A table in Markdown: name, default, range, other names, text.
template <class Options>
[[nodiscard]] std::string option_manual() {
    const Options defaults{};
    return option_manual(options_of<Options>(), &defaults);
}

}  // namespace kafkawire::inline v0_1
