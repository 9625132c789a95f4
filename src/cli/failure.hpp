// What a command says when it cannot do what it was asked: one sentence, a hint, a status.
#pragma once
#include <kafkawire/error.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace kafkawire::cli {

/// The statuses that kafka-cli ends with.
enum class status : int {
    done = 0,
    failed = 1,         ///< Kafka or I/O failed, or any item of several did
    usage = 2,          ///< the command line is wrong
    partial = 3,        ///< the time ran out with some of the work done
    interrupted = 130,  ///< a second SIGINT
};

/// Thrown by commands and caught in run(); value semantics.
struct failure : std::exception {
    status exit = status::failed;
    int code = 0;         ///< the numeric code where there is one (a broker's error code), else 0
    std::string name;     ///< a word for scripts: "UNKNOWN_TOPIC_OR_PARTITION", "bad_hex", "usage"
    std::string message;  ///< one sentence, no full stop
    std::string hint;     ///< what to do about it; may be empty
    std::string broker;   ///< "host:port"; may be empty
    std::string api;      ///< "Metadata v12"; may be empty
    std::string cause;    ///< what led to it; may be empty
    bool retriable = false;  ///< the same may succeed later, perhaps at another broker

    failure() = default;
    failure(status s, std::string n, std::string m, std::string h = {}) : exit{s}, name{std::move(n)}, message{std::move(m)}, hint{std::move(h)} {}
    [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }
};

/// Thrown when nobody reads standard output any more; ends the program quietly with 0.
struct output_closed {};

[[nodiscard]] failure usage_error(std::string message, std::string hint = {});
/// From the library's story of a failure. `doing` begins the sentence: "cannot list topics"; empty: the story stands for itself.
[[nodiscard]] failure from_error(const error& e, std::string_view doing);
/// From a broker's error code. `about` begins the sentence: "topic \"orders\"".
[[nodiscard]] failure from_broker_code(std::int16_t code, std::string_view about);

/// A hint of the library's, which names options, with the flags that set them: "tls_ca_file (--tls-ca) names the authority ...".
[[nodiscard]] std::string with_flags(std::string hint);

/// Whether what a broker said may pass by itself: ask again, perhaps after finding the right broker.
[[nodiscard]] bool may_pass(std::int16_t code) noexcept;

/// "kafka-cli: SENTENCE" and "hint: ..." lines for standard error.
[[nodiscard]] std::string to_text(const failure& f);
/// {"error":{...}} on one line, for --output json.
[[nodiscard]] std::string to_json(const failure& f);

}  // namespace kafkawire::cli
