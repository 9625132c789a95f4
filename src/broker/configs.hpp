// The configuration that the embedded cluster knows, by Kafka's names: one table of broker entries, one of topic entries with the broker
// entry that each falls back on. Constant data.
#pragma once
#include <kafkawire/version.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace kafkawire::broker {

/// As DescribeConfigs numbers them.
enum class config_type : std::int8_t { boolean = 1, string = 2, int_number = 3, short_number = 4, long_number = 5, double_number = 6, list = 7, class_name = 8, password = 9 };

struct broker_config {
    std::string_view name;
    config_type type;
    std::string_view default_value;  ///< its data() is null where Kafka has no default
    bool read_only;                  ///< cannot be changed while the broker runs
};

inline constexpr std::int64_t no_lowest = std::numeric_limits<std::int64_t>::min();
struct topic_config {
    std::string_view name;
    config_type type;
    std::string_view default_value;
    std::string_view broker_name;    ///< if that was set, it is the default; empty: no broker entry stands behind it
    std::int64_t lowest;             ///< of numbers
    std::string_view choices;        ///< of texts and lists, as Kafka's message lists them; empty: any
};

/// By ascending name.
[[nodiscard]] std::span<const broker_config> broker_configs() noexcept;
[[nodiscard]] std::span<const topic_config> topic_configs() noexcept;
/// Null: Kafka has no such entry, or it has nothing to do with what this cluster does.
[[nodiscard]] const broker_config* find_broker_config(std::string_view name) noexcept;
[[nodiscard]] const topic_config* find_topic_config(std::string_view name) noexcept;

}  // namespace kafkawire::broker
