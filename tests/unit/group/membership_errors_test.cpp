#include "group/membership_errors.hpp"
#include "catch.hpp"

#include <map>
#include <set>
#include <string>

using namespace kafkawire;
using group::api;
using group::meaning;
using group::meaning_of;

namespace {

meaning of(api what, broker_errc code) { return meaning_of(what, static_cast<std::int16_t>(code)); }

}  // namespace

TEST_CASE("what the codes of groups mean to a member", "[group][errors]") {
    using e = broker_errc;
    using m = meaning;
    const std::map<e, std::map<api, m>> table = {
        {e::coordinator_load_in_progress,
         {{api::find_coordinator, m::again},
          {api::join, m::again},
          {api::sync, m::again},
          {api::heartbeat, m::again},
          {api::leave, m::again},
          {api::consumer_heartbeat, m::again}}},
        {e::coordinator_not_available,
         {{api::find_coordinator, m::again},
          {api::join, m::elsewhere},
          {api::sync, m::elsewhere},
          {api::heartbeat, m::elsewhere},
          {api::leave, m::elsewhere},
          {api::consumer_heartbeat, m::elsewhere}}},
        {e::not_coordinator,
         {{api::find_coordinator, m::again},
          {api::join, m::elsewhere},
          {api::sync, m::elsewhere},
          {api::heartbeat, m::elsewhere},
          {api::leave, m::elsewhere},
          {api::consumer_heartbeat, m::elsewhere}}},
        {e::rebalance_in_progress, {{api::join, m::rejoin}, {api::sync, m::rejoin}, {api::heartbeat, m::rejoin}, {api::leave, m::done}}},
        {e::illegal_generation, {{api::join, m::stale}, {api::sync, m::stale}, {api::heartbeat, m::stale}, {api::leave, m::done}}},
        {e::unknown_member_id,
         {{api::join, m::forgotten},
          {api::sync, m::forgotten},
          {api::heartbeat, m::forgotten},
          {api::leave, m::done},
          {api::consumer_heartbeat, m::forgotten}}},
        {e::fenced_instance_id,
         {{api::join, m::fenced},
          {api::sync, m::fenced},
          {api::heartbeat, m::fenced},
          {api::leave, m::done},
          {api::consumer_heartbeat, m::fenced}}},
        {e::member_id_required, {{api::join, m::take_id}}},
        {e::group_authorization_failed,
         {{api::find_coordinator, m::told},
          {api::join, m::told},
          {api::sync, m::told},
          {api::heartbeat, m::told},
          {api::leave, m::done},
          {api::consumer_heartbeat, m::told}}},
        {e::inconsistent_group_protocol, {{api::join, m::fatal}, {api::sync, m::fatal}}},
        {e::group_max_size_reached, {{api::join, m::fatal}, {api::consumer_heartbeat, m::fatal}}},
        {e::invalid_session_timeout, {{api::join, m::fatal}}},
        {e::fenced_member_epoch, {{api::consumer_heartbeat, m::stale}}},
        {e::unreleased_instance_id, {{api::consumer_heartbeat, m::occupied}}},
        {e::unsupported_assignor, {{api::consumer_heartbeat, m::fatal}}},
        {e::unsupported_version, {{api::join, m::fatal}, {api::consumer_heartbeat, m::fatal}}},
        {e::invalid_regular_expression, {{api::consumer_heartbeat, m::fatal}}},
        {e::topic_authorization_failed, {{api::consumer_heartbeat, m::told}}},
        {e::unknown_server_error,
         {{api::find_coordinator, m::again},
          {api::join, m::again},
          {api::sync, m::again},
          {api::heartbeat, m::again},
          {api::consumer_heartbeat, m::again}}},
        {e::request_timed_out,
         {{api::join, m::again}, {api::sync, m::again}, {api::heartbeat, m::again}, {api::consumer_heartbeat, m::again}}},
        {e::none,
         {{api::find_coordinator, m::done},
          {api::join, m::done},
          {api::sync, m::done},
          {api::heartbeat, m::done},
          {api::leave, m::done},
          {api::consumer_heartbeat, m::done}}},
    };
    for (const auto& [code, row] : table)
        for (const auto& [what, means] : row) {
            INFO(group::name_of(what) << " " << static_cast<int>(code));
            CHECK(group::name_of(of(what, code)) == group::name_of(means));
        }
}

TEST_CASE("a code that nobody knows has a meaning", "[group][errors]") {
    for (const auto what : {api::find_coordinator, api::join, api::sync, api::heartbeat, api::consumer_heartbeat})
        CHECK(meaning_of(what, 999) == meaning::fatal);
    CHECK(meaning_of(api::leave, 999) == meaning::done);
}

TEST_CASE("what our own side cannot say is not tried again, and a broken connection is", "[group][errors]") {
    for (const auto what : {api::find_coordinator, api::join, api::sync, api::heartbeat, api::consumer_heartbeat}) {
        CHECK(meaning_of(what, make_error_code(errc::no_common_version)) == meaning::fatal);
        CHECK(meaning_of(what, make_error_code(errc::not_in_version)) == meaning::fatal);
        const auto goes_on = what == api::find_coordinator ? meaning::again : meaning::elsewhere;
        CHECK(meaning_of(what, make_error_code(errc::connection_closed)) == goes_on);
        CHECK(meaning_of(what, make_error_code(errc::request_timed_out)) == goes_on);
        CHECK(meaning_of(what, std::make_error_code(std::errc::connection_refused)) == goes_on);
    }
    CHECK(meaning_of(api::leave, make_error_code(errc::not_in_version)) == meaning::done);
    CHECK(meaning_of(api::leave, make_error_code(errc::connection_closed)) == meaning::elsewhere);
}

TEST_CASE("a refusal says what it refuses, and what can be done", "[group][errors]") {
    const auto why = group::refusal(api::join, static_cast<std::int16_t>(broker_errc::inconsistent_group_protocol), 9, 2, "no way");
    CHECK(why.code == broker_errc::inconsistent_group_protocol);
    CHECK(why.api_key == 11);
    CHECK(why.message().find("no way") != std::string::npos);
    CHECK(why.message().find("strategy in common") != std::string::npos);
    CHECK(group::refusal(api::join, 1, 9, 1, std::string(100'000, 'x')).text.size() == 1000);
    CHECK(group::seconds_of(std::chrono::milliseconds{45'000}) == "45 s");
    CHECK(group::seconds_of(std::chrono::milliseconds{1'500}) == "1.5 s");
}
