// transaction_core: the driver of kw::transaction, between transaction_fsm, the producer's sending machine and the coordinators. Part of a
// transactional producer_core, and lives as long. Decides nothing.
//
// How the two machines are brought together:
//   the sender touches a partition     -> the coordinator is told (version 1) -> the partition may send
//   records of the transaction fail    -> it must be aborted                  -> the sender drops what it has not sent
//   the end is asked for               -> the sender sends what it has, and waits for what is in flight -> EndTxn
//   the coordinator raises the epoch   -> the sender begins its sequences anew
#pragma once
#include <kafkawire/transaction.hpp>

#include "client/producer_core.hpp"
#include "client/transaction_fsm.hpp"

namespace kafkawire::client_detail {

/// What a producer that ends leaves to be said of its transaction. Held by it and by its Produce requests: what is still on its way could otherwise
/// come after the transaction's end, and begin it anew. Said when the last of them lets go.
struct last_will {
    explicit last_will(std::weak_ptr<core> c) : client{std::move(c)} {}
    ~last_will();
    last_will(const last_will&) = delete;

    std::weak_ptr<core> client;
    std::int32_t coordinator = -1;
    std::shared_ptr<net::call> what;                        // null: nothing
};

class transaction_core final : public transaction_hooks {
public:
    explicit transaction_core(producer_core& of);

    using patience = std::optional<std::chrono::milliseconds>;
    // See transaction.hpp.
    void initialize(patience p, waiter* w);
    void begin(patience p, waiter* w);
    void send_offsets(std::uint64_t number, group_offsets what, patience p, waiter* w);
    void end(std::uint64_t number, bool commit, patience p, waiter* w);
    void abandon(std::uint64_t number);
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    [[nodiscard]] error trouble(std::uint64_t number) const;

    // transaction_hooks
    void partition_touched(partition_queue& where) override;
    void send_failed(const error& why) override;
    void looked() override;
    void closing() override { abandon(number_); }
    void brokers_changed() override { step(txn::tick{}); }
    [[nodiscard]] bool idle() const override;
    [[nodiscard]] std::shared_ptr<const void> will() const override { return will_; }
    void cancel(waiter* w) override;
    void stop(const error& why) override;

    // --- for its calls ---
    void answered(std::uint64_t request, std::int16_t version, txn::answer what, std::string broker);
    void failed(std::uint64_t request, error why, bool maybe_processed);

private:
    struct operation {
        txn::operation_id id;
        txn::operation_kind kind;
        waiter* who;
    };

    [[nodiscard]] txn::requested ask(txn::operation_kind kind, patience p, waiter* w);
    [[nodiscard]] static txn::group_offsets grouped(group_offsets what);
    bool refuse_if_over(std::uint64_t number, waiter* w);
    template <class Requested>
    void ask_unless_over(txn::operation_kind kind, patience p, waiter* w);
    void step(txn::event e);
    void set_gate();
    void set_timer();
    void farewell();

    void carry_out(txn::send& a);
    void carry_out(txn::identity_changed& a);
    void carry_out(txn::partition_ready& a);
    void carry_out(txn::drop_unsent& a);
    void carry_out(txn::settle& a);
    void carry_out(txn::complete& a);

    producer_core& producer_;
    txn::transaction_fsm machine_;
    txn::actions actions_, running_;
    std::vector<operation> operations_;                     // that wait
    std::unique_ptr<net::timer> timer_;
    std::shared_ptr<last_will> will_;                       // null: stopped
    std::int64_t features_epoch_ = -2;                      // of what the machine was told last
    std::optional<std::int32_t> coordinator_;               // that was asked last
    std::uint64_t number_ = 0;                              // of the transaction that was begun last
    txn::operation_id next_operation_ = 1;
    std::optional<error> stopped_;
    bool busy_ = false;                                     // actions are being carried out
    bool settling_ = false;                                 // the machine waits for the sender to have nothing left
};

}  // namespace kafkawire::client_detail
