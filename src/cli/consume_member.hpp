// consume -g: a member of a group, which shares the partitions of its topics with the others.
#pragma once
#include <kafkawire/consumer_options.hpp>

#include "cli/record_printer.hpp"
#include "cli/session.hpp"

namespace kafkawire::cli {

struct member_plan {
    consumer_options reading;                   ///< with the group and its topics
    std::optional<std::uint64_t> most;          ///< ends after so many records
    bool until_end = false;                     ///< ends where each partition ended when this member came to it
    bool unbuffered = false;
};

/// Reads as a member until the plan, --timeout or a signal ends it. Only what standard output has taken is committed: every second, when a
/// partition goes to another member, and at the end.
asio::awaitable<status> consume_as_member(session& s, const member_plan& p, record_printer out);

}  // namespace kafkawire::cli
