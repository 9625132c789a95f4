// kw::transaction: records to any partitions, and the offsets of what they were made from, become visible together or not at all.
//
//   asio::awaitable<void> ship(kw::client& client) {
//       kw::producer producer{client, {.transactional_id = "shipping-1"}};
//       kw::transaction tx = co_await producer.async_begin_transaction(asio::use_awaitable);
//       co_await producer.async_enqueue({.topic = "shipped", .key = "42"}, asio::use_awaitable);    // all that the producer sends is part of it
//       co_await producer.async_enqueue({.topic = "invoices", .key = "42"}, asio::use_awaitable);
//       co_await tx.async_commit(asio::use_awaitable);
//   }                                                                  // without the commit it is aborted here
//
// Who reads at read_committed sees all of it after the commit, and nothing of it otherwise. A producer has one transaction at a time. The first
// begin fences all other producers of the same transactional_id: theirs are aborted, and whatever they still try fails
// (broker_errc::producer_fenced).
//
// How things end, by the code's condition:
//
// | condition        | what it says                                                                     | what to do                              |
// |------------------|----------------------------------------------------------------------------------|-----------------------------------------|
// | none             | a commit without an error was confirmed by the coordinator                       |                                         |
// | abortable        | certainly not committed: it is aborted already, or must be (async_abort, or the  | begin another one with the same input   |
// |                  | end of the object)                                                               |                                         |
// | maybe_persisted  | of a commit: sent, and not answered in time. The result is being found out       | async_commit() again waits for it; the  |
// |                  |                                                                                  | next begin waits for it too             |
// | fenced           | a newer producer has the transactional_id; certainly not committed               | let it do the work                      |
// | fatal            | this producer cannot go on (fenced is fatal too)                                 | make a new one, if the cause is mended  |
// | retriable        | of a begin: nothing has happened yet                                             | begin again                             |
//
// - If any send of a transaction fails, so does the transaction: async_commit() completes with errc::transaction_aborted, and the cause tells
//   which. Not so if its sender has taken it back, and not for try_send(), which says at once what it did not take.
// - A send without an error says that the record is in the log; whether it is ever to be seen is the commit's to say.
// - A request whose answer was lost may still arrive when its transaction is over. No transaction begins before such requests are fenced, with
//   coordinators of version 1 (to Kafka 3.9) as of version 2 (KIP-890); which version it is, the cluster says (its feature transaction.version).
// - Fenced is what a coordinator says; it cannot tell a newer producer from a request of our own that was given up and came late. Nothing is
//   committed either way, and a new producer goes on.
// - A transaction that is open for longer than transaction_timeout is aborted by the coordinator; commit then says so.
//
// A transaction belongs to the executor of its client, as the producer does. It may outlive the producer, and is then of no use: it is aborted
// when the producer is closed, or destroyed. What is to be aborted when the producer goes is asked for once and not waited for; async_close()
// waits. Where that fails, the coordinator does it after transaction_timeout, or when the next producer of that id begins.
#pragma once
#include <kafkawire/group.hpp>
#include <kafkawire/producer.hpp>

#include <stdexcept>

