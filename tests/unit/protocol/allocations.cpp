// Replaces operator new by one that counts.
#include "allocations.hpp"

#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t counted = 0, total = 0;
void* counting(std::size_t n) {
    ++counted;
    total += n;
    if (void* p = std::malloc(n ? n : 1)) return p;
    throw std::bad_alloc{};
}
}  // namespace

std::size_t allocations::count() noexcept { return counted; }
std::size_t allocations::bytes() noexcept { return total; }

void* operator new(std::size_t n) { return counting(n); }
void* operator new[](std::size_t n) { return counting(n); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
