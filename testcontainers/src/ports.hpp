// Free TCP ports on 127.0.0.1 that stay ours, also while the node that uses them is down.
#pragma once

#include <cstdint>

#include "process.hpp"

namespace kafkawire::testing::detail {

// A port below the range from which the kernel takes ports for outgoing connections (there a client could sit on it while its
// node restarts), and reserved against other clusters of this user's for as long as this object lives. Throws std::runtime_error.
class reserved_port {
public:
    reserved_port();
    std::uint16_t number() const { return number_; }

private:
    unique_fd claim_;
    std::uint16_t number_ = 0;
};

}  // namespace kafkawire::testing::detail