namespace kafkawire::inline v0_1 {

namespace client_detail {

struct group_offsets {
    group_metadata group;
    struct entry {
        std::string topic;
        std::int32_t partition;
        std::int64_t offset;
        std::int32_t leader_epoch;
        std::string metadata;
    };
    std::vector<entry> offsets;
};

[[nodiscard]] inline group_offsets copy_offsets(std::span<const topic_offset> offsets, const group_metadata& group) {
    group_offsets all{group, {}};
    for (const auto& o : offsets) all.offsets.push_back({std::string{o.topic}, o.partition, o.offset, o.leader_epoch, std::string{o.metadata}});
    return all;
}

// What the operations below need; each may be called from the client's executor only. `number` tells transactions of a producer apart.
KAFKAWIRE_API void init_transactions(producer_core& c, std::optional<std::chrono::milliseconds> deadline, waiter* w);
KAFKAWIRE_API void begin_transaction(producer_core& c, std::optional<std::chrono::milliseconds> deadline, waiter* w);
KAFKAWIRE_API void send_offsets(producer_core& c, std::uint64_t number, group_offsets what, std::optional<std::chrono::milliseconds> deadline, waiter* w);
KAFKAWIRE_API void end_transaction(producer_core& c, std::uint64_t number, bool commit, std::optional<std::chrono::milliseconds> deadline, waiter* w);
/// Aborts it in the background, if it is open.
KAFKAWIRE_API void abandon_transaction(producer_core& c, std::uint64_t number) noexcept;
[[nodiscard]] KAFKAWIRE_API std::uint64_t transaction_number(const producer_core& c) noexcept;
[[nodiscard]] KAFKAWIRE_API error transaction_trouble(const producer_core& c, std::uint64_t number);
[[nodiscard]] KAFKAWIRE_API std::shared_ptr<producer_core> share(producer_core& c) noexcept;
/// How waiters of transactions are known: their group.
KAFKAWIRE_API extern const char transaction_mark;

}  // namespace client_detail

/// See the top of this file. Movable; a moved-from one, and one that was made by default, is no transaction: it may be destroyed, assigned to and
/// asked for trouble(); everything else throws std::logic_error.
class transaction {
public:
    transaction() noexcept = default;
    /// For async_begin_transaction().
    explicit transaction(std::shared_ptr<client_detail::producer_core> core, std::uint64_t number) noexcept : core_{std::move(core)}, number_{number} {}
    /// Aborts, if neither commit nor abort was asked for. Does not wait; the next begin does.
    ~transaction() { leave(); }
    transaction(transaction&& o) noexcept : core_{std::move(o.core_)}, number_{std::exchange(o.number_, 0)} {}
    transaction& operator=(transaction&& o) noexcept {
        if (this == &o) return *this;
        leave();
        core_ = std::move(o.core_);
        number_ = std::exchange(o.number_, 0);
        return *this;
    }

    /// Empty as long as records and offsets can be sent; else why not: errc::transaction_aborted (something has failed, and it can only be
    /// aborted), errc::no_transaction (its end was asked for), or what has ended the producer.
    [[nodiscard]] error trouble() const {
        if (core_) return client_detail::transaction_trouble(*core_, number_);
        error none;
        none.code = errc::no_transaction;
        return none;
    }

    /// Commits offsets of a group with the transaction, and only with it. They are copied. It completes when the group's coordinator holds
    /// them; a commit waits for it. Completion: void(std::error_code). Codes: errc::transaction_aborted, errc::no_transaction; errc::canceled and
    /// errc::request_timed_out, if nothing was sent (the transaction goes on without them); what ends the producer. Cancellation (any type) before
    /// they are sent takes them back, afterwards the transaction must be aborted.
    template <class Token>
    auto async_send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(initiate_offsets{core(), number_, {}}, token, client_detail::copy_offsets(offsets, group));
    }
    /// The same, with another patience than the producer's delivery_timeout.
    template <class Token>
    auto async_send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(initiate_offsets{core(), number_, deadline}, token, client_detail::copy_offsets(offsets, group));
    }

    /// Sends what waits to be sent and commits. From the call on nothing more can be sent in it. Completes by delivery_timeout (or `deadline`)
    /// with what is true then: see the table at the top. Completion: void(std::error_code). Codes: none: committed. errc::transaction_aborted: it
    /// was not, is being aborted, and the next begin waits for that. errc::delivery_unknown: nobody knows yet, call it again. errc::no_transaction: it had
    /// been aborted by the application. What ends the producer. Cancellation (any type) before the commit was sent aborts; afterwards the code
    /// is errc::delivery_unknown, and what becomes of it is found out all the same.
    template <class Token>
    auto async_commit(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(initiate_end{core(), number_, true, {}}, token);
    }
    template <class Token>
    auto async_commit(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(initiate_end{core(), number_, true, deadline}, token);
    }
    /// Aborts: what was not sent is told as errc::transaction_aborted, what is in the logs will not be seen at read_committed. Completes when the
    /// coordinator has confirmed it. Completion: void(std::error_code). Codes: none: aborted. errc::no_transaction: it was committed, or may have been.
    /// errc::request_timed_out and errc::canceled (any type of cancellation): it goes on without anybody who waits. What ends the producer.
    template <class Token>
    auto async_abort(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(initiate_end{core(), number_, false, {}}, token);
    }
    template <class Token>
    auto async_abort(std::chrono::milliseconds deadline, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(initiate_end{core(), number_, false, deadline}, token);
    }

