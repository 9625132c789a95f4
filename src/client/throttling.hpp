// Client-side throttling (KIP-219): a broker from 2.0 on answers at once and reads nothing more from the connection for throttle_time_ms, so
// that a client that goes on sending only fills buffers. In older versions of each API the broker has already waited when it answers.
#pragma once
#include <kafkawire/protocol/schema.hpp>

#include <chrono>

namespace kafkawire::client_detail {

/// True if an answer of that version asks the client to wait.
[[nodiscard]] bool client_waits(std::int16_t api_key, std::int16_t version) noexcept;
/// For how long the connection is to be left alone after this answer; zero: not at all.
[[nodiscard]] std::chrono::milliseconds throttle_of(const protocol::message_schema& schema, void* answer, std::int16_t version) noexcept;

}  // namespace kafkawire::client_detail
