// How often and how much this program has allocated with operator new, or as Asio does for its handlers. The hook is in allocations.cpp, which a test program that asks links.
#pragma once
#include <cstddef>

namespace allocations {
std::size_t count() noexcept;  ///< allocations so far, of this thread
std::size_t bytes() noexcept;  ///< bytes asked for so far, of this thread

std::size_t live() noexcept;   ///< bytes asked for and not given back, of this thread
std::size_t peak() noexcept;   ///< the highest live() since reset_peak()
void reset_peak() noexcept;
}  // namespace allocations
