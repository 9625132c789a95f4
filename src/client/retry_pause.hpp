// The pause before the next attempt: group's, which is the lower layer, under the name that the machines of this one use.
#pragma once
#include "group/retry_pause.hpp"

namespace kafkawire::client_detail {
using group::retry_pause;
}  // namespace kafkawire::client_detail
