// Two readers of a whole topic, to judge what a producer wrote: a Fetch loop of our own over a plain socket, and Kafka's console consumer.
#pragma once

#include <testcontainers/kafka_cluster.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace faults {

/// Told of each record: partition, offset, value. Within a partition in the order of the log.
using record_sink = std::function<void(std::int32_t, std::int64_t, std::string_view)>;

/// Reads every partition from its first offset to its end, past the proxies. With `committed_only` what belongs to aborted transactions is
/// left out. Throws std::runtime_error.
void read_by_fetch(const kafkawire::testing::kafka_cluster& kafka, const std::string& topic, bool committed_only, const record_sink& sink);

/// The same by Java's console consumer, which ends when nothing has come for `quiet`. Throws std::runtime_error if it cannot be run.
void read_by_java(const kafkawire::testing::kafka_cluster& kafka, const std::string& topic, bool committed_only,
                  std::chrono::milliseconds quiet, const record_sink& sink);

}  // namespace faults
