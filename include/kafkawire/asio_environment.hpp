// The environment of DESIGN's real world: Asio.
#pragma once
#include <kafkawire/environment.hpp>

#include <asio/any_io_executor.hpp>

namespace kafkawire::net {

/// An environment on `executor`, for clients that are used on it. Starts no thread: host names are looked up by a resolver of our own (see
/// system_resolver in net/), because Asio's calls getaddrinfo on a hidden thread. With a thread pool, give a strand.
[[nodiscard]] KAFKAWIRE_API std::shared_ptr<environment> make_asio_environment(asio::any_io_executor executor);

}  // namespace kafkawire::net
