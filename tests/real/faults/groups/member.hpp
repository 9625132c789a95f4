// A member of a group as a process of its own, so that it can be killed: reads, reports each record (report.hpp) and then commits it. SIGTERM: closes in
// good order.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace faults {

struct member_options {
    std::string bootstrap, group, topic;
    bool consumer_protocol = false;                     ///< KIP-848
    std::string assignors = "cooperative-sticky";
    bool auto_commit = false;                           ///< then commits are not reported
    std::chrono::milliseconds session_timeout{6'000}, heartbeat_interval{300};
    std::uint64_t run = 1;                              ///< see write_value()
    std::string output;                                 ///< not empty: a pipeline, whose results go there, in transactions of `transactional_id`
    std::string transactional_id;
};

/// The options as words of a command line, which begins with "--member", and back. Throws std::invalid_argument.
[[nodiscard]] std::string text_of(const member_options& o);
[[nodiscard]] member_options member_options_of(const std::string& text);

/// The process's exit status.
int run_member(const member_options& o);
int run_pipeline(const member_options& o);

}  // namespace faults
