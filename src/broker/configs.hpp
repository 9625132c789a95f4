// The configuration that the embedded cluster knows, by Kafka's names: one table of broker entries, one of topic entries with the broker
// entry that each falls back on.
#pragma once
#include <kafkawire/version.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace kafkawire::broker {

/// As DescribeConfigs numbers them.
enum class config_type : std::int8_t { boolean = 1, string = 2, int_number = 3, short_number = 4, long_number = 5, double_number = 6, list = 7, class_name = 8, password = 9 };

struct broker_config {
    std::string_view name;
    config_type type;
    std::string_view default_value;
};
struct topic_config {
    std::string_view name;
    config_type type;
    std::string_view broker_name;  ///< whose value is the default
};

[[nodiscard]] std::span<const broker_config> broker_configs() noexcept;
[[nodiscard]] std::span<const topic_config> topic_configs() noexcept;
[[nodiscard]] const broker_config* find_broker_config(std::string_view name) noexcept;
[[nodiscard]] const topic_config* find_topic_config(std::string_view name) noexcept;

}  // namespace kafkawire::broker
