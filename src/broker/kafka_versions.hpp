// What the releases of Apache Kafka offer, that the embedded cluster can pass for.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <span>
#include <string_view>

namespace kafkawire::broker {

struct api_range {
    std::int16_t key, lowest, highest;
};

struct kafka_release {
    std::string_view name;                     ///< "4.3"
    std::span<const api_range> apis;           ///< empty: what protocol::apis() says of Kafka 4.3
    protocol::version_range metadata_version;  ///< of the feature; the highest is the finalized one. Empty: from before there were features
    std::int16_t group_version = 0;            ///< finalized; 0: not
    std::int16_t transaction_version = 0;
};

/// The newest first. Constant data.
[[nodiscard]] std::span<const kafka_release> kafka_releases() noexcept;
/// Null: none of that name.
[[nodiscard]] const kafka_release* find_kafka_release(std::string_view name) noexcept;
/// The versions of an API that a release has; empty: none.
[[nodiscard]] protocol::version_range versions_in(const kafka_release& release, std::int16_t key) noexcept;

}  // namespace kafkawire::broker
