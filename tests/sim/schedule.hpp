// Schedules: what is run in the simulated world. One schedule and one seed make one run; the same two make the same run again.
#pragma once
#include <kafkawire/broker/options.hpp>
#include <kafkawire/detail/function.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace schedules {

struct settings {
    std::uint64_t seed = 1;
    std::string mutant{};                                        // a rule of the broker that is broken on purpose; empty: none
    kafkawire::unique_function<void(std::string_view)> trace{};  // told every event in a line; empty: nobody
};

struct result {
    std::uint64_t hash = 0;
    std::uint64_t events = 0, faults = 0, sends = 0, acknowledged = 0, reads = 0, transactions = 0, requests = 0;
    double virtual_seconds = 0;
    double settled = -1;       // of groups: seconds from the last fault until all was read in time; less than 0: not measured
    std::string problem{};     // empty: none
    std::string violations{};  // names of those found, with blanks between
};

struct schedule {
    std::string_view name;
    std::string_view text;
    result (*run)(settings&);
};

[[nodiscard]] std::span<const schedule> all();
[[nodiscard]] const schedule* find(std::string_view name);

}  // namespace schedules
