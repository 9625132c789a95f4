// kw::concurrent_producer: a producer for programs that send from several threads.
//
//   kw::concurrent_producer producer{{.bootstrap = "localhost:9092"}};
//   producer.on_delivery([](const kw::delivery_report& r) { if (r.why) std::cerr << r.why->message() << '\n'; });
//   ... in any thread: producer.send({.topic = "orders", .value = "paid"});
//   producer.flush(10s);
//
// A record is copied once, into a chunk of memory that only few threads share; a thread of its own (named "kafkawire"), or the io_context that
// is given, takes whole chunks and gives them to a kw::producer. It is woken once for a burst of records, not for every one.
//
// Rules for all of it:
// - Every function may be called from any thread; destruction must come after all calls, and not inside a handler.
// - With a transactional_id records are sent in transactions only: see kw::concurrent_transaction.
// - Records of one thread to one partition keep their order. Between threads there is none.
// - The bytes of a record are the caller's again when the call returns; nothing is borrowed.
// - Every send ends exactly once and truly, as kw::producer promises.
// - A context that handlers run on must outlive the object: its thread may still be posting the last of them when that has already run.
// - Handlers without an executor of their own run on the loop's thread, and must not wait for anything there. One that throws ends that
//   thread's run(): with a thread of its own, the program.
// - Completion handlers are never called inside the call that starts their operation. Cancellation (any type) of a send: errc::send_withdrawn
//   if it was not accepted by the producer yet, else errc::detached; of a flush: errc::canceled.
// - try_send() and send() allocate nothing for a record; an operation with a handler does.
// - A child process after fork() has no such thread: there the object may not be used, nor destroyed; exec or _exit are all it may do.
// - Every error is explained by kw::detailed(token).
#pragma once
#include <kafkawire/detail/front.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/io_context.hpp>

namespace kafkawire::inline v0_1 {

/// What the front has of its own beside the producer.
struct front_options {
    /// Bytes of records that wait for the loop, at least 128 KiB. When they are used up, sends wait. Beside producer_options::send_buffer; as
    /// many again may wait for topics that are not known yet.
    std::size_t buffer = 4u << 20;
    /// Where batches are compressed, see kw::producer::compress_on(). Empty: in the loop.
    asio::any_io_executor compress_on = {};
};

/// A transaction of a concurrent_producer: kw::transaction (see there for what is promised, and what each error says), for several threads.
///
///   kw::concurrent_producer producer{{.bootstrap = "localhost:9092"}, {.transactional_id = "shipping-1"}};
///   auto tx = producer.begin_transaction();
///   ... in any thread: producer.send({.topic = "shipped", .key = "42"});
///   tx.commit();                                                // else it is aborted when tx is destroyed
///
/// - All that was sent before the commit is called is part of it: in the same thread, or in another one that has told this one of it. What other
///   threads send while begin, commit or abort are under way is part of it, or refused: errc::no_transaction or errc::transaction_aborted, told as of
///   every record, to its handler or to on_delivery(). Nothing that was sent before an abort gets into the next transaction.
/// - A record that is refused by the producer (one of an unknown partition) fails the transaction. One that try_send() or send() did not take
///   at all, and says so, does not.
/// - Every function may be called from any thread. Movable; one that was made by default, that was moved from, or whose producer is gone may be
///   destroyed or assigned to, and everything else throws std::logic_error.
/// - Without a deadline each operation has the producer's delivery_timeout. Cancellation (any type) is as kw::transaction has it.
class KAFKAWIRE_API concurrent_transaction {
public:
    using patience = std::optional<std::chrono::milliseconds>;

