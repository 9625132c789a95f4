// Texts, categories and conditions of error.hpp.
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/codec.hpp>

#include <algorithm>
#include <array>
#include <cctype>

#include <kafkawire/protocol/api.hpp>

namespace kafkawire::inline v0_1 {

namespace {

std::string_view text_of(errc e) noexcept {
    switch (e) {
        case errc::truncated: return "the bytes end inside a value";
        case errc::trailing_bytes: return "bytes are left after the message";
        case errc::bad_length: return "a length or count that cannot be true";
        case errc::bad_varint: return "a varint that is not one";
        case errc::bad_value: return "a value that the field cannot hold";
        case errc::bad_tag: return "tagged fields that are not in order";
        case errc::not_in_version: return "this version cannot say that";
        case errc::unsupported_version: return "no such version";
        case errc::unknown_api: return "no such API";
        case errc::limit_exceeded: return "a limit is exceeded";
        case errc::bad_crc: return "the checksum does not match";
        case errc::bad_magic: return "an unknown record batch format";
        case errc::bad_record: return "a record batch that contradicts itself";
        case errc::unknown_codec: return "an unknown compression type";
        case errc::decompression_failed: return "the compressed bytes are damaged";
        case errc::compression_failed: return "compression failed";
        case errc::bad_json: return "JSON that does not fit the message";
        case errc::resolve_failed: return "the host name could not be resolved";
        case errc::connect_failed: return "could not connect";
        case errc::connect_timed_out: return "not connected in time";
        case errc::connection_closed: return "the peer closed the connection";
        case errc::closed_mid_frame: return "the peer closed the connection in the middle of a response";
        case errc::request_timed_out: return "no answer in time";
        case errc::frame_too_large: return "the peer announces a frame larger than allowed";
        case errc::not_kafka: return "the peer does not speak Kafka's protocol";
        case errc::unexpected_correlation_id: return "an answer to no request of ours";
        case errc::no_common_version: return "broker and client share no version of this API";
        case errc::client_closed: return "the client was closed";
        case errc::canceled: return "the operation was canceled";
        case errc::no_broker_available: return "no broker could be reached";
        case errc::unknown_broker: return "the cluster has no broker of that id";
        case errc::bad_configuration: return "an option is wrong";
        case errc::tls_failed: return "TLS failed";
        case errc::authentication_failed: return "authentication failed";
        case errc::would_wait: return "it would have to wait";
        case errc::delivery_timed_out: return "not delivered in time";
        case errc::delivery_unknown: return "sent, but not known to be delivered";
        case errc::send_withdrawn: return "withdrawn before it was sent";
        case errc::detached: return "nobody waits for the delivery any more";
        case errc::record_too_large: return "the record is too large";
        case errc::unknown_partition: return "the topic has no such partition";
        case errc::no_transaction: return "there is no transaction to send it in";
        case errc::transaction_aborted: return "its transaction was aborted";
        case errc::producer_failed: return "the producer cannot go on";
        case errc::not_assigned: return "the partition is not assigned to this consumer";
        case errc::no_offset: return "there is no offset to begin at";
        case errc::log_truncated: return "the log was truncated before the position";
        case errc::topic_recreated: return "the topic was deleted and made again";
        case errc::no_group: return "the consumer has no group";
        case errc::mixed_assignment: return "partitions are assigned by a group or by hand, not both";
    }
    return "unknown error";
}

// Whether the same call may succeed later without anybody's help.
bool is_retriable(errc e) noexcept {
    switch (e) {
        case errc::resolve_failed:
        case errc::connect_failed:
        case errc::connect_timed_out:
        case errc::connection_closed:
        case errc::closed_mid_frame:
        case errc::request_timed_out:
        case errc::no_broker_available:
        case errc::would_wait:
        case errc::delivery_timed_out:
        // A broker that restarts leaves the metadata and comes back under its id, and ids come from the cluster.
        case errc::unknown_broker: return true;
        default: return false;
    }
}

// Of the codes that a send completes with: whether the record is certainly not in the log. Codes of requests say nothing about records.
bool is_not_persisted(errc e) noexcept {
    switch (e) {
        case errc::would_wait:
        case errc::delivery_timed_out:
        case errc::send_withdrawn:
        case errc::record_too_large:
        case errc::unknown_partition:
        case errc::no_transaction:
        case errc::transaction_aborted:
        case errc::not_in_version:
        case errc::producer_failed: return true;
        default: return false;
    }
}

struct own_category final : std::error_category {
    const char* name() const noexcept override { return "kafkawire"; }
    std::string message(int value) const override { return std::string{text_of(static_cast<errc>(value))}; }
    bool equivalent(int value, const std::error_condition& c) const noexcept override {
        if (c.category() != condition_category()) return std::error_category::equivalent(value, c);
        const auto code = static_cast<errc>(value);
        switch (static_cast<condition>(c.value())) {
            case condition::retriable: return is_retriable(code);
            case condition::fatal: return code == errc::producer_failed;
            case condition::abortable: return code == errc::transaction_aborted;
            case condition::not_persisted: return is_not_persisted(code);
            case condition::maybe_persisted: return code == errc::delivery_unknown || code == errc::detached;
            default: return false;
        }
    }
};

bool is_fenced(broker_errc e) noexcept {
    return e == broker_errc::producer_fenced || e == broker_errc::invalid_producer_epoch || e == broker_errc::fenced_instance_id ||
           e == broker_errc::transaction_coordinator_fenced || e == broker_errc::fenced_member_epoch;
}

// Without these rights or ids the producer or member cannot go on.
bool is_fatal(broker_errc e) noexcept {
    switch (e) {
        case broker_errc::out_of_order_sequence_number:
        case broker_errc::transactional_id_authorization_failed:
        case broker_errc::cluster_authorization_failed:
        case broker_errc::unsupported_for_message_format:
        case broker_errc::unsupported_version:
        case broker_errc::unreleased_instance_id: return true;
        default: return is_fenced(e);
    }
}

bool is_abortable(broker_errc e) noexcept {
    return e == broker_errc::transaction_abortable || e == broker_errc::unknown_producer_id || e == broker_errc::invalid_producer_id_mapping;
}

// Refused before anything was appended. Others may come after the leader has appended: a leader that loses its office while it waits for its
// followers answers NOT_LEADER_OR_FOLLOWER, one that waits in vain REQUEST_TIMED_OUT.
bool is_not_persisted(broker_errc e) noexcept {
    switch (e) {
        case broker_errc::corrupt_message:
        case broker_errc::message_too_large:
        case broker_errc::invalid_topic_exception:
        case broker_errc::record_list_too_large:
        case broker_errc::not_enough_replicas:
        case broker_errc::invalid_required_acks:
        case broker_errc::topic_authorization_failed:
        case broker_errc::cluster_authorization_failed:
        case broker_errc::transactional_id_authorization_failed:
        case broker_errc::invalid_timestamp:
        case broker_errc::unsupported_version:
        case broker_errc::unsupported_for_message_format:
        case broker_errc::policy_violation:
        case broker_errc::out_of_order_sequence_number:
        case broker_errc::invalid_producer_epoch:
        case broker_errc::invalid_txn_state:
        case broker_errc::invalid_producer_id_mapping:
        case broker_errc::concurrent_transactions:
        case broker_errc::unknown_producer_id:
        case broker_errc::unsupported_compression_type:
        case broker_errc::invalid_record:
        case broker_errc::throttling_quota_exceeded:
        case broker_errc::producer_fenced:
        case broker_errc::transaction_abortable: return true;
        default: return false;
    }
}
bool is_maybe_persisted(broker_errc e) noexcept {
    switch (e) {
        case broker_errc::unknown_server_error:
        case broker_errc::request_timed_out:
        case broker_errc::not_leader_or_follower:
        case broker_errc::network_exception:
        case broker_errc::not_enough_replicas_after_append:
        case broker_errc::kafka_storage_error: return true;
        default: return false;
    }
}

struct kafka_category final : std::error_category {
    const char* name() const noexcept override { return "kafka"; }
    std::string message(int value) const override {
        const auto* e = find_broker_error(static_cast<std::int16_t>(value));
        if (!e) return "error code " + std::to_string(value) + ", which this version of the client does not know";
        return std::string{e->name} + ": " + std::string{e->text};
    }
    bool equivalent(int value, const std::error_condition& c) const noexcept override {
        if (c.category() != condition_category()) return std::error_category::equivalent(value, c);
        const auto code = static_cast<broker_errc>(value);
        switch (static_cast<condition>(c.value())) {
            case condition::retriable: {
                const auto* e = find_broker_error(static_cast<std::int16_t>(value));
                return e && e->retriable;
            }
            case condition::fenced: return is_fenced(code);
            case condition::fatal: return is_fatal(code);
            case condition::abortable: return is_abortable(code);
            case condition::not_persisted: return is_not_persisted(code);
            case condition::maybe_persisted: return is_maybe_persisted(code);
            default: return false;
        }
    }
};

struct conditions final : std::error_category {
    const char* name() const noexcept override { return "kafkawire condition"; }
    std::string message(int value) const override {
        switch (static_cast<condition>(value)) {
            case condition::retriable: return "may succeed when tried again";
            case condition::fatal: return "cannot go on";
            case condition::fenced: return "somebody newer has taken the place";
            case condition::abortable: return "the transaction must be aborted";
            case condition::not_persisted: return "certainly not in the log";
            case condition::maybe_persisted: return "may or may not be in the log";
        }
        return "unknown condition";
    }
};

// "OFFSET_OUT_OF_RANGE" from offset_out_of_range, at compile time.
template <std::size_t N>
constexpr std::array<char, N> upper(const char (&lower)[N]) {
    std::array<char, N> name{};
    for (std::size_t i = 0; i < N; ++i) name[i] = lower[i] >= 'a' && lower[i] <= 'z' ? static_cast<char>(lower[i] - 'a' + 'A') : lower[i];
    return name;
}

#define KAFKAWIRE_BROKER_ERROR(CODE, NAME, RETRIABLE, TEXT) constexpr auto name_##NAME = upper(#NAME);
#include <kafkawire/detail/broker_errors.inc>
#undef KAFKAWIRE_BROKER_ERROR

constexpr broker_error_info broker_error_table[] = {
#define KAFKAWIRE_BROKER_ERROR(CODE, NAME, RETRIABLE, TEXT) {CODE, {name_##NAME.data(), name_##NAME.size() - 1}, RETRIABLE, TEXT},
#include <kafkawire/detail/broker_errors.inc>
#undef KAFKAWIRE_BROKER_ERROR
};

}  // namespace

const std::error_category& category() noexcept {
    static const own_category instance;
    return instance;
}
const std::error_category& broker_category() noexcept {
    static const kafka_category instance;
    return instance;
}
const std::error_category& condition_category() noexcept {
    static const conditions instance;
    return instance;
}

std::span<const broker_error_info> broker_errors() noexcept { return broker_error_table; }

const broker_error_info* find_broker_error(std::int16_t code) noexcept {
    const auto* end = std::end(broker_error_table);
    const auto* at = std::lower_bound(std::begin(broker_error_table), end, code, [](const broker_error_info& e, std::int16_t c) { return e.code < c; });
    return at != end && at->code == code ? at : nullptr;
}

const broker_error_info* find_broker_error(std::string_view name) noexcept {
    for (const auto& e : broker_error_table)
        if (std::equal(e.name.begin(), e.name.end(), name.begin(), name.end(),
                       [](unsigned char a, unsigned char b) { return a == std::toupper(b); }))
            return &e;
    return nullptr;
}

std::string_view to_string(phase p) noexcept {
    switch (p) {
        case phase::none: return "none";
        case phase::resolve: return "resolve";
        case phase::connect: return "connect";
        case phase::tls: return "tls";
        case phase::sasl: return "sasl";
        case phase::api_versions: return "api_versions";
        case phase::request: return "request";
    }
    return "unknown";
}

error configuration_error(std::string text, std::string hint) {
    error e;
    e.code = errc::bad_configuration;
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}

std::string error::message() const {
    std::string story;
    if (in != phase::none) story += to_string(in);
    if (!broker.empty()) story += (story.empty() ? "" : " ") + broker;
    if (!story.empty()) story += ": ";
    story += text.empty() ? code.message() : text;
    if (api_key >= 0) {
        const auto* api = protocol::find_api(api_key);
        story += " (" + (api ? std::string{api->name} : "API " + std::to_string(api_key));
        if (api_version >= 0) story += " v" + std::to_string(api_version);
        if (attempt > 0) story += ", attempt " + std::to_string(attempt);
        story += ")";
    }
    if (cause) story += "; caused by: " + cause->message();
    if (!hint.empty()) story += "; hint: " + hint;
    return story;
}

}  // namespace kafkawire::inline v0_1

namespace kafkawire::protocol {

std::string wire_error::message() const {
    std::string story = make_error_code(code).message() + ", at byte " + std::to_string(offset);
    if (!path.empty()) story += ", in " + path;
    if (!detail.empty()) story += ": " + detail;
    return story;
}

}  // namespace kafkawire::protocol
