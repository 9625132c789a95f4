// producer_core: the driver of kw::producer. Carries out what sender_fsm decides, through the client's core; keeps the operations that wait
// for something other than a record. Handlers run from a callback of the environment, never inside a call of the application's.
#pragma once
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>

#include "client/core.hpp"
#include "client/sender_fsm.hpp"

namespace kafkawire::client_detail {

/// What a transactional producer's driver wants to know of the sending machine.
class transaction_hooks {
public:
    virtual void partition_touched(partition_queue& where) = 0;     ///< the transaction's first record of it
    virtual void send_failed(const error& why) = 0;                 ///< records of the transaction failed: it must be aborted
    virtual void looked() = 0;                                      ///< something has happened: quiet() may be true now
    virtual void brokers_changed() = 0;                             ///< one may have become silent
    virtual void closing() = 0;                                     ///< what is open is aborted
    [[nodiscard]] virtual bool idle() const = 0;                    ///< nothing is on its way
    [[nodiscard]] virtual std::shared_ptr<const void> will() const = 0;  ///< what every Produce request holds until it has ended
    virtual void cancel(waiter* w) = 0;                             ///< of an operation on transactions
    virtual void stop(const error& why) = 0;                        ///< the producer ends; called while the sending machine still has its records
    virtual ~transaction_hooks() = default;
};

/// Whether records are taken: of a transactional producer within a transaction only. Closing: those that were asked for before its commit was.
enum class gate : std::uint8_t { open, closing, closed };

class producer_core final : public std::enable_shared_from_this<producer_core>, private metadata_watcher {
public:
    producer_core(std::shared_ptr<core> client, const producer_options& options);
    ~producer_core();

    // See producer.hpp.
    std::error_code try_send(const record& r);
    void send(const record& r, waiter* w);
    void enqueue(const record& r, waiter* accepted);
    void send_all(std::span<const record> rs, waiter* w);
    void warm_up(std::vector<std::string> topics, waiter* w);
    void flush(std::chrono::milliseconds deadline, bool close, waiter* w);
    void wait_for_room(std::size_t bytes, waiter* w);
    void cancel(const std::weak_ptr<waiter*>& who);
    void stop(const error& why);
    /// The same for its destructor.
    void destroy() noexcept;
    void compress_on(asio::any_io_executor ex);
    void on_delivery(unique_function<void(const delivery_report&)> h) { on_delivery_ = std::move(h); }

    [[nodiscard]] core& client() noexcept { return *client_; }
    [[nodiscard]] const producer_options& options() const noexcept { return options_; }
    [[nodiscard]] block_pool& blocks() noexcept { return blocks_; }
    [[nodiscard]] producer_statistics statistics() const noexcept;
    [[nodiscard]] const error* degraded() const noexcept { return machine_.degraded().get(); }

    // --- for transactions: after a call of the machine, run() ---
    [[nodiscard]] sender_fsm& machine() noexcept { return machine_; }
    [[nodiscard]] sender_actions& actions() noexcept { return actions_; }
    void run();
    /// Null for a producer without transactions; else a transaction_core.
    [[nodiscard]] transaction_hooks* transactions() noexcept { return hooks_.get(); }
    /// Version 1 of transactions must not use a Produce that adds partitions by itself, version 2 must.
    void limit_produce(protocol::version_range to) noexcept { produce_versions_ = to; }
    /// `why` not: what sends are refused with.
    void set_gate(gate to, std::error_code why) noexcept {
        gate_ = to;
        gate_why_ = why;
    }
    /// No record waits, is buffered or in flight.
    [[nodiscard]] bool quiet() const noexcept { return rests_.empty() && machine_.quiet(); }
    /// Ends an operation, later.
    void tell(waiter* w, error why) { refuse(w, std::move(why)); }

    // --- where memory runs out ---
    /// Where no memory is left, the producer is at its end: what it had begun is told as it is, and nothing more is taken. Runs `f`; false if that
    /// happened in it.
    template <class F>
    bool contain(F f) {
        try {
            f();
            return true;
        } catch (const std::bad_alloc&) {
            out_of_memory();
            return false;
        }
    }
    /// For a call of the application's: `f(taken)` says when the waiter is somebody else's. One that is not taken is dropped, and the call throws.
    template <class F>
    void on_behalf_of(waiter* w, F f) {
        bool taken = false;
        if (contain([&] {
                if (exhausted_) end_exhausted();
                f(taken);
            }) ||
            taken)
            return;
        w->drop();
        throw std::bad_alloc{};
    }
    [[nodiscard]] bool is_exhausted() const noexcept { return exhausted_; }

