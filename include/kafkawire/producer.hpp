// kw::producer: sends records.
//
//   asio::awaitable<void> ship(kw::client& client) {
//       kw::producer producer{client};
//       kw::delivery at = co_await producer.async_send({.topic = "orders", .key = "42", .value = "paid"}, asio::use_awaitable);
//       std::cout << at.topic << '-' << at.partition << " @ " << at.offset << '\n';
//   }
//
// A record is encoded once, into the open batch of its partition, and is the producer's from then on; batches go when they are full, when the
// linger is over, or when their broker has nothing else of ours to do. By default nothing is lost, doubled or reordered while the producer
// lives: acks=all, and idempotent.
//
// Rules for all of it:
// - Every send ends exactly once, by its delivery timeout: acknowledged, or with a code that is condition::not_persisted (certainly not in
//   the log) or condition::maybe_persisted (nobody knows). The class is true.
// - A producer belongs to the executor of its client: use it, and destroy it, only there; before its client.
// - An operation never completes inside the call that starts it. Its handler runs on its associated executor, else on the client's.
// - Cancellation (any type) of a send: if the record was not accepted yet it is taken back (errc::send_withdrawn), else it goes its way and
//   nobody waits for it any more (errc::detached).
// - The bytes of a record are borrowed until it is accepted. Where it has to wait for room that is when the operation completes.
// - Where memory runs out, a call that has not begun throws std::bad_alloc, and the producer is at its end: what it had begun is told as above
//   (errc::producer_failed, send_withdrawn, delivery_unknown, with the cause std::errc::not_enough_memory). Another one can be made.
// - Every error is explained by kw::detailed(token).
#pragma once
#include <kafkawire/client.hpp>
#include <kafkawire/detail/waiter.hpp>
#include <kafkawire/producer_options.hpp>
#include <kafkawire/record.hpp>

#include <variant>

namespace kafkawire::inline v0_1 {

class transaction;

/// Numbers of a producer since it was made.
struct producer_statistics {
    std::uint64_t records = 0;           ///< put into batches that were closed
    std::uint64_t batches = 0;
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;             ///< of batches put into requests, retries included
    std::uint64_t retries = 0;           ///< batches that were put into a request again
    std::uint64_t acknowledged = 0;      ///< records
    std::uint64_t failed = 0;            ///< records, not persisted or unknown
    std::size_t buffered_bytes = 0;      ///< of send_buffer, now
    std::size_t unsettled_batches = 0;   ///< that are not told yet, now
    bool degraded = false;               ///< see producer::degraded()
};

namespace client_detail {

class producer_core;

// What the operations below need of the core; each may be called from the client's executor only.
KAFKAWIRE_API std::error_code try_send(producer_core& c, const record& r);
KAFKAWIRE_API void send(producer_core& c, const record& r, waiter* w);
KAFKAWIRE_API void enqueue(producer_core& c, const record& r, waiter* accepted);
KAFKAWIRE_API void warm_up(producer_core& c, std::vector<std::string> topics, waiter* w);
KAFKAWIRE_API void flush(producer_core& c, std::chrono::milliseconds deadline, bool close, waiter* w);
KAFKAWIRE_API void wait_for_room(producer_core& c, std::size_t bytes, waiter* w);
/// Puts as many of the records as there is room for now; the rest follows as room is made. `first` is told for all of them.
KAFKAWIRE_API void send_all(producer_core& c, std::span<const record> rs, waiter* first);
/// Ends what it waits for, if it has not ended: errc::send_withdrawn, detached or canceled.
KAFKAWIRE_API void cancel(producer_core& c, const std::weak_ptr<waiter*>& who);
KAFKAWIRE_API const asio::any_io_executor& executor_of(const producer_core& c) noexcept;
/// Nothing happens if the core is gone by then.
KAFKAWIRE_API void post(producer_core& c, unique_function<void()> what);
KAFKAWIRE_API void* take_block(producer_core& c, std::size_t size);
KAFKAWIRE_API void give_block(producer_core& c, void* block, std::size_t size) noexcept;

// One handler that waits. Its memory is the core's.
template <class Handler, class Result>
class handler_waiter : public waiter {
public:
    handler_waiter(producer_core& c, Handler&& h) : core_{c}, handler_{std::move(h)} {
        const auto& ours = executor_of(c);
        auto theirs = asio::get_associated_executor(*handler_, ours);
        if (asio::any_io_executor{theirs} != ours) elsewhere_ = std::make_unique<work>(std::move(theirs));
        if (auto slot = asio::get_associated_cancellation_slot(*handler_); slot.is_connected()) {
            alive_ = std::make_shared<waiter*>(this);
            slot.assign([core = &c, alive = std::weak_ptr{alive_}](asio::cancellation_type) {
                // Not inline: we are called from inside the slot that telling would empty.
                if (!alive.expired()) post(*core, [core, alive] { cancel(*core, alive); });
            });
        }
    }

