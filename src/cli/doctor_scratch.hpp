// The part of `kafka-cli doctor` that writes: a record to a topic and back, and the topic, if it was made for that, deleted again.
#pragma once
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include "cli/doctor_findings.hpp"

namespace kafkawire::cli {

/// Topics are made by `controller` (-1: any broker). `topic` empty: one is made, with a name that nobody has, and deleted whatever came of it. What was found goes to `to`, one step after the other.
asio::awaitable<void> try_writing(asio::io_context& io, client_options options, std::string topic, std::int32_t controller, std::vector<finding>& to);

}  // namespace kafkawire::cli
