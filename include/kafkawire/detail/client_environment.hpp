// The environment of a client, for what is built on top of it in libraries of their own: their timers must run in the client's time.
#pragma once
#include <kafkawire/environment.hpp>

#include <memory>

namespace kafkawire::inline v0_1 {

class client;

namespace client_detail {

/// Lives as long as the client, and as the copies of it.
[[nodiscard]] KAFKAWIRE_API const std::shared_ptr<net::environment>& environment_of(const client& c) noexcept;

}  // namespace client_detail
}  // namespace kafkawire::inline v0_1
