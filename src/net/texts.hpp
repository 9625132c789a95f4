// Small texts that errors are made of.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <chrono>
#include <string>

namespace kafkawire::net {

/// "host:9092", "[::1]:9092"
[[nodiscard]] std::string host_and_port(std::string_view host, std::uint16_t port);
/// "250 ms", "30 s", "1.5 s"
[[nodiscard]] std::string text_of(std::chrono::milliseconds d);
/// "Metadata", or "API 12345" for a key that we do not know
[[nodiscard]] std::string api_name(std::int16_t key);
/// "3-12", "only 4"
[[nodiscard]] std::string range_text(protocol::version_range r);

}  // namespace kafkawire::net
