// A flag that says that something is under way, also when that ends with an exception.
#pragma once
#include <kafkawire/version.hpp>

namespace kafkawire::net {

/// The flag is set as long as this lives.
class flag_holder {
public:
    explicit flag_holder(bool& flag) noexcept : flag_{flag} { flag_ = true; }
    ~flag_holder() { flag_ = false; }
    flag_holder(const flag_holder&) = delete;

private:
    bool& flag_;
};

}  // namespace kafkawire::net
