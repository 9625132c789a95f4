// What several ways of working make of a configuration.
#pragma once
#include <kafkawire/config/settings.hpp>

namespace kafkawire::inline v0_1 {
namespace app {
namespace detail {

/// With what stands beside the options: the registered balancer, the number of tries.
[[nodiscard]] producer_options producer_options_of(const config::producer_settings& s);

}  // namespace detail
}  // namespace app
}  // namespace kafkawire::inline v0_1
