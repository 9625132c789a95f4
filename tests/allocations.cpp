// Replaces operator new by one that counts.
#include "allocations.hpp"

#ifdef __linux__
#include <malloc.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {
thread_local std::size_t counted = 0, total = 0;
thread_local std::ptrdiff_t alive = 0, highest = 0;  // signed: a block may be given back by another thread than its owner

// Each block has its size before it, so that giving it back is counted whichever delete does so.
constexpr std::size_t room = alignof(std::max_align_t);

void* counting_or_null(std::size_t n) noexcept {
    auto* block = static_cast<std::byte*>(std::malloc(n + room));
    if (!block) return nullptr;
    std::memcpy(block, &n, sizeof n);
    ++counted;
    total += n;
    alive += static_cast<std::ptrdiff_t>(n);
    highest = std::max(highest, alive);
    return block + room;
}
void* counting(std::size_t n) {
    if (void* p = counting_or_null(n)) return p;
    throw std::bad_alloc{};
}
void give_back(void* p) noexcept {
    if (!p) return;
    auto* block = static_cast<std::byte*>(p) - room;
    std::size_t n = 0;
    std::memcpy(&n, block, sizeof n);
    alive -= static_cast<std::ptrdiff_t>(n);
    std::free(block);
}
}  // namespace

std::size_t allocations::count() noexcept { return counted; }
std::size_t allocations::bytes() noexcept { return total; }
std::size_t allocations::live() noexcept { return static_cast<std::size_t>(std::max<std::ptrdiff_t>(alive, 0)); }
std::size_t allocations::peak() noexcept { return static_cast<std::size_t>(std::max<std::ptrdiff_t>(highest, 0)); }
void allocations::reset_peak() noexcept { highest = alive; }

void* operator new(std::size_t n) { return counting(n); }
void* operator new[](std::size_t n) { return counting(n); }
// Under a sanitizer these would else be its own, and their blocks come back to the operators below.
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return counting_or_null(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return counting_or_null(n); }
void operator delete(void* p) noexcept { give_back(p); }
void operator delete[](void* p) noexcept { give_back(p); }
void operator delete(void* p, std::size_t) noexcept { give_back(p); }
void operator delete[](void* p, std::size_t) noexcept { give_back(p); }

// Asio takes the memory of handlers from aligned_alloc. Sanitizers have one of their own, which free() must find again.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t n) {
    ++counted;
    total += n;
    return memalign(alignment, n);
}
#endif
