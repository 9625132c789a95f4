// What is said of an embedded cluster on the command line, and what the library is told.
#pragma once
#include <kafkawire/broker/options.hpp>

#include <optional>
#include <string>
#include <vector>

#include "broker/listener_words.hpp"

namespace kafkawire::cli {

/// The words as they were given.
struct broker_words {
    std::optional<std::int64_t> port, nodes, seed;
    std::optional<std::string> host, folder, as_version, max_bytes;
    std::vector<std::string> topics, configs, mechanisms, advertised;
    std::optional<std::string> session_lifetime, certificates;  ///< of the listener; the folder of throwaway certificates
    broker::listener_words listener;
};

/// Raises a usage failure, with the nearest name, for what is no such thing.
[[nodiscard]] broker::options broker_options(const broker_words& words);

/// "orders", "orders:6", "orders:6:3", and with configurations "orders:6,cleanup.policy=compact".
[[nodiscard]] broker::topic_spec parse_topic(const std::string& word);

/// "1048576", "64k", "512M", "2G"; nothing if it is no such thing.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view word);

}  // namespace kafkawire::cli
