// The question before something is gone.
#pragma once
#include <kafkawire/version.hpp>

#include <string_view>

namespace kafkawire::cli {

/// Asks on a terminal: "deleting a, b with all records: sure? [y/N]". Raises a failure if the answer is no, and a usage failure where nobody can
/// be asked; with `yes` nothing is asked.
void confirm(bool yes, std::string_view doing, std::string_view what, std::string_view how);

}  // namespace kafkawire::cli
