// What concurrent_producer.hpp needs of its core, which is in src/client/front_core.hpp.
#pragma once
#include <kafkawire/client.hpp>
#include <kafkawire/detail/function.hpp>
#include <kafkawire/record.hpp>

#include <asio/cancellation_signal.hpp>
#include <atomic>
#include <variant>

namespace kafkawire::inline v0_1 {
struct producer_statistics;
class concurrent_transaction;
}

namespace kafkawire::client_detail {

/// An operation of the front that has a handler. finish() tells it; whoever comes second is too late, in whatever thread.
class KAFKAWIRE_API front_operation {
public:
    virtual ~front_operation() = default;
    /// Runs the handler on its executor, never inside this call; nothing if it was told before.
    virtual void finish(const error& why, const delivery& at, std::size_t left) = 0;
    [[nodiscard]] virtual bool told() const noexcept = 0;

    asio::cancellation_signal inner;  ///< of the producer's operation that is under way for it; the loop's thread only
    bool started = false;             ///< that one was begun; the loop's thread only
    bool of_a_record = false;         ///< not of a flush; set once, before anybody else knows it
};

class loop;
struct group_offsets;

class KAFKAWIRE_API front {
public:
    virtual ~front() = default;
    [[nodiscard]] virtual const asio::any_io_executor& executor() const noexcept = 0;
    /// Copies the record; `force`: whether there is room or not. `op`: told what became of it.
    virtual std::error_code put(const record& r, std::shared_ptr<front_operation> op, bool force) = 0;
    virtual std::error_code put_and_wait(const record& r) = 0;
    /// Tells `op` when there is room.
    virtual void wait_for_room(std::shared_ptr<front_operation> op) = 0;
    virtual void flush(std::chrono::milliseconds deadline, bool close, std::shared_ptr<front_operation> op) = 0;
    virtual void warm_up(std::vector<std::string> topics, std::shared_ptr<front_operation> op) = 0;
    virtual void on_delivery(unique_function<void(const delivery_report&)> handler) = 0;
    [[nodiscard]] virtual producer_statistics statistics() const = 0;
    // Transactions by number: what a begin draws, and tells as `left`.
    virtual void init_transactions(std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) = 0;
    virtual void begin_transaction(std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) = 0;
    virtual void send_offsets(std::uint64_t number, group_offsets what, std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) = 0;
    virtual void end_transaction(std::uint64_t number, bool commit, std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) = 0;
    /// Aborts it in the background, if it is open.
    virtual void abandon_transaction(std::uint64_t number) noexcept = 0;
    /// Where blocking calls wait.
    [[nodiscard]] virtual const loop& waits_on() const noexcept = 0;
    /// From any thread.
    virtual void cancel(const std::weak_ptr<front_operation>& op) = 0;
};

template <class Handler, class Result>
class front_handler final : public front_operation {
public:
    front_handler(Handler&& h, const std::shared_ptr<front>& of) : handler_{std::move(h)}, work_{asio::get_associated_executor(*handler_, of->executor())}, of_{of} {}

    [[nodiscard]] bool told() const noexcept override { return told_; }
    void finish(const error& why, const delivery& at, std::size_t left) override {
        if (told_.exchange(true)) return;
        Result r{};
        if constexpr (std::is_same_v<Result, delivery>) r = at;
        if constexpr (std::is_same_v<Result, std::size_t>) r = left;
        if constexpr (std::is_same_v<Result, concurrent_transaction>)
            if (!why) r = Result{of_, left};  // if nobody takes it, it ends here
        auto ex = work_.get_executor();
        // The slot is the handler's: it is emptied where the handler runs, since it may be emitted from there meanwhile.
        asio::post(ex, [h = std::move(*handler_), w = std::move(work_), why, r = std::move(r)]() mutable {
            (void)r;
            if (auto slot = asio::get_associated_cancellation_slot(h); slot.is_connected()) slot.clear();
            if constexpr (std::is_same_v<Result, std::monostate>) call_handler(h, why);
            else call_handler(h, why, std::move(r));
        });
        handler_.reset();
        (void)at, (void)left;
    }

    static std::shared_ptr<front_operation> make(Handler&& h, const std::shared_ptr<front>& of) {
        auto op = std::make_shared<front_handler>(std::move(h), of);
        if (auto slot = asio::get_associated_cancellation_slot(*op->handler_); slot.is_connected()) {
            slot.assign([of = std::weak_ptr{of}, op = std::weak_ptr<front_operation>{op}](asio::cancellation_type) {
                if (const auto alive = of.lock()) alive->cancel(op);
            });
        }
        return op;
    }

private:
    std::atomic<bool> told_{false};
    std::optional<Handler> handler_;
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
    std::weak_ptr<front> of_;
};

struct front_initiation {
    std::shared_ptr<front> core;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return core->executor(); }

protected:
    template <class Result, class Handler>
    std::shared_ptr<front_operation> operation(Handler&& h) const {
        auto handler = std::decay_t<Handler>(std::forward<Handler>(h));
        return front_handler<std::decay_t<Handler>, Result>::make(std::move(handler), core);
    }
    static void refuse(front_operation& op, std::error_code ec) {
        error e;
        e.code = ec;
        op.finish(e, {}, 0);
    }
};
struct initiate_front_send : front_initiation {
    template <class Handler>
    void operator()(Handler&& h, const record& r) const {
        auto op = operation<delivery>(std::forward<Handler>(h));
        op->of_a_record = true;
        if (const auto ec = core->put(r, op, true)) refuse(*op, ec);
    }
};
struct initiate_front_enqueue : front_initiation {
    template <class Handler>
    void operator()(Handler&& h, const record& r) const {
        auto op = operation<std::monostate>(std::forward<Handler>(h));
        if (const auto ec = core->put(r, nullptr, true)) refuse(*op, ec);
        else core->wait_for_room(std::move(op));
    }
};
struct initiate_front_warm_up : front_initiation {
    template <class Handler>
    void operator()(Handler&& h, std::vector<std::string> topics) const {
        core->warm_up(std::move(topics), operation<std::monostate>(std::forward<Handler>(h)));
    }
};
struct initiate_front_init : front_initiation {
    std::optional<std::chrono::milliseconds> deadline;
    template <class Handler>
    void operator()(Handler&& h) const {
        core->init_transactions(deadline, operation<std::monostate>(std::forward<Handler>(h)));
    }
};
struct initiate_front_begin : front_initiation {
    std::optional<std::chrono::milliseconds> deadline;
    template <class Handler>
    void operator()(Handler&& h) const {
        core->begin_transaction(deadline, operation<concurrent_transaction>(std::forward<Handler>(h)));
    }
};
struct initiate_front_offsets : front_initiation {
    std::uint64_t number;
    std::optional<std::chrono::milliseconds> deadline;
    template <class Handler, class Offsets>
    void operator()(Handler&& h, Offsets what) const {
        core->send_offsets(number, std::move(what), deadline, operation<std::monostate>(std::forward<Handler>(h)));
    }
};
struct initiate_front_end : front_initiation {
    std::uint64_t number;
    bool commit;
    std::optional<std::chrono::milliseconds> deadline;
    template <class Handler>
    void operator()(Handler&& h) const {
        core->end_transaction(number, commit, deadline, operation<std::monostate>(std::forward<Handler>(h)));
    }
};
struct initiate_front_flush : front_initiation {
    template <class Handler>
    void operator()(Handler&& h, std::chrono::milliseconds deadline, bool close) const {
        core->flush(deadline, close, operation<std::size_t>(std::forward<Handler>(h)));
    }
};

}  // namespace kafkawire::client_detail
