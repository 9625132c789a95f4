// A callable that is moved, never copied: std::function cannot hold a handler that owns a socket or a promise.
#pragma once
#include <kafkawire/version.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace kafkawire::inline v0_1 {

template <class Signature>
class unique_function;

/// Owns one callable. Up to six words lie inside, larger ones on the heap. Calling an empty one is a precondition violation.
/// Not thread-safe. Moving never throws; a moved-from function is empty.
template <class R, class... Args>
class unique_function<R(Args...)> {
    static constexpr std::size_t room = 6 * sizeof(void*);
    template <class F>
    static constexpr bool fits = sizeof(F) <= room && alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

    struct operations {
        R (*call)(void* self, Args&&... args);
        void (*move)(void* from, void* to) noexcept;  // leaves nothing at `from`
        void (*destroy)(void* self) noexcept;
    };
    template <class F>
    static constexpr operations inside = {
        [](void* self, Args&&... args) -> R { return (*static_cast<F*>(self))(std::forward<Args>(args)...); },
        [](void* from, void* to) noexcept {
            ::new (to) F(std::move(*static_cast<F*>(from)));
            static_cast<F*>(from)->~F();
        },
        [](void* self) noexcept { static_cast<F*>(self)->~F(); },
    };
    template <class F>
    static constexpr operations outside = {
        [](void* self, Args&&... args) -> R { return (**static_cast<F**>(self))(std::forward<Args>(args)...); },
        [](void* from, void* to) noexcept { ::new (to) F*(*static_cast<F**>(from)); },
        [](void* self) noexcept { delete *static_cast<F**>(self); },
    };

public:
    unique_function() noexcept = default;
    unique_function(std::nullptr_t) noexcept {}
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, unique_function> && std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
    unique_function(F&& f) {
        using stored = std::remove_cvref_t<F>;
        if constexpr (fits<stored>) {
            ::new (static_cast<void*>(storage_)) stored(std::forward<F>(f));
            operations_ = &inside<stored>;
        } else {
            ::new (static_cast<void*>(storage_)) stored*(new stored(std::forward<F>(f)));
            operations_ = &outside<stored>;
        }
    }
    unique_function(unique_function&& other) noexcept { take(other); }
    unique_function& operator=(unique_function&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~unique_function() { reset(); }

    explicit operator bool() const noexcept { return operations_ != nullptr; }
    R operator()(Args... args) { return operations_->call(storage_, std::forward<Args>(args)...); }

private:
    void take(unique_function& other) noexcept {
        operations_ = std::exchange(other.operations_, nullptr);
        if (operations_) operations_->move(other.storage_, storage_);
    }
    void reset() noexcept {
        if (const auto* o = std::exchange(operations_, nullptr)) o->destroy(storage_);
    }

    const operations* operations_ = nullptr;
    alignas(std::max_align_t) std::byte storage_[room];
};

}  // namespace kafkawire::inline v0_1