private:
    using patience = std::optional<std::chrono::milliseconds>;

    struct initiate_offsets : client_detail::producer_initiation {
        std::uint64_t number;
        patience deadline;
        initiate_offsets(std::shared_ptr<client_detail::producer_core> c, std::uint64_t n, patience d) : producer_initiation{std::move(c)}, number{n}, deadline{d} {}
        template <class Handler>
        void operator()(Handler&& h, client_detail::group_offsets what) const {
            client_detail::send_offsets(*core, number, std::move(what), deadline, mark(client_detail::make_waiter<std::monostate>(*core, std::forward<Handler>(h))));
        }
    };
    struct initiate_end : client_detail::producer_initiation {
        std::uint64_t number;
        bool commit;
        patience deadline;
        initiate_end(std::shared_ptr<client_detail::producer_core> c, std::uint64_t n, bool yes, patience d)
            : producer_initiation{std::move(c)}, number{n}, commit{yes}, deadline{d} {}
        template <class Handler>
        void operator()(Handler&& h) const {
            client_detail::end_transaction(*core, number, commit, deadline, mark(client_detail::make_waiter<std::monostate>(*core, std::forward<Handler>(h))));
        }
    };

    [[nodiscard]] const std::shared_ptr<client_detail::producer_core>& core() const {
        if (!core_) throw std::logic_error{"kw::transaction: it was moved from, or never begun"};
        return core_;
    }
    static client_detail::waiter* mark(client_detail::waiter* w) noexcept {
        w->group = &client_detail::transaction_mark;
        return w;
    }
    void leave() noexcept {
        if (core_) client_detail::abandon_transaction(*core_, number_);
        core_.reset();
    }

    std::shared_ptr<client_detail::producer_core> core_;
    std::uint64_t number_ = 0;
};

namespace client_detail {

struct initiate_init_transactions : producer_initiation {
    std::optional<std::chrono::milliseconds> deadline;
    initiate_init_transactions(std::shared_ptr<producer_core> c, std::optional<std::chrono::milliseconds> d) : producer_initiation{std::move(c)}, deadline{d} {}
    template <class Handler>
    void operator()(Handler&& h) const {
        auto* const w = make_waiter<std::monostate>(*core, std::forward<Handler>(h));
        w->group = &transaction_mark;
        init_transactions(*core, deadline, w);
    }
};

// Who waits for a transaction is handed one; if nobody takes it, it ends there.
template <class Handler>
class begin_waiter final : public handler_waiter<Handler, transaction> {
public:
    begin_waiter(producer_core& c, Handler&& h) : handler_waiter<Handler, transaction>{c, std::move(h)} { this->group = &transaction_mark; }
    void complete(const error* why, const delivery&) override {
        this->end(why, why ? transaction{} : transaction{share(this->core_), transaction_number(this->core_)});
    }
};

struct initiate_begin : producer_initiation {
    std::optional<std::chrono::milliseconds> deadline;
    initiate_begin(std::shared_ptr<producer_core> c, std::optional<std::chrono::milliseconds> d) : producer_initiation{std::move(c)}, deadline{d} {}
    template <class Handler>
    void operator()(Handler&& h) const {
        using type = begin_waiter<std::decay_t<Handler>>;
        static_assert(sizeof(type) == sizeof(handler_waiter<std::decay_t<Handler>, transaction>));
        begin_transaction(*core, deadline, ::new (take_block(*core, sizeof(type))) type{*core, std::decay_t<Handler>(std::forward<Handler>(h))});
    }
};

}  // namespace client_detail

template <class Token>
auto producer::async_init_transactions(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_init_transactions{core_, {}}, token);
}
template <class Token>
auto producer::async_init_transactions(std::chrono::milliseconds deadline, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_init_transactions{core_, deadline}, token);
}

/// Begins a transaction. The first begin, unless async_init_transactions() has done it, finds the coordinator, gets a producer id, and so fences older producers of this transactional_id and
/// ends what they had open. It waits for the end of the transaction before, however that ended, and fences what may still be on its way from it.
/// Completion: void(std::error_code, kw::transaction), the transaction empty if there is an error. Codes: errc::request_timed_out (not by
/// delivery_timeout; the cause says what kept it) and errc::canceled: nothing has happened; std::errc::operation_in_progress: one is open, or begun
/// already; errc::no_transaction: the producer has no transactional_id; what the coordinator said, which may be tried again; what ends the producer.
/// Cancellation (any type): it is not begun.
template <class Token>
auto producer::async_begin_transaction(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, transaction)>(client_detail::initiate_begin{core_, {}}, token);
}
template <class Token>
auto producer::async_begin_transaction(std::chrono::milliseconds deadline, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, transaction)>(client_detail::initiate_begin{core_, deadline}, token);
}

}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
