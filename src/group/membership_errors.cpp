#include "group/membership_errors.hpp"

#include <array>
#include <memory>
#include <utility>

namespace kafkawire::group {
namespace {

struct error_row {
    api what;
    broker_errc code;
    meaning means;
};

// What is not here is `again` if the broker's table calls the code retriable or it is UNKNOWN_SERVER_ERROR (which brokers say of troubles
// that pass, too), else the end. LeaveGroup is the exception: whatever it is refused with, the member is gone.
constexpr error_row error_rows[] = {
    {api::find_coordinator, broker_errc::coordinator_not_available, meaning::again},
    {api::find_coordinator, broker_errc::coordinator_load_in_progress, meaning::again},
    {api::find_coordinator, broker_errc::not_coordinator, meaning::again},
    {api::find_coordinator, broker_errc::group_authorization_failed, meaning::told},
    {api::find_coordinator, broker_errc::invalid_group_id, meaning::fatal},

    {api::join, broker_errc::coordinator_load_in_progress, meaning::again},
    {api::join, broker_errc::coordinator_not_available, meaning::elsewhere},
    {api::join, broker_errc::not_coordinator, meaning::elsewhere},
    {api::join, broker_errc::rebalance_in_progress, meaning::rejoin},
    {api::join, broker_errc::illegal_generation, meaning::stale},
    {api::join, broker_errc::unknown_member_id, meaning::forgotten},
    {api::join, broker_errc::member_id_required, meaning::take_id},
    {api::join, broker_errc::fenced_instance_id, meaning::fenced},
    {api::join, broker_errc::inconsistent_group_protocol, meaning::fatal},
    {api::join, broker_errc::invalid_session_timeout, meaning::fatal},
    {api::join, broker_errc::invalid_group_id, meaning::fatal},
    {api::join, broker_errc::group_max_size_reached, meaning::fatal},
    {api::join, broker_errc::group_authorization_failed, meaning::told},
    {api::join, broker_errc::unsupported_version, meaning::fatal},

    {api::sync, broker_errc::coordinator_load_in_progress, meaning::again},
    {api::sync, broker_errc::coordinator_not_available, meaning::elsewhere},
    {api::sync, broker_errc::not_coordinator, meaning::elsewhere},
    {api::sync, broker_errc::rebalance_in_progress, meaning::rejoin},
    {api::sync, broker_errc::illegal_generation, meaning::stale},
    {api::sync, broker_errc::unknown_member_id, meaning::forgotten},
    {api::sync, broker_errc::fenced_instance_id, meaning::fenced},
    {api::sync, broker_errc::inconsistent_group_protocol, meaning::fatal},
    {api::sync, broker_errc::group_authorization_failed, meaning::told},

    {api::heartbeat, broker_errc::coordinator_load_in_progress, meaning::again},
    {api::heartbeat, broker_errc::coordinator_not_available, meaning::elsewhere},
    {api::heartbeat, broker_errc::not_coordinator, meaning::elsewhere},
    {api::heartbeat, broker_errc::rebalance_in_progress, meaning::rejoin},
    {api::heartbeat, broker_errc::illegal_generation, meaning::stale},
    {api::heartbeat, broker_errc::unknown_member_id, meaning::forgotten},
    {api::heartbeat, broker_errc::fenced_instance_id, meaning::fenced},
    {api::heartbeat, broker_errc::group_authorization_failed, meaning::told},

    {api::leave, broker_errc::coordinator_load_in_progress, meaning::again},
    {api::leave, broker_errc::coordinator_not_available, meaning::elsewhere},
    {api::leave, broker_errc::not_coordinator, meaning::elsewhere},

    {api::consumer_heartbeat, broker_errc::coordinator_load_in_progress, meaning::again},
    {api::consumer_heartbeat, broker_errc::coordinator_not_available, meaning::elsewhere},
    {api::consumer_heartbeat, broker_errc::not_coordinator, meaning::elsewhere},
    {api::consumer_heartbeat, broker_errc::fenced_member_epoch, meaning::stale},
    {api::consumer_heartbeat, broker_errc::stale_member_epoch, meaning::stale},
    {api::consumer_heartbeat, broker_errc::unknown_member_id, meaning::forgotten},
    {api::consumer_heartbeat, broker_errc::unreleased_instance_id, meaning::occupied},
    {api::consumer_heartbeat, broker_errc::fenced_instance_id, meaning::fenced},
    {api::consumer_heartbeat, broker_errc::topic_authorization_failed, meaning::told},
    {api::consumer_heartbeat, broker_errc::group_authorization_failed, meaning::told},
    {api::consumer_heartbeat, broker_errc::group_max_size_reached, meaning::fatal},
    {api::consumer_heartbeat, broker_errc::unsupported_assignor, meaning::fatal},
    {api::consumer_heartbeat, broker_errc::unsupported_version, meaning::fatal},
    {api::consumer_heartbeat, broker_errc::invalid_regular_expression, meaning::fatal},
    {api::consumer_heartbeat, broker_errc::invalid_request, meaning::fatal},
    {api::consumer_heartbeat, broker_errc::invalid_group_id, meaning::fatal},
    {api::consumer_heartbeat, broker_errc::group_id_not_found, meaning::fatal},
};

constexpr std::array<std::string_view, api_count> api_names = {"FindCoordinator", "JoinGroup",  "SyncGroup",
                                                               "Heartbeat",       "LeaveGroup", "ConsumerGroupHeartbeat"};
constexpr std::array<std::int16_t, api_count> api_keys = {10, 11, 14, 12, 13, 68};
constexpr std::array<std::string_view, meaning_count> meaning_names = {"done",    "again",    "elsewhere", "rejoin", "stale", "forgotten",
                                                                       "take_id", "occupied", "told",      "fenced", "fatal"};

// What our own side refuses to send, whatever broker it is for.
bool cannot_be_said(std::error_code code) noexcept {
    if (code.category() != category()) return false;
    switch (static_cast<errc>(code.value())) {
        case errc::not_in_version:
        case errc::unsupported_version:
        case errc::unknown_api:
        case errc::bad_value:
        case errc::limit_exceeded:
        case errc::no_common_version:
        case errc::bad_configuration:
        case errc::client_closed: return true;
        default: return false;
    }
}

std::string_view hint_for(api what, broker_errc code) noexcept {
    switch (code) {
        case broker_errc::group_authorization_failed: return "an ACL must allow Read on the group";
        case broker_errc::topic_authorization_failed: return "an ACL must allow Describe and Read on the topics";
        case broker_errc::inconsistent_group_protocol:
            return "all members of a group need one strategy in common (assignors, partition.assignment.strategy; strategy= in an address); to move from "
                   "one to another, list both, restart all, then drop the old one";
        case broker_errc::invalid_session_timeout:
            return "the session timeout must lie within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms";
        case broker_errc::group_max_size_reached:
            return what == api::consumer_heartbeat ? "the broker's group.consumer.max.size says how many members there may be"
                                                   : "the broker's group.max.size says how many members there may be";
        case broker_errc::fenced_instance_id: return "another consumer runs with the same instance id; each needs its own";
        case broker_errc::unreleased_instance_id: return "another consumer has this instance id, and has not left; each needs its own";
        case broker_errc::unsupported_assignor: return "the broker's group.consumer.assignors lists what there is";
        case broker_errc::invalid_regular_expression: return "the coordinator takes expressions in RE2's syntax";
        case broker_errc::unsupported_version:
            return "the group or the cluster does not speak this protocol yet (group.version); use the classic one";
        case broker_errc::group_id_not_found:
            return "a group of this name with the other protocol has members; they must leave first, or speak the same";
        default: return {};
    }
}

}  // namespace

std::string_view name_of(api what) noexcept { return api_names[static_cast<std::size_t>(what)]; }
std::int16_t key_of(api what) noexcept { return api_keys[static_cast<std::size_t>(what)]; }
std::string_view name_of(meaning what) noexcept { return meaning_names[static_cast<std::size_t>(what)]; }

meaning meaning_of(api what, std::int16_t code) noexcept {
    if (code == 0) return meaning::done;
    for (const auto& r : error_rows)
        if (r.what == what && static_cast<std::int16_t>(r.code) == code) return r.means;
    if (what == api::leave) return meaning::done;
    if (code == static_cast<std::int16_t>(broker_errc::unknown_server_error)) return meaning::again;
    const auto* known = find_broker_error(code);
    return known && known->retriable ? meaning::again : meaning::fatal;
}

meaning meaning_of(api what, std::error_code code) noexcept {
    if (what == api::leave && cannot_be_said(code)) return meaning::done;
    if (cannot_be_said(code)) return meaning::fatal;
    return what == api::find_coordinator ? meaning::again : meaning::elsewhere;
}

error refusal(api what, std::int16_t code, std::int16_t version, int attempt, std::string_view said) {
    error why{make_error_code(static_cast<broker_errc>(code))};
    why.in = phase::request;
    why.api_key = key_of(what);
    why.api_version = version;
    why.attempt = attempt;
    why.text = said.substr(0, 1000);  // the broker's words, as far as anybody reads them
    why.hint = hint_for(what, static_cast<broker_errc>(code));
    return why;
}

error about_group(error why, std::string_view group) {
    if (why.code == broker_errc::group_authorization_failed)
        why.text = "the group " + std::string{group} + " is not open to this user: " + (why.text.empty() ? why.code.message() : why.text);
    return why;
}

error told_by_us(std::error_code code, std::string text, const error& cause) {
    error why{code};
    why.text = std::move(text);
    if (cause) why.cause = std::make_shared<const error>(cause);
    return why;
}

error for_want_of_time(std::string text, std::string hint, const error& cause) {
    auto why = told_by_us(std::make_error_code(std::errc::timed_out), std::move(text), cause);
    why.hint = std::move(hint);
    return why;
}

std::string seconds_of(std::chrono::milliseconds t) {
    const auto tenths = t.count() % 1000 / 100;
    return std::to_string(t.count() / 1000) + (tenths == 0 ? "" : "." + std::to_string(tenths)) + " s";
}

}  // namespace kafkawire::group
