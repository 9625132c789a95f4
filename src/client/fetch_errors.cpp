#include "client/fetch_errors.hpp"

namespace kafkawire::client_detail {

namespace {

using m = fetch_meaning;
using b = broker_errc;

struct row {
    b code;
    m fetch, list_offsets, epochs;
};

constexpr row rows[] = {
    //                                 Fetch            ListOffsets   OffsetForLeaderEpoch
    {b::none,                          m::good,         m::good,      m::good},
    {b::unknown_server_error,          m::later,        m::later,     m::later},
    {b::offset_out_of_range,           m::out_of_range, m::later,     m::later},
    {b::corrupt_message,               m::refused,      m::refused,   m::refused},
    {b::unknown_topic_or_partition,    m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::leader_not_available,          m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::not_leader_or_follower,        m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::request_timed_out,             m::later,        m::later,     m::later},
    {b::broker_not_available,          m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::replica_not_available,         m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::network_exception,             m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::topic_authorization_failed,    m::refused,      m::refused,   m::undefined},  // reading may be permitted where describing is not
    {b::cluster_authorization_failed,  m::refused,      m::refused,   m::undefined},
    {b::unsupported_version,           m::refused,      m::refused,   m::undefined},
    {b::unsupported_for_message_format, m::refused,     m::refused,   m::undefined},
    {b::kafka_storage_error,           m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::fetch_session_id_not_found,    m::session,      m::later,     m::later},
    {b::invalid_fetch_session_epoch,   m::session,      m::later,     m::later},
    {b::listener_not_found,            m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::fenced_leader_epoch,           m::elsewhere,    m::elsewhere, m::elsewhere},  // ours is old
    {b::unknown_leader_epoch,          m::later,        m::later,     m::later},      // the broker's is: it will hear of ours
    {b::offset_not_available,          m::later,        m::later,     m::later},      // a new leader does not know its high watermark yet
    {b::unknown_topic_id,              m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::inconsistent_topic_id,         m::elsewhere,    m::elsewhere, m::elsewhere},
    {b::fetch_session_topic_id_error,  m::session,      m::later,     m::later},
};

}  // namespace

fetch_meaning meaning_of(std::int16_t code, fetch_api api) noexcept {
    for (const auto& r : rows)
        if (static_cast<std::int16_t>(r.code) == code) return api == fetch_api::fetch ? r.fetch : api == fetch_api::list_offsets ? r.list_offsets : r.epochs;
    // None that these three are known to answer.
    const auto* const known = find_broker_error(code);
    return known && known->retriable ? m::later : m::refused;
}

}  // namespace kafkawire::client_detail
