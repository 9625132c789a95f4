#include <kafkawire/metrics.hpp>

namespace kafkawire::inline v0_1 {

namespace {

struct named {
    errc code;
    std::string_view name;
};
constexpr named kinds[] = {
    named{errc::truncated, "truncated"}, named{errc::trailing_bytes, "trailing_bytes"}, named{errc::bad_length, "bad_length"},
    named{errc::bad_varint, "bad_varint"}, named{errc::bad_value, "bad_value"}, named{errc::bad_tag, "bad_tag"},
    named{errc::not_in_version, "not_in_version"}, named{errc::unsupported_version, "unsupported_version"}, named{errc::unknown_api, "unknown_api"},
    named{errc::limit_exceeded, "limit_exceeded"}, named{errc::bad_crc, "bad_crc"}, named{errc::bad_magic, "bad_magic"},
    named{errc::bad_record, "bad_record"}, named{errc::unknown_codec, "unknown_codec"}, named{errc::decompression_failed, "decompression_failed"},
    named{errc::compression_failed, "compression_failed"}, named{errc::bad_json, "bad_json"}, named{errc::resolve_failed, "resolve_failed"},
    named{errc::connect_failed, "connect_failed"}, named{errc::connect_timed_out, "connect_timed_out"},
    named{errc::connection_closed, "connection_closed"}, named{errc::closed_mid_frame, "closed_mid_frame"},
    named{errc::request_timed_out, "request_timed_out"}, named{errc::frame_too_large, "frame_too_large"}, named{errc::not_kafka, "not_kafka"},
    named{errc::unexpected_correlation_id, "unexpected_correlation_id"}, named{errc::no_common_version, "no_common_version"},
    named{errc::client_closed, "client_closed"}, named{errc::canceled, "canceled"}, named{errc::no_broker_available, "no_broker_available"},
    named{errc::unknown_broker, "unknown_broker"}, named{errc::bad_configuration, "bad_configuration"}, named{errc::tls_failed, "tls_failed"},
    named{errc::authentication_failed, "authentication_failed"}, named{errc::would_wait, "would_wait"},
    named{errc::delivery_timed_out, "delivery_timed_out"}, named{errc::delivery_unknown, "delivery_unknown"},
    named{errc::send_withdrawn, "send_withdrawn"}, named{errc::detached, "detached"}, named{errc::record_too_large, "record_too_large"},
    named{errc::unknown_partition, "unknown_partition"}, named{errc::no_transaction, "no_transaction"},
    named{errc::transaction_aborted, "transaction_aborted"}, named{errc::producer_failed, "producer_failed"},
    named{errc::not_assigned, "not_assigned"}, named{errc::no_offset, "no_offset"}, named{errc::log_truncated, "log_truncated"},
    named{errc::topic_recreated, "topic_recreated"}, named{errc::no_group, "no_group"}, named{errc::mixed_assignment, "mixed_assignment"},
};

}  // namespace

std::string kind_of(const std::error_code& code) {
    if (code.category() == category())
        for (const auto& k : kinds)
            if (static_cast<int>(k.code) == code.value()) return std::string{k.name};
    if (code.category() == broker_category())
        if (const auto* info = find_broker_error(static_cast<std::int16_t>(code.value()))) return std::string{info->name};
    return std::string{code.category().name()} + ' ' + std::to_string(code.value());
}

}  // namespace kafkawire::inline v0_1
