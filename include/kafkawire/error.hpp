// Errors: two enums of codes (ours and the broker's), conditions that group them, and kw::error, which carries the story.
#pragma once
#include <kafkawire/version.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace kafkawire::inline v0_1 {

/// What can go wrong on our side of the connection. Broker answers are `broker_errc`; the system's own errors pass as they are.
enum class errc {
    // The wire: bytes that are not what the specification says.
    truncated = 1,            ///< the bytes ended inside a value
    trailing_bytes,           ///< the message was whole and bytes were left
    bad_length,               ///< a length or a count that cannot be true
    bad_varint,               ///< a varint that does not end, or needs more bits than its type has
    bad_value,                ///< a value that the field cannot hold (null where the version has no null, a bool that is neither 0 nor 1 is taken)
    bad_tag,                  ///< tagged fields out of order, twice, or not using up their size
    not_in_version,           ///< the writer was asked for something that this version cannot say
    unsupported_version,      ///< no such version of this message
    unknown_api,              ///< no such API key or name
    limit_exceeded,           ///< within the protocol, beyond a limit of ours; the text names the limit
    bad_crc,                  ///< a checksum does not match
    bad_magic,                ///< a record batch format that does not exist
    bad_record,               ///< a record or batch that contradicts itself
    unknown_codec,            ///< a compression type that does not exist
    decompression_failed,     ///< compressed bytes that the codec refuses
    compression_failed,       ///< the codec could not compress
    bad_json,                 ///< JSON that does not fit the message
    // The connection.
    resolve_failed = 100,     ///< no address for the host name
    connect_failed,           ///< none of the addresses took the connection
    connect_timed_out,        ///< not connected within the connect timeout
    connection_closed,        ///< the peer closed the connection
    closed_mid_frame,         ///< the peer closed the connection inside a response
    request_timed_out,        ///< no answer by the deadline
    frame_too_large,          ///< the peer claims a frame larger than max_response
    not_kafka,                ///< what answers there does not speak Kafka's protocol
    unexpected_correlation_id,///< an answer to no request of ours
    no_common_version,        ///< the broker and we share no version of this API
    client_closed,            ///< the client was closed or destroyed before the answer
    canceled,                 ///< the operation was canceled through its cancellation slot
    no_broker_available,      ///< none of the brokers could be reached by the deadline; the cause says why
    unknown_broker,           ///< no broker of that id in the metadata now; retriable, since one that restarts comes back under its id
    bad_configuration,        ///< an option that is unknown, wrong, or in conflict with another
    tls_failed,               ///< no TLS with the peer, or it broke: the text says what was wrong with whom
    authentication_failed,    ///< the peer refused who we say we are, or did not show who it is
    // Sending records.
    would_wait = 200,         ///< try_send: no room now, or the topic or partition is not known yet; async_send waits
    delivery_timed_out,       ///< not acknowledged by the delivery timeout, and certainly not in the log; the cause says what kept it
    delivery_unknown,         ///< sent, and nobody knows whether it is in the log; the cause says why
    send_withdrawn,           ///< canceled, or the producer closed, before the record was sent
    detached,                 ///< canceled after the record was accepted: it goes its way, and may or may not get there
    record_too_large,         ///< larger than a batch may be, here or at the broker
    unknown_partition,        ///< the topic has no such partition (it was looked for), or none was named and the partitioner is "manual"
    no_transaction,           ///< a transactional producer sends within a transaction only
    transaction_aborted,      ///< the record's transaction was aborted before the record was sent
    producer_failed,          ///< the producer cannot go on; the cause says why, and a new one is needed
    // Reading records.
    not_assigned = 300,       ///< the consumer does not have that partition
    no_offset,                ///< nothing says where to begin: there is no committed offset, or it is out of range, and the policy is none
    log_truncated,            ///< records that were read are no longer in the log: an unclean election, or a cluster that was set back
    topic_recreated,          ///< the topic was deleted and made again: offsets of the former one mean nothing in it
    no_group,                 ///< it needs a group, and the consumer has none
    mixed_assignment,         ///< partitions come from a group or are assigned by hand, not both
};

/// Kafka's error codes, by the names of the specification in std case. detail/broker_errors.inc holds name, retriable and text.
enum class broker_errc : std::int16_t {
#define KAFKAWIRE_BROKER_ERROR(CODE, NAME, RETRIABLE, TEXT) NAME = CODE,
#include <kafkawire/detail/broker_errors.inc>
#undef KAFKAWIRE_BROKER_ERROR
};