    // --- for produce_call ---
    [[nodiscard]] protocol::wire_error encode(produce_plan& plan, std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to);
    void done(produce_plan& plan, net::outcome result);
    void producer_id_answered(const error& why, const protocol::messages::init_producer_id_response& r);

private:
    struct pending {                                        // an operation that waits for something other than a record
        enum class kind : std::uint8_t { warm_up, flush, close, room } what;
        waiter* who;
        net::time_point deadline;
        std::uint64_t period = 0;                           // flush
        std::size_t bytes = 0;                              // room
        std::vector<topic_queue*> topics{};                 // warm_up
    };
    struct rest {                                           // of a send_all that found no room
        std::span<const record> records;
        waiter* who;
    };
    class continuation;                                     // goes on with the rest when the record before it was accepted

    void topics_changed() override;
    void brokers_changed() override {
        if (hooks_ && !stopped_) hooks_->brokers_changed();
    }
    [[nodiscard]] topic_queue& topic(std::string_view name);
    [[nodiscard]] std::int64_t wall_ms() const { return std::chrono::duration_cast<std::chrono::milliseconds>(client_->env().coarse_wall_now().time_since_epoch()).count(); }
    [[nodiscard]] std::error_code append(topic_queue& t, const record& r, std::int64_t wall, waiter* w, gate least = gate::open);
    void put(std::span<const record> rs, waiter* w, gate least, bool& taken);
    [[nodiscard]] static error exhausted();
    void refuse_record(waiter* w, std::error_code code, const topic_queue& t, const record& r);
    void go_on(waiter* who);
    [[nodiscard]] error story_of(std::error_code code, const topic_queue& t, const record& r) const;
    void refuse(waiter* w, error why);
    void tell_soon();
    void tell_all();
    void tell_next();
    void tell_batch_now(tell_batch& t);
    void end_exhausted();
    void out_of_memory() noexcept;
    [[nodiscard]] bool over(pending& p, error& why);
    void look_at_pending();
    void set_timer();
    void timer_fired();
    void soon();
    void turn();

    void take(produce_plan& plan, net::outcome& result);
    void take(const error& why, const protocol::messages::init_producer_id_response& r);
    void give_up_unsayable(produce_plan& plan);
    void show(const produce_plan& plan);
    void carry_out(send_produce& a);
    void carry_out(withdraw_produce& a);
    void carry_out(ask_producer_id&);
    void carry_out(ask_topics&) { client_->refresh_topics(); }
    void carry_out(tell_batch& a);
    void carry_out(tell_waiter& a);
    void carry_out(touch_partition& a);
    void carry_out(fail_transaction& a);
    void carry_out(tell_flushed&);
    void carry_out(compress_batch& a);
    void carry_out(take_turn&) { soon(); }

    std::shared_ptr<core> client_;
    producer_options options_;
    block_pool blocks_;                                     // outlives the waiters in the machine
    sender_fsm machine_;
    sender_actions actions_, running_;
    std::unique_ptr<net::timer> timer_;
    std::optional<net::time_point> timer_at_;
    struct tell_pending {                                   // an operation that waited for something other than a record
        waiter* who;
        std::shared_ptr<const error> why;
        delivery at;
    };
    std::vector<std::variant<tell_batch, tell_waiter, tell_pending>> told_, telling_;
    std::size_t telling_at_ = 0;                            // those before it were told
    std::size_t running_at_ = 0;                            // of running_: those before it were carried out
    std::vector<pending> pending_;
    std::vector<rest> rests_;
    std::vector<std::optional<produce_answer>> answers_;
    unique_function<void(const delivery_report&)> on_delivery_;
    std::unique_ptr<transaction_hooks> hooks_;
    protocol::version_range produce_versions_ = protocol::messages::produce_request::versions;
    gate gate_;
    std::error_code gate_why_ = errc::no_transaction;
    asio::any_io_executor compress_on_;                     // empty: batches are compressed here
    bool busy_ = false;                                     // run() is under way
    bool turn_posted_ = false;
    bool tell_posted_ = false;
    bool in_telling_ = false;                               // tell_all() is under way
    bool stopped_ = false;
    bool ended_ = false;                                    // stopped, and everything was told of it
    bool exhausted_ = false;                                // no memory was left: the end is near
};

}  // namespace kafkawire::client_detail