    void complete(const error* why, const delivery& at) override {
        Result r{};
        if constexpr (std::is_same_v<Result, delivery>) r = at;
        if constexpr (std::is_same_v<Result, std::size_t>) r = static_cast<std::size_t>(at.offset);
        end(why, std::move(r));
    }
    void drop() noexcept override { free(); }
    void detach(const error& why) override { tell(take(), why, Result{}); }

protected:
    using work = asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>>;
    struct taken {
        std::optional<Handler> handler;
        std::unique_ptr<work> elsewhere;
    };
    taken take() {
        if (std::exchange(alive_, nullptr)) {
            if (auto slot = asio::get_associated_cancellation_slot(*handler_); slot.is_connected()) slot.clear();
        }
        taken t{std::move(handler_), std::move(elsewhere_)};
        handler_.reset();
        return t;
    }
    static void tell(taken t, const error& why, Result&& r) {
        if (!t.handler) return;
        const auto call = [](Handler& h, const error& e, Result&& result) {
            if constexpr (std::is_same_v<Result, std::monostate>) call_handler(h, e);
            else call_handler(h, e, std::move(result));
        };
        if (!t.elsewhere) return call(*t.handler, why, std::move(r));
        auto ex = t.elsewhere->get_executor();
        post_for_certain(ex, [h = std::move(*t.handler), w = std::move(t.elsewhere), why, result = std::move(r), call]() mutable { call(h, why, std::move(result)); });
    }
    // Without the texts, if there is no memory for them: what has happened is told all the same.
    static error copy(const error& e) noexcept {
        try {
            return e;
        } catch (const std::bad_alloc&) {
            error bare;
            bare.code = e.code;
            bare.in = e.in;
            bare.cause = e.cause;
            return bare;
        }
    }
    // The memory goes back before the handler runs.
    void end(const error* why, Result&& r) {
        const auto e = why ? copy(*why) : error{};
        auto t = take();
        free();
        tell(std::move(t), e, std::move(r));
    }
    virtual void free() noexcept {
        auto& c = core_;
        this->handler_waiter::~handler_waiter();  // of this class and no other: clang warns of an unqualified one
        give_block(c, this, sizeof(handler_waiter));
    }

    producer_core& core_;
    std::optional<Handler> handler_;       // none: detached
    std::unique_ptr<work> elsewhere_;      // the handler runs on another executor, which waits for it. Not in place: a million may wait, and few do so
    std::shared_ptr<waiter*> alive_;       // there if it can be canceled
    ~handler_waiter() = default;
};

template <class Result, class Handler>
waiter* make_waiter(producer_core& c, Handler&& h) {
    using type = handler_waiter<std::decay_t<Handler>, Result>;
    struct made final : type {
        using type::type;
    };
    static_assert(sizeof(made) == sizeof(type));
    void* const block = take_block(c, sizeof(type));
    try {
        return ::new (block) made{c, std::decay_t<Handler>(std::forward<Handler>(h))};
    } catch (...) {
        give_block(c, block, sizeof(type));
        throw;
    }
}

// Many records, one handler: told when all of them are.
template <class Handler>
class group_waiter final : public handler_waiter<Handler, batch_result> {
    using base = handler_waiter<Handler, batch_result>;

public:
    group_waiter(producer_core& c, Handler&& h, std::size_t records) : base{c, std::move(h)}, left_{records} { this->group = this; }
    static waiter* make(producer_core& c, Handler&& h, std::size_t records) {
        void* const block = take_block(c, sizeof(group_waiter));
        try {
            return ::new (block) group_waiter{c, std::move(h), records};
        } catch (...) {
            give_block(c, block, sizeof(group_waiter));
            throw;
        }
    }
    waiter* node() override { return ::new (take_block(this->core_, sizeof(part))) part{*this}; }
    /// Of `count` records that got into no batch.
    void complete(const error* why, const delivery&) override { settle(why, static_cast<std::size_t>(this->count)); }
    void drop() noexcept override { forget(static_cast<std::size_t>(this->count)); }
    void detach(const error& why) override { base::tell(this->take(), why, batch_result{result_}); }

private:
    // The records of one batch that follow each other.
    class part final : public waiter {
    public:
        explicit part(group_waiter& of) : of_{of} { this->group = &of; }
        waiter* node() override { return of_.node(); }
        void complete(const error* why, const delivery&) override {
            auto& g = of_;
            const auto n = free();
            g.settle(why, n);
        }
        void drop() noexcept override {
            auto& g = of_;
            const auto n = free();
            g.forget(n);
        }
        void detach(const error&) override {}

