// What a kw::producer is made with. The names, ranges and texts of the options stand in the describe() lists below; what must hold between
// several of them is checked by validate().
#pragma once
#include <kafkawire/options.hpp>
#include <kafkawire/protocol/compression.hpp>

#include <map>
#include <optional>

namespace kafkawire::inline v0_1 {

/// Who must have a record before its broker answers. In-sync replicas are those that keep up with the leader.
enum class acks : std::int8_t {
    all = -1,    ///< all in-sync replicas, and there are at least min.insync.replicas of them
    none = 0,    ///< nobody: the broker does not answer, and a send is done when it is written to the socket
    leader = 1,  ///< the leader alone: what it has not copied is lost with it
};

/// A switch that may be left to the library.
enum class toggle : std::uint8_t { automatic, on, off };

/// What one topic has of its own; what is not set is as the producer has it. acks and idempotence cannot differ from topic to topic: one
/// request and one sequence of them is for all.
struct topic_options {
    std::optional<protocol::compression> compression{};
    std::optional<std::int32_t> compression_level{};
    std::optional<std::string> partitioner{};
    std::optional<std::chrono::milliseconds> linger{};
    std::optional<std::uint32_t> batch_bytes{};
    std::optional<std::chrono::milliseconds> delivery_timeout{};
    std::optional<std::chrono::milliseconds> unknown_topic_timeout{};
};

struct producer_options {
    kafkawire::acks acks = kafkawire::acks::all;
    toggle idempotence = toggle::automatic;        ///< automatic: on where acks is all
    std::chrono::milliseconds linger{5};
    std::uint32_t batch_bytes = 1'000'000;
    std::uint32_t batch_records = 0;
    std::uint32_t request_bytes = 8u << 20;
    std::uint64_t send_buffer = 64u << 20;
    std::uint32_t in_flight = 5;
    protocol::compression compression = protocol::compression::none;
    std::int32_t compression_level = protocol::default_level;
    std::string partitioner = "murmur2";
    std::chrono::milliseconds delivery_timeout{120'000};
    std::chrono::milliseconds unknown_topic_timeout{30'000};
    std::chrono::milliseconds retry_backoff{100};
    std::chrono::milliseconds retry_backoff_max{500};
    std::optional<std::int32_t> max_retries{};
    bool create_topics = true;
    std::string transactional_id{};                ///< empty: no transactions
    std::chrono::milliseconds transaction_timeout{60'000};
    /// By the topic's name. Not an option of the describe() list.
    std::map<std::string, topic_options, std::less<>> topics{};
};

/// Whether records carry producer id and sequence, so that the broker drops what comes twice.
[[nodiscard]] inline bool idempotent(const producer_options& o) noexcept {
    return o.idempotence == toggle::on || (o.idempotence == toggle::automatic && o.acks == acks::all);
}

/// Lowest and highest level of a codec; default_level is always taken beside them. Nothing for a codec that has no levels.
struct level_range {
    std::int32_t lowest, highest;
};
[[nodiscard]] KAFKAWIRE_API std::optional<level_range> levels_of(protocol::compression codec) noexcept;

/// What is wrong with the name of a partitioner, and which may be meant; empty if it has one. See partitioner.hpp.
[[nodiscard]] KAFKAWIRE_API std::string check_partitioner(std::string_view name);
[[nodiscard]] KAFKAWIRE_API std::string check_transactional_id(std::string_view id);

/// Ranges of all options, and what must hold between them; the topics' own too. Empty if all is well, else errc::bad_configuration with the
/// option's name, its value and what would be right. A producer asks this when it is made.
[[nodiscard]] KAFKAWIRE_API error validate(const producer_options& options);

inline constexpr std::array<option_choice, 6> acks_choices{{{"all", -1}, {"-1", -1}, {"0", 0}, {"none", 0}, {"1", 1}, {"leader", 1}}};
inline constexpr std::array<option_choice, 10> toggle_choices{
    {{"automatic", 0}, {"auto", 0}, {"on", 1}, {"true", 1}, {"yes", 1}, {"1", 1}, {"off", 2}, {"false", 2}, {"no", 2}, {"0", 2}}};
inline constexpr std::array<option_choice, 5> compression_choices{{{"none", 0}, {"gzip", 1}, {"snappy", 2}, {"lz4", 3}, {"zstd", 4}}};
inline constexpr std::array<option_choice, 1> level_choices{{{"default", protocol::default_level}}};

namespace client_detail {

// What producer and topic have alike is said once.
template <auto Member>
constexpr option_schema compression_option() {
    return option<Member>("compression", {.aliases = {"compression.type", "compression.codec"},
                                          .text = "How batches are compressed.",
                                          .choices = compression_choices});
}
template <auto Member>
constexpr option_schema level_option() {
    return option<Member>("compression_level", {.aliases = {"compression.level"}, .lowest = -131'072, .highest = 22,
                                                .text = "gzip 0 to 9, lz4 -100 to 12, zstd -131072 to 22; default is the codec's own choice: gzip 6, lz4's fast form, zstd 3.",
                                                .choices = level_choices});
}
template <auto Member>
constexpr option_schema partitioner_option() {
    return option<Member>("partitioner", {.aliases = {"partitioner.class"},
                                          .text = "Who chooses the partition of a record that names none: murmur2 (as Java: the key's hash; without a key one partition until a "
                                                  "batch is full, then another), crc32 (librdkafka), fnv1a (sarama), round_robin, random, least_bytes, manual, or a registered name."},
                          check_partitioner);
}
template <auto Member>
constexpr option_schema linger_option() {
    return option<Member>("linger", {.aliases = {"linger.ms", "queue.buffering.max.ms"}, .highest = 900'000,
                                     .text = "How long a batch that is not full may wait for more records. It goes earlier when its broker has nothing else of ours to do."});
}
template <auto Member>
constexpr option_schema batch_option() {
    return option<Member>("batch_bytes", {.aliases = {"batch.size"}, .lowest = 1, .size = true,
                                          .text = "A batch is full at this size, before compression. The broker's limit is the topic's max.message.bytes, 1048588 by default."});
}
template <auto Member>
constexpr option_schema delivery_option() {
    return option<Member>("delivery_timeout", {.aliases = {"delivery.timeout.ms", "message.timeout.ms"}, .lowest = 1,
                                               .text = "By then the outcome of a send is told, counted from the call, whatever happens: at worst as nobody knows."});
}
template <auto Member>
constexpr option_schema unknown_topic_option() {
    return option<Member>("unknown_topic_timeout", {.aliases = {"topic.metadata.propagation.max.ms"},
                                                    .text = "So long a record waits for its topic when the cluster says that there is none, as it may be being created, or about to be; "
                                                            "delivery_timeout ends it too. Where the cluster cannot be asked, only that does."});
}

}  // namespace client_detail

constexpr auto describe(options_type<topic_options>) {
    using o = topic_options;
    return std::array{
        client_detail::compression_option<&o::compression>(), client_detail::level_option<&o::compression_level>(),
        client_detail::partitioner_option<&o::partitioner>(), client_detail::linger_option<&o::linger>(),
        client_detail::batch_option<&o::batch_bytes>(),       client_detail::delivery_option<&o::delivery_timeout>(),
        client_detail::unknown_topic_option<&o::unknown_topic_timeout>(),
    };
}

constexpr auto describe(options_type<producer_options>) {
    using o = producer_options;
    return std::array{
        option<&o::acks>("acks", {.aliases = {"request.required.acks"},
                                  .text = "Who has a record before it counts as acknowledged: all in-sync replicas (all, or -1), the leader alone (1), or nobody (0).",
                                  .choices = acks_choices}),
        option<&o::idempotence>("idempotence", {.aliases = {"enable.idempotence"},
                                                .text = "Whether the broker is to drop what a retry sends again, and keep the order. Automatic: on where acks is all.",
                                                .choices = toggle_choices}),
        client_detail::linger_option<&o::linger>(),
        client_detail::batch_option<&o::batch_bytes>(),
        option<&o::batch_records>("batch_records", {.aliases = {"batch.num.messages"}, .text = "A batch is full with so many records too, and goes. 0: however many fit."}),
        option<&o::request_bytes>("request_bytes", {.aliases = {"max.request.size", "message.max.bytes"}, .lowest = 1024, .size = true,
                                                    .text = "Batches of several partitions go together in one request up to this size; no batch may be larger. The broker's limit is "
                                                            "socket.request.max.bytes, 100 MiB by default."}),
        option<&o::send_buffer>("send_buffer", {.aliases = {"buffer.memory"}, .lowest = 1024, .highest = std::int64_t{1} << 40, .size = true,
                                                .text = "Memory for records that are not acknowledged yet. When it is used up, sends wait."}),
        option<&o::in_flight>("in_flight", {.aliases = {"max.in.flight.requests.per.connection", "max.in.flight"}, .lowest = 1, .highest = 1'000,
                                            .text = "Produce requests to one broker that have no answer yet. At most 5 with idempotence: a broker remembers no more batches."}),
        client_detail::compression_option<&o::compression>(),
        client_detail::level_option<&o::compression_level>(),
        client_detail::partitioner_option<&o::partitioner>(),
        client_detail::delivery_option<&o::delivery_timeout>(),
        client_detail::unknown_topic_option<&o::unknown_topic_timeout>(),
        option<&o::retry_backoff>("retry_backoff", {.aliases = {"retry.backoff.ms"},
                                                    .text = "Pause before a batch that was refused is sent again; doubles with every failure, spread by a fifth."}),
        option<&o::retry_backoff_max>("retry_backoff_max", {.aliases = {"retry.backoff.max.ms"}, .text = "The longest such pause."}),
        option<&o::max_retries>("max_retries", {.aliases = {"retries", "message.send.max.retries"},
                                                .text = "How often a batch is sent again that was refused, or whose answer was lost. Not set: as often as delivery_timeout leaves time for."}),
        option<&o::create_topics>("create_topics", {.aliases = {"allow.auto.create.topics"},
                                                    .text = "Whether a broker that is set up to may create a topic that is not there."}),
        option<&o::transactional_id>("transactional_id", {.aliases = {"transactional.id"},
                                                          .text = "The name under which this producer has transactions. A later producer of the same name fences this one."},
                                     check_transactional_id),
        option<&o::transaction_timeout>("transaction_timeout", {.aliases = {"transaction.timeout.ms"}, .lowest = 1,
                                                                .text = "A transaction that is open longer is aborted by the broker. The broker's limit is transaction.max.timeout.ms, 15 minutes by default."}),
    };
}

}  // namespace kafkawire::inline v0_1
