// What other commands need of topics.
#pragma once
#include <cli/session.hpp>

namespace kafkawire::cli {

/// Makes a topic, waits until the brokers know it, and gives the broker's error code.
asio::awaitable<std::int16_t> create_topic(session& s, std::string name, int partitions, int replicas);

}  // namespace kafkawire::cli