    private:
        std::size_t free() noexcept {
            auto& c = of_.core_;
            const auto n = static_cast<std::size_t>(this->count);
            this->~part();
            give_block(c, this, sizeof(part));
            return n;
        }
        group_waiter& of_;
    };

    void settle(const error* why, std::size_t n) {
        if (!why) result_.acknowledged += n;
        else (why->code == condition::maybe_persisted ? result_.maybe_persisted : result_.not_persisted) += n;
        if (why && !first_) first_ = base::copy(*why);
        left_ -= std::min(n, left_);
        if (left_ > 0) return;
        const auto why_not = std::move(first_);
        auto result = result_;
        this->end(&why_not, std::move(result));
    }
    void forget(std::size_t n) noexcept {
        left_ -= std::min(n, left_);
        if (left_ == 0) free();
    }
    void free() noexcept override {
        auto& c = this->core_;
        this->~group_waiter();
        give_block(c, this, sizeof(group_waiter));
    }

    std::size_t left_;
    batch_result result_;
    error first_;
};

struct producer_initiation {
    std::shared_ptr<producer_core> core;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*core); }
};
struct initiate_send : producer_initiation {
    template <class Handler>
    void operator()(Handler&& h, const record& r) const {
        send(*core, r, make_waiter<delivery>(*core, std::forward<Handler>(h)));
    }
};
struct initiate_enqueue : producer_initiation {
    template <class Handler>
    void operator()(Handler&& h, const record& r) const {
        enqueue(*core, r, make_waiter<std::monostate>(*core, std::forward<Handler>(h)));
    }
};
struct initiate_send_all : producer_initiation {
    template <class Handler>
    void operator()(Handler&& h, std::span<const record> rs) const {
        using type = group_waiter<std::decay_t<Handler>>;
        auto handler = std::decay_t<Handler>(std::forward<Handler>(h));
        send_all(*core, rs, type::make(*core, std::move(handler), rs.size()));
    }
};
struct initiate_warm_up : producer_initiation {
    template <class Handler>
    void operator()(Handler&& h, std::vector<std::string> topics) const {
        warm_up(*core, std::move(topics), make_waiter<std::monostate>(*core, std::forward<Handler>(h)));
    }
};
struct initiate_flush : producer_initiation {
    template <class Handler>
    void operator()(Handler&& h, std::chrono::milliseconds deadline, bool close) const {
        flush(*core, deadline, close, make_waiter<std::size_t>(*core, std::forward<Handler>(h)));
    }
};
struct initiate_wait_for_room : producer_initiation {
    template <class Handler>
    void operator()(Handler&& h, std::size_t bytes) const {
        wait_for_room(*core, bytes, make_waiter<std::monostate>(*core, std::forward<Handler>(h)));
    }
};

}  // namespace client_detail

/// See the top of this file. Movable; the moved-from producer may only be destroyed or assigned to.
class KAFKAWIRE_API producer {
public:
    using executor_type = asio::any_io_executor;

    /// Sends nothing yet. Throws kw::system_error (errc::bad_configuration) for options that cannot be, with the name, the value and what would
    /// be right.
    explicit producer(client& c, const producer_options& options = {});
    /// Ends at once: what is not acknowledged is told as send_withdrawn or delivery_unknown, if the executor still runs. See async_close().
    ~producer();
    producer(producer&&) noexcept = default;
    producer& operator=(producer&&) noexcept;

    [[nodiscard]] executor_type get_executor() const noexcept { return client_detail::executor_of(*core_); }
    [[nodiscard]] const producer_options& options() const noexcept;

