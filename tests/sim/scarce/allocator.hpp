// Memory that runs out on purpose: the n-th allocation of the code under test fails. The hook (operator new, and aligned_alloc for Asio's handlers) is
// in allocator.cpp.
#pragma once
#include <cstddef>
#include <cstdint>

namespace scarce {

/// Who runs: allocations of the code under test count and may fail, those of the world around it never do. Scopes nest.
class scope {
public:
    explicit scope(bool under_test) noexcept;
    ~scope();
    scope(const scope&) = delete;

private:
    bool before_;
};

/// From now on the n-th allocation under test throws std::bad_alloc; 0: none. Counts from 1 again.
void fail_at(std::uint64_t n) noexcept;
/// Allocations under test since fail_at().
[[nodiscard]] std::uint64_t counted() noexcept;
/// The n-th has come, and failed.
[[nodiscard]] bool failed() noexcept;
/// Counts as one allocation: for what allocates in the world in place of the code under test, such as an operation of Asio's.
void point();
/// Blocks that are allocated and not freed, whoever has them.
[[nodiscard]] std::int64_t blocks() noexcept;

}  // namespace scarce
