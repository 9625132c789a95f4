// What may be configured, and with what: Kafka's checks, with its words, because clients show them to people.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "broker/configs.hpp"

namespace kafkawire::broker {

/// Why `value` cannot be what `type` holds, as the end of Kafka's sentence; nothing: it can.
[[nodiscard]] std::optional<std::string> unfit(config_type type, std::string_view value, std::int64_t lowest, std::string_view choices);
/// Why a topic cannot be configured so; nothing: it can.
[[nodiscard]] std::optional<std::string> refuse_topic_configs(const std::map<std::string, std::string>& configs);
/// The same of a broker entry.
[[nodiscard]] std::optional<std::string> refuse_broker_config(const broker_config& entry, std::string_view value);

}  // namespace kafkawire::broker
