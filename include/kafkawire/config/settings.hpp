// What a configuration says beyond the options of client, producer and consumer: things that the ways of working on top of them need (how often a
// handler is called again, how a service's brokers are found, ...). Declared as options are: a struct with its defaults, and a describe() list.
#pragma once
#include <kafkawire/app/handler_options.hpp>
#include <kafkawire/consumer_options.hpp>
#include <kafkawire/producer_options.hpp>

#include <map>

namespace kafkawire::inline v0_1 {
namespace config {

/// How brokers are found and spoken to, beside client_options.
struct connection_settings {
    bool debug = false;
    bool ask_versions = true;                                 ///< without it, fallback_version has become client_options::broker_version
    std::string fallback_version{};
    std::string discover{};                                   ///< empty: the bootstrap list is what it says
    std::string service{};                                    ///< what is looked up, where discover is set
    std::string service_namespace{};
    std::optional<std::chrono::milliseconds> read_timeout{};  ///< with write_timeout it has become client_options::request_timeout
    std::optional<std::chrono::milliseconds> write_timeout{};
    bool caller_metadata = false;
};

/// How a producer is used.
struct sending_settings {
    std::string topic{};                         ///< of records that name none
    std::string balancer{};                      ///< a partitioner that the program registers later; empty: producer_options::partitioner
    bool async = false;
    std::uint32_t max_message_bytes = 0;
};

/// How a consumer is used.
struct reading_settings {
    std::string topic{};                         ///< of a reader without a group; members have consumer_options::topics
    std::optional<std::int32_t> partition{};
    std::optional<std::int64_t> start_offset{};  ///< -2: the first there is, -1: behind the last; else without a group only
    std::chrono::milliseconds commit_interval{0};
    bool watch_partitions = false;
    std::chrono::milliseconds watch_interval{5'000};
    std::chrono::milliseconds lag_interval{0};
    std::uint32_t max_message_bytes = 0;
};

using app::last_resort;

/// What a consumer server is: a consumer by its name, and a function for its messages.
struct server_settings {
    std::string consumer_name{};
    bool debug = false;
};

inline constexpr std::array<option_choice, 2> start_choices{{{"first", -2}, {"last", -1}}};

constexpr auto describe(options_type<connection_settings>) {
    using o = connection_settings;
    return std::array{
        option<&o::debug>("debug", {.text = "Whether each request is written to standard error: configuration, broker, API, duration, sizes, request and answer, without secrets. KAFKAWIRE_DEBUG=1 in the environment does the same."}),
        option<&o::ask_versions>("ask_versions", {.aliases = {"api.version.request"}, .text = "Whether each broker is asked what it speaks. If not, and broker_version is not set, fallback_version is what is spoken."}),
        option<&o::fallback_version>("fallback_version", {.aliases = {"broker.version.fallback"}, .text = "The Kafka release that is spoken where ask_versions is false, as 0.10.2.0. Empty: 0.10.0."}, check_broker_version),
        option<&o::discover>("discover", {.text = "Who finds the brokers: the name of a registered resolver. Empty: the addresses are those of brokers."}),
        option<&o::service>("service", {.text = "With discover: the name of the service that is looked up."}),
        option<&o::service_namespace>("service_namespace", {.text = "With discover: the namespace that the service's name is of."}),
        option<&o::read_timeout>("read_timeout", {.lowest = 1, .text = "Time for an answer, as other clients have it. Here only its sum with write_timeout counts: it is the time for a whole request (request_timeout), from the call to its answer."}),
        option<&o::write_timeout>("write_timeout", {.lowest = 1, .text = "Time for a request to be written, as other clients have it. Counts only as a sum with read_timeout, see there."}),
        option<&o::caller_metadata>("caller_metadata", {.text = "Whether metadata of the calling context goes with records as headers, and comes back from them."}),
    };
}

constexpr auto describe(options_type<sending_settings>) {
    using o = sending_settings;
    return std::array{
        option<&o::topic>("topic", {.text = "Where records go that name no topic."}),
        option<&o::balancer>("balancer", {.text = "The name of a partitioner that the program registers. Empty: partitioner is one that is known."}),
        option<&o::async>("async", {.text = "Whether a send returns at once. Its outcome is told to the callbacks, if there are any."}),
        option<&o::max_message_bytes>("max_message_bytes", {.size = true, .text = "A larger record is refused before it is sent. 0: only request_bytes counts."}),
    };
}

constexpr auto describe(options_type<reading_settings>) {
    using o = reading_settings;
    return std::array{
        option<&o::topic>("topic", {.text = "What is read without a group."}),
        option<&o::partition>("partition", {.text = "The one partition that is read, without a group."}),
        option<&o::start_offset>("start_offset", {.lowest = -2, .highest = std::numeric_limits<std::int64_t>::max(), .text = "Where reading begins; a number without a group only. Not set: as auto_offset_reset says.", .choices = start_choices}),
        option<&o::commit_interval>("commit_interval", {.text = "What is marked is committed so often, in the background. 0: each commit is a request of its own."}),
        option<&o::watch_partitions>("watch_partitions", {.text = "Whether new partitions of a topic are looked for every watch_interval."}),
        option<&o::watch_interval>("watch_interval", {.lowest = 1, .text = "See watch_partitions."}),
        option<&o::lag_interval>("lag_interval", {.text = "How often it is measured how far the reader is behind. 0: never."}),
        option<&o::max_message_bytes>("max_message_bytes", {.size = true, .text = "A larger record is an error. 0: none is."}),
    };
}

constexpr auto describe(options_type<server_settings>) {
    using o = server_settings;
    return std::array{
        option<&o::consumer_name>("consumer_name", {.text = "The consumer whose messages are handled, as [kafka.consumers.NAME] names it."}),
        option<&o::debug>("debug", {.text = "As debug of its consumer."}),
    };
}

/// All that one producer is made with and used by.
struct producer_settings {
    client_options client{};
    connection_settings connection{};
    producer_options options{};
    sending_settings sending{};
};

/// All that one consumer is made with and used by.
struct consumer_settings {
    client_options client{};
    connection_settings connection{};
    consumer_options options{};
    reading_settings reading{};
    app::handler_options handling{};  ///< how functions are called with what is read
};

}  // namespace config
}  // namespace kafkawire::inline v0_1
