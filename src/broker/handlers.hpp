// The table of handlers: which APIs the embedded cluster answers, in which versions. A handler is a function in NN_name.cpp, numbered by its
// API key; its first comment tells what the API does here and what changed with its versions. To add one: write the file, declare the
// function below, add a row in handlers.cpp.
#pragma once
#include <kafkawire/protocol/api.hpp>

#include "broker/cluster_state.hpp"
#include "broker/exchange.hpp"

namespace kafkawire::broker {

struct handler {
    std::int16_t key;
    /// Answers, or keeps the exchange to answer later. `request` is a message of the API's request schema, decoded; record data in it points into
    /// the frame, which is gone when this returns.
    void (*handle)(cluster_state& cluster, exchange from, const void* request);
    std::int16_t lowest = -1;  ///< the lowest version that it can answer; -1: the lowest of Kafka 4.3
};

/// By ascending key.
[[nodiscard]] std::span<const handler> handlers() noexcept;
[[nodiscard]] const handler* find_handler(std::int16_t key) noexcept;

/// The versions of an API that the cluster offers: those that it handles and that the Kafka of `as_version` has. Empty: not offered.
[[nodiscard]] protocol::version_range offered_versions(const cluster_state& cluster, std::int16_t key) noexcept;

}  // namespace kafkawire::broker