    concurrent_transaction() noexcept = default;
    /// For begin_transaction().
    concurrent_transaction(std::weak_ptr<client_detail::front> of, std::uint64_t number) noexcept : of_{std::move(of)}, number_{number} {}
    /// Aborts, if neither commit nor abort was asked for. Does not wait; the next begin does.
    ~concurrent_transaction() { leave(); }
    concurrent_transaction(concurrent_transaction&& o) noexcept : of_{std::move(o.of_)}, number_{std::exchange(o.number_, 0)} {}
    concurrent_transaction& operator=(concurrent_transaction&& o) noexcept {
        if (this == &o) return *this;
        leave();
        of_ = std::move(o.of_);
        number_ = std::exchange(o.number_, 0);
        return *this;
    }

    /// Commits offsets of a group with the transaction, and only with it. They are copied. Completion: void(std::error_code), with the codes of
    /// kw::transaction::async_send_offsets().
    template <class Token>
    auto async_send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, Token&& token) {
        return async_send_offsets(offsets, group, patience{}, std::forward<Token>(token));
    }
    template <class Token>
    auto async_send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, patience deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_front_offsets{{of()}, number_, deadline}, token,
                                                                  client_detail::copy_offsets(offsets, group));
    }
    /// Sends what was sent before and commits. Completion: void(std::error_code), with the codes of kw::transaction::async_commit().
    template <class Token>
    auto async_commit(Token&& token) {
        return async_commit(patience{}, std::forward<Token>(token));
    }
    template <class Token>
    auto async_commit(patience deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_front_end{{of()}, number_, true, deadline}, token);
    }
    /// Aborts. Completion: void(std::error_code), with the codes of kw::transaction::async_abort().
    template <class Token>
    auto async_abort(Token&& token) {
        return async_abort(patience{}, std::forward<Token>(token));
    }
    template <class Token>
    auto async_abort(patience deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_front_end{{of()}, number_, false, deadline}, token);
    }

    // The same, for a thread that waits. They throw kw::system_error with those codes, and std::errc::resource_deadlock_would_occur in a thread that
    // runs the loop. commit(): condition abortable: it is certainly not committed; maybe_persisted: nobody knows yet, call it again.
    void send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, patience deadline = {});
    void commit(patience deadline = {});
    void abort(patience deadline = {});

private:
    [[nodiscard]] std::shared_ptr<client_detail::front> of() const {
        auto alive = number_ == 0 ? nullptr : of_.lock();
        if (!alive) throw std::logic_error{"kw::concurrent_transaction: it was moved from, never begun, or its producer is gone"};
        return alive;
    }
    void leave() noexcept {
        if (const auto alive = of_.lock(); alive && number_ != 0) alive->abandon_transaction(number_);
        of_.reset();
    }

    std::weak_ptr<client_detail::front> of_;
    std::uint64_t number_ = 0;                     // 0: none
};

/// See the top of this file. Neither copied nor moved: threads hold references to it.
class KAFKAWIRE_API concurrent_producer {
public:
    using executor_type = asio::any_io_executor;

    /// With a thread of its own. Throws kw::system_error (errc::bad_configuration) for options that cannot be.
    explicit concurrent_producer(const client_options& client, const producer_options& options = {}, const front_options& front = {});
    /// On an io_context that is given; it may be run by several threads. Its end, with this object's destruction, happens there.
    concurrent_producer(asio::io_context& io, const client_options& client, const producer_options& options = {}, const front_options& front = {});
    /// Ends at once: what is not acknowledged is told as send_withdrawn or delivery_unknown. No delivery handler runs afterwards, and with an
    /// io_context that is given none runs for what ends here: only handlers of their own are told, later. See close().
    ~concurrent_producer();
    concurrent_producer(const concurrent_producer&) = delete;
    concurrent_producer& operator=(const concurrent_producer&) = delete;

    /// Of the loop's thread.
    [[nodiscard]] executor_type get_executor() const noexcept { return core_->executor(); }

