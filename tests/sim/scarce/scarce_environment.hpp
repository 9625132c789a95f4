// The environment of a host, as the code under test sees it: what it calls back runs as code under test, what it does itself does not, and each
// operation may find no memory before it begins.
#pragma once
#include <kafkawire/environment.hpp>

#include <memory>

namespace scarce {

[[nodiscard]] std::shared_ptr<kafkawire::net::environment> make_environment(std::shared_ptr<kafkawire::net::environment> inner);

}  // namespace scarce
