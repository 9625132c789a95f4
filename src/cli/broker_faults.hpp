// Faults as people write them: one JSON object each, with the members of kw::broker::fault.
#pragma once
#include <kafkawire/broker/faults.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace kafkawire::cli {

/// {"api":"Produce","count":2,"error":"NOT_LEADER_OR_FOLLOWER"}: APIs and errors by name or number, times as "300ms" or milliseconds, versions as
/// "0-9", "9" or "9+". Raises a usage failure, with the nearest name, for a member or a value that is none.
[[nodiscard]] broker::fault parse_fault(const nlohmann::ordered_json& from);

/// A file of such objects, one a line ("-": standard input). A failure names the line.
[[nodiscard]] std::vector<broker::fault> read_faults(const std::string& path);

/// Whether it could happen; raises a usage failure if it could not.
void check_fault(const broker::fault& f);

// The values that controls share with faults; `name` is the member, for the failure.
[[nodiscard]] std::int64_t number_of(const nlohmann::ordered_json& value, const std::string& name);
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& value, const std::string& name);
/// "300ms", "-1h" where `signed_too`, or a number of milliseconds.
[[nodiscard]] std::chrono::nanoseconds time_of(const nlohmann::ordered_json& value, const std::string& name, bool signed_too = false);
/// The key of an API.
[[nodiscard]] std::int16_t api_of(const nlohmann::ordered_json& value);

}  // namespace kafkawire::cli