    /// Takes a copy of a record, or none: errc::would_wait if the buffer is full, record_too_large, client_closed after close.
    /// What becomes of it is told to on_delivery() alone, also what try_send() of a kw::producer would say at once.
    [[nodiscard]] std::error_code try_send(const record& r) { return core_->put(r, nullptr, false); }
    /// The same, but waits while the buffer is full. Not in the loop's thread: there it is as try_send().
    [[nodiscard]] std::error_code send(const record& r) { return core_->put_and_wait(r); }
    /// The same without a thread that waits. Completion: void(std::error_code). Canceled: the record goes its way, errc::detached.
    template <class Token>
    auto async_enqueue(const record& r, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_front_enqueue{core_}, token, r);
    }
    /// Completes when the record is acknowledged. The record is copied at once, whether there is room or not: who starts many of them without
    /// waiting for any holds the memory down himself. Completion: void(std::error_code, kw::delivery), with codes as kw::producer::async_send has them.
    template <class Token>
    auto async_send(const record& r, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, delivery)>(client_detail::initiate_front_send{core_}, token, r);
    }

    /// Told of every batch that is settled, and of every record that got into none, on the loop's thread. Replaces the one before. The handler
    /// may send, but must not call on_delivery().
    void on_delivery(unique_function<void(const delivery_report&)> handler) { core_->on_delivery(std::move(handler)); }

    /// Makes topics known and connects to their leaders, so that the first records are as quick as the others.
    /// Completion: void(std::error_code), with codes as kw::producer::async_warm_up has them.
    template <class Token>
    auto async_warm_up(std::vector<std::string> topics, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_front_warm_up{core_}, token, std::move(topics));
    }
    /// Completes when everything that was sent before is settled, or the time is over: errc::delivery_timed_out, and how many records are left.
    /// Completion: void(std::error_code, std::size_t).
    template <class Token>
    auto async_flush(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, std::size_t)>(client_detail::initiate_front_flush{core_}, token, deadline, false);
    }
    /// Takes no more records, flushes, and ends. Completion: void(std::error_code, std::size_t).
    template <class Token>
    auto async_close(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, std::size_t)>(client_detail::initiate_front_flush{core_}, token, deadline, true);
    }
    /// kw::producer::async_init_transactions(). Completion: void(std::error_code).
    template <class Token>
    auto async_init_transactions(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_front_init{{core_}, {}}, token);
    }
    template <class Token>
    auto async_init_transactions(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_front_init{{core_}, deadline}, token);
    }
    /// The same, for a thread that waits: throws kw::system_error.
    void init_transactions(std::optional<std::chrono::milliseconds> deadline = {});
    /// Begins a transaction, for all threads; the producer needs a transactional_id. See kw::concurrent_transaction, and for the codes
    /// kw::producer::async_begin_transaction(). Completion: void(std::error_code, kw::concurrent_transaction).
    template <class Token>
    auto async_begin_transaction(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, concurrent_transaction)>(client_detail::initiate_front_begin{{core_}, {}}, token);
    }
    template <class Token>
    auto async_begin_transaction(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, concurrent_transaction)>(client_detail::initiate_front_begin{{core_}, deadline}, token);
    }
    /// The same, for a thread that waits: throws kw::system_error.
    [[nodiscard]] concurrent_transaction begin_transaction(std::optional<std::chrono::milliseconds> deadline = {});
    /// The same, for a thread that waits. flush() and close(): how many records are not settled, 0 if all is well. In a thread that runs the loop they throw
    /// kw::system_error (std::errc::resource_deadlock_would_occur).
    /// Throws kw::system_error as flush() does, or for what is wrong with the topics.
    void warm_up(std::vector<std::string> topics);
    std::size_t flush(std::chrono::milliseconds deadline) { return flush_and_wait(deadline, false); }
    std::size_t close(std::chrono::milliseconds deadline) { return flush_and_wait(deadline, true); }

    /// Of the producer behind the front, when the last batch was told: records that the loop has not taken yet are in none of its numbers.
    [[nodiscard]] producer_statistics statistics() const { return core_->statistics(); }

private:
    std::size_t flush_and_wait(std::chrono::milliseconds deadline, bool close);

    std::shared_ptr<client_detail::loop> loop_;
    std::shared_ptr<client_detail::front> core_;
};

}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
