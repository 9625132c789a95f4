// How handlers are called: how often again, how many at a time, and what becomes of a message that none of the tries could handle. Programs write
// these options themselves, and every dialect of configuration fills them.
#pragma once
#include <kafkawire/producer_options.hpp>

namespace kafkawire::inline v0_1 {
namespace app {

/// What follows when a message (or a batch) has been tried as often as it may be.
enum class last_resort : std::uint8_t {
    go_on,        ///< it is confirmed, told to the error stream, and the next one comes
    stop,         ///< the server stops with the handler's error; the message is not confirmed
    retry_topic,  ///< it goes to another topic to be tried later, and is confirmed when it is there
    dead_letter,  ///< it goes to a topic for those that nobody could handle, and is confirmed when it is there
};

/// What is handed out in its order when several handlers run at a time.
enum class handler_order : std::uint8_t {
    key,        ///< messages of the same key; those without a key in no order. With parallel 1: all of a partition
    partition,  ///< all messages of a partition
};

struct handler_options {
    std::chrono::milliseconds retry_interval{3'000};
    std::int32_t max_retry = 0;
    std::uint32_t batch = 0;
    std::chrono::milliseconds batch_flush{2'000};
    std::chrono::milliseconds max_processing_time{1'000};
    std::uint32_t parallel = 1;
    handler_order order = handler_order::key;
    last_resort after_last_try = last_resort::go_on;
    std::string retry_topic{};
    std::string dead_letter_topic{};
    /// Of the batches that messages go in to these two topics; not set: as the server's producer_options have it. It has nothing to do with what is read:
    /// batches say themselves how they are compressed.
    std::optional<protocol::compression> compression{};
    std::uint32_t max_pending = 1'000;
    std::chrono::milliseconds stop_timeout{30'000};
};

inline constexpr std::array<option_choice, 4> last_resort_choices{{{"go_on", 0}, {"stop", 1}, {"retry_topic", 2}, {"dead_letter", 3}}};
inline constexpr std::array<option_choice, 2> handler_order_choices{{{"key", 0}, {"partition", 1}}};

constexpr auto describe(options_type<handler_options>) {
    using o = handler_options;
    return std::array{
        option<&o::retry_interval>("retry_interval", {.text = "Pause before a message, or a batch, is handed out again after its handler failed."}),
        option<&o::max_retry>("max_retry", {.lowest = std::numeric_limits<std::int32_t>::min(), .text = "0: until the handler takes it; below 0: no second try; n: n+1 tries altogether. Then after_last_try says what follows."}),
        option<&o::batch>("batch", {.highest = 1'000'000, .text = "How many messages a batch handler gets at most. A handler of single messages needs none."}),
        option<&o::batch_flush>("batch_flush", {.lowest = 1, .text = "A batch that is not full is handed out after so long."}),
        option<&o::max_processing_time>("max_processing_time", {.lowest = 1, .text = "A handler that takes longer is told of in the error stream. It does not cost the membership."}),
        option<&o::parallel>("parallel", {.lowest = 1, .highest = 10'000, .text = "How many handlers run at a time."}),
        option<&o::order>("order", {.text = "What is handed out in its order nevertheless: messages of the same key, or all of a partition.", .choices = handler_order_choices}),
        option<&o::after_last_try>("after_last_try", {.text = "What follows when max_retry is used up: go_on (confirmed and left), stop, retry_topic or dead_letter.", .choices = last_resort_choices}),
        option<&o::retry_topic>("retry_topic", {.text = "With after_last_try retry_topic: where messages go to be tried later, by whoever reads it: this consumer, if it is among its topics. One that comes from there and fails again goes to the dead_letter_topic, if there is one."}),
        option<&o::dead_letter_topic>("dead_letter_topic", {.text = "Where messages go that nobody could handle."}),
        option<&o::compression>("compression", {.text = "How messages are compressed that go to the retry_topic or the dead_letter_topic. Not set: not at all, unless the program says otherwise. Batches that are read say themselves how they are compressed.", .choices = compression_choices}),
        option<&o::max_pending>("max_pending", {.lowest = 1, .highest = 10'000'000, .text = "A partition of which more messages wait, or wait for an earlier one to be confirmed, is not read on until half of them are done."}),
        option<&o::stop_timeout>("stop_timeout", {.text = "How long a stop waits for handlers that are running; what they do after that is not confirmed."}),
    };
}

/// Ranges of all options, and what must hold between them (a retry topic that is named, ...): empty, or errc::bad_configuration with the option's
/// name, its value and what would be right.
[[nodiscard]] inline error validate(const handler_options& o) {
    if (auto wrong = check_options(options_of<handler_options>(), &o)) return wrong;
    if (o.after_last_try == last_resort::retry_topic && o.retry_topic.empty()) return configuration_error("after_last_try is retry_topic, and retry_topic is empty", "name the topic that messages go to");
    if (o.after_last_try == last_resort::dead_letter && o.dead_letter_topic.empty())
        return configuration_error("after_last_try is dead_letter, and dead_letter_topic is empty", "name the topic that messages go to");
    if (o.max_retry == 0 && o.after_last_try != last_resort::go_on)
        return configuration_error("max_retry is 0, which means for ever, and after_last_try is not go_on", "there is no last try: give max_retry above 0, or below it for no second try");
    return {};
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
