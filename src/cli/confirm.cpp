#include "cli/confirm.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "cli/failure.hpp"

namespace kafkawire::cli {

void confirm(bool yes, std::string_view doing, std::string_view what, std::string_view how) {
    if (yes) return;
    if (::isatty(0) != 1) throw usage_error(fmt::format("{} {} needs --yes when nobody can be asked", doing, what), "add --yes");
    std::cerr << fmt::format("{} {}{}{}: sure? [y/N] ", doing, what, how.empty() ? "" : " ", how) << std::flush;
    std::string answer;
    if (!std::getline(std::cin, answer) || (answer != "y" && answer != "yes")) throw failure{status::failed, "not_confirmed", "nothing was changed"};
}

}  // namespace kafkawire::cli
