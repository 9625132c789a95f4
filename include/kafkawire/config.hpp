// kafkawire::config: configurations as people of other clients have them, taken as they stand: properties (librdkafka's and Java's names), TOML (the
// sections of ekafka), addresses (tRPC's), environment variables. All end in the same option structs, checked, with a word for each mistake:
//   const auto s = kw::config::read_file("orders.toml");
//   if (!s.ok()) return tell(s.error());                        // orders.toml:7: batchSze ...; did you mean batchSize?
//   kw::client client{executor, s.producers.at("p1").client};
//   kw::producer producer{client, s.producers.at("p1").options};
// A library of its own (find_package(kafkawire COMPONENTS config)): the core has no TOML. Nothing here does I/O but read_file(), nothing throws but
// for want of memory, and everything may be called from any thread.
#pragma once
#include <kafkawire/config/settings.hpp>

namespace kafkawire::inline v0_1 {
namespace config {

enum class dialect : std::uint8_t { automatic, properties, toml, address, environment };

/// Something in a configuration that is wrong, or (a warning) that has no effect here.
struct problem {
    std::string file{};          ///< empty: a map, an address
    std::size_t line = 0;        ///< 0: none in particular
    std::string name{};          ///< of the entry, as it was written; may be empty
    std::string text{};          ///< one sentence without a full stop, with the value unless it may be a secret
    std::string hint{};          ///< the nearest known name, or what to do; may be empty
    bool warning = false;

    /// "orders.toml:7: there is no key batchSze (it is "100"); did you mean batchSize?"
    [[nodiscard]] KAFKAWIRE_API std::string message() const;
};

/// Where the value of an option comes from.
struct origin {
    std::string owner{};         ///< "client", "producer p1", "consumer c1", "server s1"; producer and consumer alone where there is one without a name
    std::string_view option{};   ///< its name in the describe() list
    std::string name{};          ///< the entry's name in its dialect
    std::string file{};
    std::size_t line = 0;        ///< 0: none, or not from a file
    bool by_dialect = false;     ///< nobody wrote it: the dialect's default
};

/// What a configuration comes to. Producers and consumers have names in TOML and in files of addresses; elsewhere there is one of each, named "".
struct settings {
    client_options client{};     ///< for whatever is no producer's or consumer's: administration
    connection_settings connection{};
    std::map<std::string, producer_settings, std::less<>> producers{};
    std::map<std::string, consumer_settings, std::less<>> consumers{};
    std::map<std::string, server_settings, std::less<>> servers{};
    std::vector<origin> origins{};
    std::vector<problem> problems{};
    bool unfinished = false;     ///< more is laid over the client's options, and whoever does that validates them: they are not held against each other here

