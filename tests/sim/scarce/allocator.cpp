#include "allocator.hpp"

#ifdef __linux__
#include <malloc.h>
#endif

#include <cstdlib>
#include <new>
#include <utility>

namespace scarce {

namespace {

thread_local bool under_test = false;
thread_local std::uint64_t seen = 0, doomed = 0;
thread_local std::int64_t alive = 0;

bool refused() noexcept { return under_test && ++seen == doomed; }

void* take(std::size_t n) noexcept {
    if (refused()) return nullptr;
    void* const p = std::malloc(n ? n : 1);
    alive += p != nullptr;
    return p;
}
void give(void* p) noexcept {
    alive -= p != nullptr;
    std::free(p);
}

}  // namespace

scope::scope(bool yes) noexcept : before_{std::exchange(under_test, yes)} {}
scope::~scope() { under_test = before_; }
void fail_at(std::uint64_t n) noexcept {
    doomed = n;
    seen = 0;
}
std::uint64_t counted() noexcept { return seen; }
bool failed() noexcept { return doomed != 0 && seen >= doomed; }
void point() {
    if (refused()) throw std::bad_alloc{};
}
std::int64_t blocks() noexcept { return alive; }

}  // namespace scarce

void* operator new(std::size_t n) {
    if (void* p = scarce::take(n)) return p;
    throw std::bad_alloc{};
}
void* operator new[](std::size_t n) { return operator new(n); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return scarce::take(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return scarce::take(n); }
void operator delete(void* p) noexcept { scarce::give(p); }
void operator delete[](void* p) noexcept { scarce::give(p); }
void operator delete(void* p, std::size_t) noexcept { scarce::give(p); }
void operator delete[](void* p, std::size_t) noexcept { scarce::give(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { scarce::give(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { scarce::give(p); }

// Where Asio takes the memory of its handlers from. Sanitizers have one of their own, which free() must find again. Not counted as blocks: free() is not ours.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t n) { return scarce::refused() ? nullptr : memalign(alignment, n); }
#endif
