// What a member process writes to its parent: frames of one size, whole ones only are believed. A record is reported before it is committed, so that one
// who is killed has committed nothing that was not reported.
#pragma once

#include <time.h>

#include <cstdint>

namespace faults {

enum class told : std::uint32_t {
    ready = 1,   // polls for the first time
    assigned,    // `partition`
    revoked,     // `partition`
    lost,        // `partition`
    records,     // `count` of `partition` from `offset` and number `index` on, of the assignment `epoch`
    altered,     // the record at `offset`
    committed,   // up to `offset`: confirmed
    refused,     // a commit; `count` is the code
    trouble,     // a poll; `count` is the code
    done,        // pipeline: a transaction was committed, of `count` records
    undone,      // pipeline: one was aborted, of `count` records
    ended,       // in good order
};

struct report {
    told what{};
    std::int32_t partition = -1;
    std::uint64_t epoch = 0;
    std::int64_t offset = -1;
    std::uint64_t index = 0;
    std::int64_t count = 0;
    std::int64_t at = 0;
};
static_assert(sizeof(report) == 48);

/// The clock of all processes of a machine.
inline std::int64_t shared_clock() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace faults