    /// Whether it can be used: nothing is wrong, warnings aside.
    [[nodiscard]] KAFKAWIRE_API bool ok() const noexcept;
    /// Empty, or errc::bad_configuration with everything that is wrong.
    [[nodiscard]] KAFKAWIRE_API kafkawire::error error() const;
};

/// One entry, as it was written.
struct property {
    std::string name{}, value{};
    std::string file{};          ///< where it was, for messages
    std::size_t line = 0;
};

/// Whose defaults hold for what a set of properties leaves out: ours, librdkafka's, the Java client's.
enum class defaults_of : std::uint8_t { kafkawire, librdkafka, java };

/// Properties by librdkafka's and Java's names, and by our own. A later entry counts more than an earlier one. Names that those clients have and we
/// have not are told as warnings, or as errors where leaving them out would do something else than what was asked for.
[[nodiscard]] KAFKAWIRE_API settings read_properties(std::span<const property> entries, defaults_of whose = defaults_of::kafkawire);
[[nodiscard]] KAFKAWIRE_API settings read_properties(const std::map<std::string, std::string>& entries, defaults_of whose = defaults_of::kafkawire);
/// A file in Java's .properties syntax: comments (# and !), =, : or a blank between name and value, escapes, lines that go on after a backslash. UTF-8.
[[nodiscard]] KAFKAWIRE_API settings read_properties(std::string_view text, std::string_view file, defaults_of whose = defaults_of::kafkawire);
/// The entries of such a file; what cannot be read is added to `problems`.
[[nodiscard]] KAFKAWIRE_API std::vector<property> parse_properties(std::string_view text, std::string_view file, std::vector<problem>& problems);
/// Lays properties over what is there already: over each producer and consumer that knows them.
KAFKAWIRE_API void apply_properties(settings& to, std::span<const property> entries);

/// ekafka's sections: [SECTION], [SECTION.client], [SECTION.producers.NAME], [SECTION.consumers.NAME], and [SECTIONConsumerServers.NAME]. Durations are
/// texts ("3s", "10ms", "1m30s"). Beside ekafka's keys all properties and all our own options are taken, in camelCase too. Other sections are others'.
[[nodiscard]] KAFKAWIRE_API settings read_toml(std::string_view text, std::string_view file, std::string_view section = "kafka");
/// A file of profiles: [profiles.NAME] with properties, as "security.protocol" or security_protocol, and current = "NAME". `name` empty: the current
/// one, or none. The profile's entries; what is wrong is added to `problems`.
[[nodiscard]] KAFKAWIRE_API std::vector<property> parse_profile(std::string_view text, std::string_view file, std::string_view name, std::vector<problem>& problems);

/// tRPC's address of a producer, "kafka://host:port,host2:port?topic=orders&compression=gzip": producers[name]. Values are percent-encoded where they must.
[[nodiscard]] KAFKAWIRE_API settings read_producer_address(std::string_view address, std::string_view name = {});
/// tRPC's address of a consumer, "host:port,host2:port?topics=a,b&group=g": consumers[name]. An address that was registered in code is what it was registered for.
[[nodiscard]] KAFKAWIRE_API settings read_consumer_address(std::string_view address, std::string_view name = {});
/// The services of a trpc_go.yaml with `name:` and `target:` (a producer) or `address:` (a consumer), of which nothing else is read; or an address a line.
[[nodiscard]] KAFKAWIRE_API settings read_addresses(std::string_view text, std::string_view file);
/// From now on the address means that consumer, or that producer ("kafka://" in front is no part of it), in the whole process. Replaces one of the same name.
KAFKAWIRE_API void register_address(std::string address, consumer_settings consumer);
KAFKAWIRE_API void register_address(std::string address, producer_settings producer);

/// The variables that begin with KAFKAWIRE_, as entries: KAFKAWIRE_BOOTSTRAP_SERVERS is bootstrap.servers. `variables` are NAME=VALUE, ended by a null.
[[nodiscard]] KAFKAWIRE_API std::vector<property> parse_environment(const char* const* variables, std::vector<problem>& problems);
/// The same as a configuration.
[[nodiscard]] KAFKAWIRE_API settings read_environment(const char* const* variables);

/// The dialect of a file by how its name ends: .properties, .conf, .cfg; .toml; .yaml, .yml, .addresses; else automatic: nobody knows.
[[nodiscard]] KAFKAWIRE_API dialect dialect_of(std::string_view file) noexcept;
/// Reads a file of at most a megabyte. `unfinished`: see settings.
[[nodiscard]] KAFKAWIRE_API settings read_file(const std::string& path, dialect in = dialect::automatic, bool unfinished = false);

/// What a handler of whole batches needs of its configuration: empty, or errc::bad_configuration.
[[nodiscard]] KAFKAWIRE_API error check_batch_handler(const consumer_settings& s);

/// An option's value as text, as people may see it: secrets are hidden.
[[nodiscard]] KAFKAWIRE_API std::string shown_value(const option_schema& o, const void* object);

/// One line of what a configuration means.
struct meaning {
    std::string owner{}, option{}, value{};
    std::string from{};          ///< "line 7, batchTimeout", "default of batchTimeout"; empty: our own default
};
/// What was set, or (`all`) every option. Secrets are hidden.
[[nodiscard]] KAFKAWIRE_API std::vector<meaning> meanings(const settings& s, bool all = false);

/// A name of any dialect explained: the option or options it sets, default, range, names elsewhere. Empty: nobody knows it; `nearest` is told then.
[[nodiscard]] KAFKAWIRE_API std::string explain(std::string_view name, std::string& nearest);
/// The reference of all options and all dialects, in Markdown.
[[nodiscard]] KAFKAWIRE_API std::string manual();

}  // namespace config
}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
