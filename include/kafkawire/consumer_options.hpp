// What a kw::consumer is made with, and where it begins to read. Names, ranges and texts of the options stand in the describe() list below;
// what must hold between several of them is checked by validate().
#pragma once
#include <kafkawire/options.hpp>
#include <kafkawire/record.hpp>

namespace kafkawire::inline v0_1 {

/// What is read of transactions.
enum class isolation : std::uint8_t {
    read_uncommitted = 0,  ///< all records as soon as they are replicated, those of transactions that were aborted or are open too
    read_committed = 1,    ///< only what is committed; a transaction that is open holds back what lies behind its first record
};

/// Where reading begins without a committed offset, and goes on when the offset is no longer in the log.
enum class offset_reset : std::uint8_t { earliest, latest, none, by_duration };

/// Where to begin in a partition. A value.
struct start_position {
    enum class kind : std::uint8_t { policy, beginning, end, offset, since, ago };
    kind what = kind::policy;
    std::int64_t value = 0;      ///< offset; or milliseconds

    /// As consumer_options::auto_offset_reset says.
    static constexpr start_position policy() noexcept { return {}; }
    static constexpr start_position beginning() noexcept { return {kind::beginning, 0}; }
    /// Behind the last record (at read_committed: behind the last one that is settled).
    static constexpr start_position end() noexcept { return {kind::end, 0}; }
    static constexpr start_position at(std::int64_t offset) noexcept { return {kind::offset, offset}; }
    /// The first record with this timestamp or a later one; the end if there is none.
    static constexpr start_position since(timestamp t) noexcept { return {kind::since, t.time_since_epoch().count()}; }
    /// So far back from now, by the wall clock.
    static constexpr start_position ago(std::chrono::milliseconds d) noexcept { return {kind::ago, d.count()}; }
    friend constexpr bool operator==(const start_position&, const start_position&) = default;
};

/// The protocol between members of a group: Kafka's classic one, or that of KIP-848.
enum class group_protocol : std::uint8_t { classic, consumer };

/// Who looks which topics a pattern means: this consumer, from time to time (POSIX extended regular expressions), or the brokers (RE2).
enum class pattern_side : std::uint8_t { client, broker };

struct consumer_options {
    // Reading.
    kafkawire::isolation isolation = kafkawire::isolation::read_committed;
    offset_reset auto_offset_reset = offset_reset::latest;
    std::chrono::milliseconds reset_duration{0};
    std::uint32_t fetch_min_bytes = 1;
    std::uint32_t fetch_max_bytes = 50u << 20;
    std::uint32_t partition_bytes = 1u << 20;
    std::chrono::milliseconds fetch_max_wait{500};
    std::uint64_t fetch_buffer = 64u << 20;
    std::uint32_t max_poll_records = 0;
    std::uint32_t max_decompressed_batch = 64u << 20;
    bool check_crcs = true;
    std::string rack{};
    std::chrono::milliseconds retry_backoff{100};
    std::chrono::milliseconds retry_backoff_max{500};
    bool create_topics = false;
    // The group.
    std::string group{};
    std::vector<std::string> topics{};
    std::vector<std::string> exclude_topics{};
    pattern_side match_patterns = pattern_side::client;
    std::string group_instance_id{};
    kafkawire::group_protocol group_protocol = kafkawire::group_protocol::classic;
    std::vector<std::string> assignors{"cooperative-sticky"};
    std::string server_assignor{};
    std::chrono::milliseconds session_timeout{45'000};
    std::chrono::milliseconds heartbeat_interval{3'000};
    std::chrono::milliseconds max_poll_interval{300'000};
    std::chrono::milliseconds rebalance_timeout{60'000};
    std::chrono::milliseconds join_backoff{0};
    bool auto_commit = false;
    bool auto_mark = true;
    std::chrono::milliseconds auto_commit_interval{5'000};
    std::optional<std::chrono::milliseconds> retention_time{};
    std::optional<bool> leave_on_close{};
};

/// Ranges of all options, and what must hold between them. Empty if all is well, else errc::bad_configuration with the option's name, its
/// value and what would be right. A consumer asks this when it is made.
[[nodiscard]] KAFKAWIRE_API error validate(const consumer_options& options);

inline constexpr std::array<option_choice, 2> isolation_choices{{{"read_committed", 1}, {"read_uncommitted", 0}}};
inline constexpr std::array<option_choice, 6> offset_reset_choices{{{"earliest", 0}, {"smallest", 0}, {"latest", 1}, {"largest", 1}, {"none", 2}, {"by_duration", 3}}};
inline constexpr std::array<option_choice, 2> pattern_side_choices{{{"client", 0}, {"broker", 1}}};
inline constexpr std::array<option_choice, 2> group_protocol_choices{{{"classic", 0}, {"consumer", 1}}};

constexpr auto describe(options_type<consumer_options>) {
    using o = consumer_options;
    return std::array{
        option<&o::isolation>("isolation", {.aliases = {"isolation.level"},
                                            .text = "Of transactions: read_committed gives what is committed, read_uncommitted everything.",
                                            .choices = isolation_choices}),
        option<&o::auto_offset_reset>("auto_offset_reset", {.aliases = {"auto.offset.reset"},
                                                            .text = "Where to begin without a committed offset, and to go on when the log no longer has the offset: earliest, latest, "
                                                                    "by_duration (see reset_duration), or none: an error.",
                                                            .choices = offset_reset_choices}),
        option<&o::reset_duration>("reset_duration", {.text = "With auto_offset_reset by_duration: how far back from now."}),
        option<&o::fetch_min_bytes>("fetch_min_bytes", {.aliases = {"fetch.min.bytes"}, .size = true,
                                                        .text = "A broker waits until it has so much for us, or fetch_max_wait has passed."}),
        option<&o::fetch_max_bytes>("fetch_max_bytes", {.aliases = {"fetch.max.bytes"}, .lowest = 1024, .size = true,
                                                        .text = "The most that one answer may bring. A single batch that is larger comes nevertheless."}),
        option<&o::partition_bytes>("partition_bytes", {.aliases = {"max.partition.fetch.bytes", "fetch.message.max.bytes"}, .lowest = 1, .size = true,
                                                        .text = "The same of one partition."}),
        option<&o::fetch_max_wait>("fetch_max_wait", {.aliases = {"fetch.max.wait.ms", "fetch.wait.max.ms"},
                                                      .text = "How long a broker waits for fetch_min_bytes before it answers."}),
        option<&o::fetch_buffer>("fetch_buffer", {.lowest = 1024, .highest = std::int64_t{1} << 40, .size = true,
                                                  .text = "Memory for what is being fetched, is fetched, and is in the application's hands. When it is used up, fetching waits."}),
        option<&o::max_poll_records>("max_poll_records", {.aliases = {"max.poll.records"}, .text = "The most that one poll gives. 0: whatever is there."}),
        option<&o::max_decompressed_batch>("max_decompressed_batch", {.lowest = 1024, .size = true, .text = "A batch that is larger when it is decompressed is refused."}),
        option<&o::check_crcs>("check_crcs", {.aliases = {"check.crcs"}, .text = "Whether the checksums of batches are compared."}),
        option<&o::rack>("rack", {.aliases = {"client.rack"}, .text = "Where this consumer is: brokers that know it send it to a replica nearby (KIP-392)."}),
        option<&o::retry_backoff>("retry_backoff", {.aliases = {"retry.backoff.ms"},
                                                    .text = "Pause before what was refused is asked again; doubles with every failure, spread by a fifth."}),
        option<&o::retry_backoff_max>("retry_backoff_max", {.aliases = {"retry.backoff.max.ms"}, .text = "The longest such pause."}),
        option<&o::create_topics>("create_topics", {.aliases = {"allow.auto.create.topics"}, .text = "Whether a broker that is set up to may create a topic that is not there."}),
        option<&o::group>("group", {.aliases = {"group.id"}, .text = "The group whose members share the partitions of their topics. Empty: none."}),
        option<&o::topics>("topics", {.text = "What a member of the group reads: names, and patterns of whole names that begin with ^ (POSIX extended regular expressions). None: see subscribe()."}),
        option<&o::exclude_topics>("exclude_topics", {.text = "Names and patterns of topics that are not read although a pattern has them."}),
        option<&o::match_patterns>("match_patterns", {.text = "Who finds the topics that patterns mean: client; or broker, which takes RE2 expressions, sees new topics sooner, and excludes none "
                                                              "(group_protocol consumer, Kafka 4.0 or later).",
                                                      .choices = pattern_side_choices}),
        option<&o::group_instance_id>("group_instance_id", {.aliases = {"group.instance.id"}, .text = "Names this member across restarts, so that one does not rebalance the group (KIP-345)."}),
        option<&o::group_protocol>("group_protocol", {.aliases = {"group.protocol"}, .text = "classic, or consumer (KIP-848: brokers from 4.0 on assign the partitions).", .choices = group_protocol_choices}),
        option<&o::assignors>("assignors", {.aliases = {"partition.assignment.strategy"},
                                            .text = "Strategies that this member can, best first, with commas between: range, roundrobin, sticky, cooperative-sticky, or registered names. With one that is not "
                                                    "cooperative among them, all partitions are given up at every rebalance."}),
        option<&o::server_assignor>("server_assignor", {.aliases = {"group.remote.assignor"}, .text = "With group_protocol consumer: the broker's strategy; empty: its own choice."}),
        option<&o::session_timeout>("session_timeout", {.aliases = {"session.timeout.ms"}, .lowest = 1, .text = "A member that is not heard of for so long is taken for dead."}),
        option<&o::heartbeat_interval>("heartbeat_interval", {.aliases = {"heartbeat.interval.ms"}, .lowest = 1, .text = "How often a member lets its coordinator hear."}),
        option<&o::max_poll_interval>("max_poll_interval", {.aliases = {"max.poll.interval.ms"}, .text = "A member that does not poll for so long leaves its group until it does. 0: never."}),
        option<&o::rebalance_timeout>("rebalance_timeout", {.lowest = 1, .text = "How long the group waits for this member when partitions are given anew."}),
        option<&o::join_backoff>("join_backoff", {.text = "Pause before a group that refused this member is joined again, spread by a fifth. 0: as retry_backoff. Of group_protocol classic."}),
        option<&o::auto_commit>("auto_commit", {.aliases = {"enable.auto.commit"}, .text = "Whether what is finished is committed from time to time, when partitions go, and at the end."}),
        option<&o::auto_mark>("auto_mark", {.aliases = {"enable.auto.offset.store"},
                                            .text = "What is finished: yes: whatever was handed out before the latest poll, and what is marked; no: only what is marked (see mark())."}),
        option<&o::auto_commit_interval>("auto_commit_interval", {.aliases = {"auto.commit.interval.ms"}, .lowest = 1, .text = "How often."}),
        option<&o::retention_time>("retention_time", {.lowest = 1, .text = "How long the group's offsets are kept at least; commits are then sent in a version that says so. Not set: as the brokers' offsets.retention.minutes has it, "
                                                                    "which counts from when the group is empty."}),
        option<&o::leave_on_close>("leave_on_close", {.text = "Whether a member that closes leaves its group, so that others read on at once, or keeps its place until session_timeout. Not set: it leaves, but not with a group_instance_id."}),
    };
}

}  // namespace kafkawire::inline v0_1
