// Waiters: those who want to be told what became of a record, or that it was accepted. The machine passes them on and never looks inside;
// the driver tells them. A chain is in the order of the records.
#pragma once
#include <kafkawire/record.hpp>

#include <array>
#include <memory>
#include <new>
#include <utility>

namespace kafkawire::client_detail {

/// One that waits. Told exactly once, by complete() or by the destructor through drop(); both end it.
class waiter {
public:
    waiter* next = nullptr;
    std::int32_t first = 0;   ///< index in its batch of the first record that it waits for
    std::int32_t count = 1;   ///< how many from there on
    const void* group = nullptr;  ///< waiters of one group are one, where their records follow each other in a batch

    /// What goes into a batch's chain for it: itself, or for a group of records another one of the group.
    virtual waiter* node() { return this; }
    /// `why` null: acknowledged, the first of its records at `at`. Runs the handler: never called inside a call of the application's.
    virtual void complete(const error* why, const delivery& at) = 0;
    /// Ends it without telling anybody.
    virtual void drop() noexcept = 0;
    /// Its handler waits no more and is told why; it stays where it is, and complete() or drop() will still come.
    virtual void detach(const error& why) = 0;

protected:
    ~waiter() = default;
};

/// The waiters of one batch, in the order of their records. Owns them.
class waiter_chain {
public:
    waiter_chain() = default;
    waiter_chain(waiter_chain&& o) noexcept : head_{std::exchange(o.head_, nullptr)}, tail_{std::exchange(o.tail_, nullptr)} {}
    waiter_chain& operator=(waiter_chain&& o) noexcept {
        std::swap(head_, o.head_);
        std::swap(tail_, o.tail_);
        return *this;
    }
    ~waiter_chain() {
        while (auto* w = pop()) w->drop();
    }
    [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
    [[nodiscard]] waiter* front() const noexcept { return head_; }
    [[nodiscard]] waiter* back() noexcept { return tail_; }
    void push(waiter* w) noexcept {
        w->next = nullptr;
        (tail_ ? tail_->next : head_) = w;
        tail_ = w;
    }
    /// Puts another chain behind this one, which has it from now on.
    void append(waiter_chain&& o) noexcept {
        if (!o.head_) return;
        (tail_ ? tail_->next : head_) = o.head_;
        tail_ = o.tail_;
        o.head_ = o.tail_ = nullptr;
    }
    waiter* pop() noexcept {
        auto* w = head_;
        if (!w) return nullptr;
        head_ = w->next;
        if (!head_) tail_ = nullptr;
        w->next = nullptr;
        return w;
    }

private:
    waiter* head_ = nullptr;
    waiter* tail_ = nullptr;
};

/// Blocks of memory that are used again: a waiter for every record must not cost an allocation for every record. Blocks of up to 256
/// bytes are kept, at most as many as were ever out at a time. Not thread-safe; outlives its blocks.
class block_pool {
public:
    block_pool() = default;
    block_pool(const block_pool&) = delete;
    ~block_pool() {
        for (auto*& list : free_)
            while (list) ::operator delete(std::exchange(list, list->next));
    }
    void* take(std::size_t size) {
        const auto at = (size + step - 1) / step;
        if (at >= free_.size()) return ::operator new(size);
        if (auto* b = free_[at]) {
            free_[at] = b->next;
            return b;
        }
        return ::operator new(at * step);
    }
    void give(void* block, std::size_t size) noexcept {
        const auto at = (size + step - 1) / step;
        if (at >= free_.size()) return ::operator delete(block);
        free_[at] = ::new (block) unused{free_[at]};
    }

private:
    static constexpr std::size_t step = 32;
    struct unused {
        unused* next;
    };
    std::array<unused*, 9> free_{};
};

}  // namespace kafkawire::client_detail