/// Groups of codes that a caller reacts to alike.
enum class condition {
    retriable = 1,    ///< the same call may succeed later, without anybody's help
    fatal,            ///< this producer or consumer cannot go on; a new one is needed
    fenced,           ///< somebody newer has taken this producer's or member's place
    abortable,        ///< the transaction must be aborted; the producer goes on
    not_persisted,    ///< the records are certainly not in the log
    maybe_persisted,  ///< the records may or may not be in the log
};

KAFKAWIRE_API const std::error_category& category() noexcept;         ///< of `errc`, named "kafkawire"
KAFKAWIRE_API const std::error_category& broker_category() noexcept;  ///< of `broker_errc`, named "kafka"
KAFKAWIRE_API const std::error_category& condition_category() noexcept;

inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), category()}; }
inline std::error_code make_error_code(broker_errc e) noexcept { return {static_cast<int>(e), broker_category()}; }
inline std::error_condition make_error_condition(condition c) noexcept { return {static_cast<int>(c), condition_category()}; }

/// One row of the table of broker errors. Thread-safe, constant data.
struct broker_error_info {
    std::int16_t code;
    std::string_view name;  ///< as in the specification: UNKNOWN_TOPIC_OR_PARTITION
    bool retriable;         ///< as the Java client takes it
    std::string_view text;  ///< one sentence, ours
};
/// The table, by ascending code, from UNKNOWN_SERVER_ERROR (-1) on.
KAFKAWIRE_API std::span<const broker_error_info> broker_errors() noexcept;
/// The row of a code, or null for a code that this version does not know.
KAFKAWIRE_API const broker_error_info* find_broker_error(std::int16_t code) noexcept;
/// The row of a name, any case, or null.
KAFKAWIRE_API const broker_error_info* find_broker_error(std::string_view name) noexcept;

/// Where in the life of a request something went wrong.
enum class phase { none, resolve, connect, tls, sasl, api_versions, request };
KAFKAWIRE_API std::string_view to_string(phase p) noexcept;

/// The whole story of a failure: the code that a program reacts to, and what a person needs to mend it.
/// Operations complete with `std::error_code`; `kw::detailed(token)` and the blocking facade give this instead. Copyable, cheap to move.
struct error {
    std::error_code code;
    phase in = phase::none;
    std::string broker{};          ///< "host:port", or "host:port (id 3)"; empty: none in particular
    std::int16_t api_key = -1;     ///< -1: none
    std::int16_t api_version = -1;
    int attempt = 0;               ///< 1 for the first; 0: does not apply
    std::string text{};            ///< what happened, one sentence without a full stop; empty: the code's own message
    std::string hint{};            ///< what to do about it; may be empty
    std::shared_ptr<const error> cause{};  ///< what led to it: a timeout always carries its last cause

    explicit operator bool() const noexcept { return static_cast<bool>(code); }
    /// "request to localhost:9092: no answer within 30 s (Metadata v12, attempt 2); caused by: ...; hint: ..."
    [[nodiscard]] KAFKAWIRE_API std::string message() const;
};

/// errc::bad_configuration with its text, which names the option and its value, and what would be right.
[[nodiscard]] KAFKAWIRE_API error configuration_error(std::string text, std::string hint = {});

/// Thrown by the blocking facade and by coroutines that await `kw::detailed(use_awaitable)`.
class system_error : public std::system_error {
public:
    explicit system_error(error e) : std::system_error{e.code}, story_{std::make_shared<const story>(story{std::move(e)})} {}
    [[nodiscard]] const error& detail() const noexcept { return story_->error; }
    /// The error's message(), and nothing behind it.
    [[nodiscard]] const char* what() const noexcept override { return story_->text.c_str(); }

private:
    struct story {
        kafkawire::error error;
        std::string text = error.message();
    };
    std::shared_ptr<const story> story_;  // shared, so that copying the exception cannot throw
};

}  // namespace kafkawire::inline v0_1

template <>
struct std::is_error_code_enum<kafkawire::errc> : std::true_type {};
template <>
struct std::is_error_code_enum<kafkawire::broker_errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<kafkawire::condition> : std::true_type {};
