#include "group/offset_errors.hpp"

namespace kafkawire::group::offsets {
namespace {

using e = broker_errc;
using m = meaning;

struct code_row {
    api what;
    e code;
    meaning means;
    std::string_view hint;
};

// What is not here is `again` if the broker's table calls the code retriable, else `refused`.
constexpr code_row code_rows[] = {
    {api::commit, e::not_coordinator, m::elsewhere, {}},
    {api::commit, e::coordinator_not_available, m::elsewhere, {}},
    {api::commit, e::request_timed_out, m::elsewhere, {}},  // it lost the majority of its log while it wrote, and with it perhaps its office
    {api::commit, e::coordinator_load_in_progress, m::again, {}},
    {api::commit, e::unknown_topic_or_partition, m::again, {}},  // brokers hear of a new topic one after the other
    {api::commit, e::unknown_topic_id, m::again, {}},
    {api::commit, e::rebalance_in_progress, m::renew, {}},
    {api::commit, e::illegal_generation, m::renew, {}},
    {api::commit, e::stale_member_epoch, m::renew, {}},
    {api::commit, e::unknown_member_id, m::gone, "another member has the partition now, and goes on where the last commit stands"},
    {api::commit, e::fenced_member_epoch, m::gone, "another member has the partition now, and goes on where the last commit stands"},
    {api::commit, e::fenced_instance_id, m::gone, "another consumer runs with the same instance id"},
    {api::commit, e::offset_metadata_too_large, m::refused, "shorten the metadata of the commit, or raise offset.metadata.max.bytes at the broker"},
    {api::commit, e::topic_authorization_failed, m::refused, "committing needs READ on the topic"},
    {api::commit, e::group_authorization_failed, m::refused, "committing needs READ on the group"},
    {api::commit, e::group_id_not_found, m::refused, {}},
    {api::commit, e::unsupported_version, m::refused, "a member of the consumer protocol commits with version 9 or later"},

    {api::fetch, e::not_coordinator, m::elsewhere, {}},
    {api::fetch, e::coordinator_not_available, m::elsewhere, {}},
    {api::fetch, e::request_timed_out, m::elsewhere, {}},
    {api::fetch, e::coordinator_load_in_progress, m::again, {}},
    {api::fetch, e::unstable_offset_commit, m::again, {}},  // a transaction that commits offsets there has not ended
    {api::fetch, e::stale_member_epoch, m::renew, {}},
    {api::fetch, e::illegal_generation, m::renew, {}},
    {api::fetch, e::rebalance_in_progress, m::renew, {}},
    {api::fetch, e::unknown_member_id, m::gone, {}},
    {api::fetch, e::fenced_member_epoch, m::gone, {}},
    {api::fetch, e::group_id_not_found, m::missing, {}},
    {api::fetch, e::unknown_topic_or_partition, m::missing, {}},
    {api::fetch, e::unknown_topic_id, m::again, {}},
    {api::fetch, e::topic_authorization_failed, m::refused, "reading committed offsets needs DESCRIBE on the topic"},
    {api::fetch, e::group_authorization_failed, m::refused, "reading committed offsets needs DESCRIBE on the group"},
};

const code_row* row_of(api what, std::int16_t code) noexcept {
    for (const auto& r : code_rows)
        if (r.what == what && static_cast<std::int16_t>(r.code) == code) return &r;
    return nullptr;
}

}  // namespace

std::string_view name_of(meaning of) noexcept {
    switch (of) {
        case m::done: return "done";
        case m::again: return "again";
        case m::elsewhere: return "elsewhere";
        case m::renew: return "renew";
        case m::gone: return "gone";
        case m::missing: return "missing";
        case m::refused: return "refused";
    }
    return "unknown";
}

meaning meaning_of(api what, std::int16_t code) noexcept {
    if (code == 0) return m::done;
    if (const auto* r = row_of(what, code)) return r->means;
    const auto* known = find_broker_error(code);
    return known && known->retriable ? m::again : m::refused;
}

meaning meaning_of(std::error_code code) noexcept {
    if (code == errc::client_closed || code == errc::canceled || code == errc::no_common_version || code == errc::bad_configuration) return m::refused;
    if (code.category() == category() && code.value() < static_cast<int>(errc::resolve_failed)) return m::again;  // an answer that could not be read
    return m::elsewhere;  // no connection, or silence: whoever is the coordinator then will be asked
}

error refusal(api what, std::int16_t code, std::int16_t version, int attempt) {
    error r;
    r.code = {code, broker_category()};
    r.in = phase::request;
    r.api_key = what == api::commit ? 8 : 9;
    r.api_version = version;
    r.attempt = attempt;
    if (const auto* row = row_of(what, code)) r.hint = row->hint;
    return r;
}

error told(api what, std::error_code code, std::string text, const error& cause) {
    error r;
    r.code = code;
    r.in = phase::request;
    r.api_key = what == api::commit ? 8 : 9;
    r.text = std::move(text);
    if (cause) r.cause = std::make_shared<const error>(cause);
    return r;
}

}  // namespace kafkawire::group::offsets