    /// Sends a record, and completes when it is acknowledged (acks=0: when it is written to the socket).
    ///
    /// Completion: void(std::error_code, kw::delivery). Codes: not persisted: errc::delivery_timed_out, record_too_large, unknown_partition,
    /// send_withdrawn, producer_failed, no_transaction, transaction_aborted, and what the broker says (topic_authorization_failed and the like).
    /// Maybe persisted: errc::delivery_unknown, detached.
    template <class Token>
    auto async_send(const record& r, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, delivery)>(client_detail::initiate_send{{core_}}, token, r);
    }
    /// Completes when the record is accepted: its bytes are the caller's again. What becomes of it is told to on_delivery() alone.
    /// Completion: void(std::error_code), with codes as try_send() has them, errc::delivery_timed_out and send_withdrawn.
    template <class Token>
    auto async_enqueue(const record& r, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_enqueue{{core_}}, token, r);
    }
    /// Sends many records in their order, and completes when all of them are settled. Records and their bytes are borrowed until then.
    /// Nothing is kept for each record. Completion: void(std::error_code, kw::batch_result): the first error, and how many fared how.
    template <class Token>
    auto async_send_batch(std::span<const record> records, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, batch_result)>(client_detail::initiate_send_all{{core_}}, token, records);
    }
    /// Accepts a record now or not at all. What becomes of it is told to on_delivery() alone. errc::would_wait: there is no room, the topic is
    /// not known yet (see async_warm_up), or records before it are waiting; async_enqueue() waits. Else what is wrong with the record.
    [[nodiscard]] std::error_code try_send(const record& r) { return client_detail::try_send(*core_, r); }

    /// Told of every batch that is settled, whatever handlers its records have; on the client's executor. Replaces the handler before; an empty
    /// one ends it. It must not destroy the producer.
    void on_delivery(unique_function<void(const delivery_report&)> handler);

    /// From now on batches are compressed on that executor, a thread pool's for example, several at a time; the loop goes on meanwhile, and the
    /// order of a partition is kept. An empty one: on the client's again, which is the default. What holds the executor must outlive its use, and
    /// run: batches that it drops fail when their delivery timeout is over. The producer may be destroyed at any time.
    void compress_on(executor_type ex);

    /// Makes topics known, so that try_send() takes their records at once, and connects to their leaders.
    /// Completion: void(std::error_code): what is wrong with the first that cannot be used, or errc::delivery_timed_out.
    template <class Token>
    auto async_warm_up(std::vector<std::string> topics, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_warm_up{{core_}}, token, std::move(topics));
    }
    /// The same for one topic. (GCC 12 cannot compile a list in braces inside a co_await: make a vector in a statement of its own.)
    template <class Token>
    auto async_warm_up(std::string_view topic, Token&& token) {
        return async_warm_up(std::vector<std::string>{std::string{topic}}, std::forward<Token>(token));
    }
    /// Completes when everything that was accepted before is settled, or the time is over: errc::delivery_timed_out, and how many records are left.
    /// Batches go at once, without linger. Completion: void(std::error_code, std::size_t).
    template <class Token>
    auto async_flush(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, std::size_t)>(client_detail::initiate_flush{{core_}}, token, deadline, false);
    }
    /// Takes the place of transactional_id before the first transaction: older producers of that id are fenced, and what one of them left open is
    /// aborted, which until then holds back readers, and the group whose offsets it had sent. One that passes on what it consumes does it first, or it
    /// may wait for its own former life until that one's transaction_timeout. Completion: void(std::error_code), with the codes of
    /// async_begin_transaction(), which does the same; once it is done, this completes at once. Include <kafkawire/transaction.hpp>.
    template <class Token>
    auto async_init_transactions(Token&& token);
    /// The same, with another patience than delivery_timeout.
    template <class Token>
    auto async_init_transactions(std::chrono::milliseconds deadline, Token&& token);
    /// Begins a transaction; from then on every record of this producer is part of it, until it is committed or aborted. Needs transactional_id
    /// in the options, and <kafkawire/transaction.hpp>, where it is explained. Completion: void(std::error_code, kw::transaction).
    template <class Token>
    auto async_begin_transaction(Token&& token);
    /// The same, with another patience than delivery_timeout.
    template <class Token>
    auto async_begin_transaction(std::chrono::milliseconds deadline, Token&& token);

    /// Flushes, then ends; what was left is told. A transaction that is open is aborted. The number is of records that were not settled in time. Completion: void(std::error_code, std::size_t).
    template <class Token>
    auto async_close(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, std::size_t)>(client_detail::initiate_flush{{core_}}, token, deadline, true);
    }
    /// Completes when so many bytes of send_buffer are free. Completion: void(std::error_code).
    template <class Token>
    auto async_wait_for_room(std::size_t bytes, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_wait_for_room{{core_}}, token, bytes);
    }

    [[nodiscard]] producer_statistics statistics() const noexcept;
    /// Null, or why this producer does less than its options say: the brokers are older than Kafka 0.11, and idempotence, which is automatic, is off.
    /// What is tried again may then be stored twice. Known before the first record is sent; valid as long as the producer is.
    [[nodiscard]] const error* degraded() const noexcept;

private:
    friend class transaction;
    std::shared_ptr<client_detail::producer_core> core_;
};

}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
