// What kw::consumer's operations are made of: how a completion token becomes something that the driver can tell. No part of the interface.
#pragma once
#include <kafkawire/client.hpp>
#include <kafkawire/group.hpp>
#include <kafkawire/records.hpp>

#include <variant>

namespace kafkawire::inline v0_1 {
namespace client_detail {

class consumer_core;

// One that waits for records. Told once; then destroyed.
class read_operation {
public:
    virtual ~read_operation() = default;
    /// On the client's executor, not inside a call of the application's.
    virtual void complete(error why, records got) = 0;
    std::size_t most = 0;
    std::atomic<bool> canceled{false};               // at once: nothing is taken for it any more
};

KAFKAWIRE_API void begin_read(consumer_core& c, std::shared_ptr<read_operation> what);
/// Nothing happens if it is gone. Any thread.
KAFKAWIRE_API void cancel_read(const std::shared_ptr<consumer_core>& c, const std::weak_ptr<read_operation>& what);
/// `over` is called once, later, on the consumer's executor.
KAFKAWIRE_API void close_reading(consumer_core& c, std::chrono::milliseconds patience, unique_function<void()> over);

// What a commit is of.
struct everything_handed_out {};
struct place_behind {
    committed_offset at;
    std::uint64_t assignment = 0;                    // of which the records are; 0: not known
};
using commit_wish = std::variant<everything_handed_out, std::vector<committed_offset>, std::vector<place_behind>>;
KAFKAWIRE_API std::shared_ptr<begun> prepare_commit(const std::shared_ptr<consumer_core>& c, std::unique_ptr<waiting_operation> who, commit_wish what);
[[nodiscard]] KAFKAWIRE_API std::vector<place_behind> places_behind(std::span<const partition_records> parts);
[[nodiscard]] KAFKAWIRE_API std::vector<place_behind> place_behind_record(std::string_view topic, std::int32_t partition, std::int64_t offset, std::int32_t leader_epoch);
KAFKAWIRE_API std::error_code mark_as_done(consumer_core& c, const std::vector<place_behind>& what);

class committed_operation {
public:
    virtual ~committed_operation() = default;
    virtual void complete(error why, std::vector<committed_offset> found) = 0;
};
KAFKAWIRE_API std::shared_ptr<begun> prepare_committed(const std::shared_ptr<consumer_core>& c, std::unique_ptr<committed_operation> who, std::vector<topic_partition> of);

template <class Handler>
struct pending_committed final : committed_operation, kept_handler<Handler> {
    using kept_handler<Handler>::kept_handler;
    void complete(error why, std::vector<committed_offset> found) override { this->tell(std::move(why), std::move(found)); }
};
KAFKAWIRE_API const asio::any_io_executor& executor_of(const consumer_core& c) noexcept;

template <class Handler, class Result>
class pending_read final : public read_operation {
public:
    pending_read(Handler h, const asio::any_io_executor& ours)
        : handler_{std::move(h)}, theirs_{asio::get_associated_executor(handler_, ours)}, ours_{ours}, elsewhere_{asio::any_io_executor{theirs_.get_executor()} != ours} {}

    static void begin(const std::shared_ptr<consumer_core>& c, Handler h, std::size_t most) {
        auto op = std::make_shared<pending_read>(std::move(h), executor_of(*c));
        op->most = most;
        if (auto slot = asio::get_associated_cancellation_slot(op->handler_); slot.is_connected()) {
            slot.assign([core = std::weak_ptr{c}, what = std::weak_ptr<read_operation>{op}](asio::cancellation_type) {
                const auto alive = what.lock();
                if (!alive) return;
                alive->canceled.store(true);
                if (const auto of = core.lock()) cancel_read(of, what);
            });
        }
        begin_read(*c, std::move(op));
    }

    void complete(error why, records got) override {
        if (auto slot = asio::get_associated_cancellation_slot(handler_); slot.is_connected()) slot.clear();
        Result r{};
        if constexpr (std::is_same_v<Result, records>) r = std::move(got);
        else if (!got.empty()) r = Result{*got.begin()};
        auto theirs = std::move(theirs_);
        auto ours = std::move(ours_);
        auto h = std::move(handler_);
        if (!elsewhere_) return call_handler(h, why, std::move(r));
        asio::post(theirs.get_executor(), [handler = std::move(h), w = std::move(ours), e = std::move(why), result = std::move(r)]() mutable {
            w.reset();
            call_handler(handler, e, std::move(result));
        });
    }

private:
    Handler handler_;
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> theirs_;
    asio::executor_work_guard<asio::any_io_executor> ours_;
    bool elsewhere_;
};

template <class Result>
struct initiate_read {
    std::shared_ptr<consumer_core> core;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*core); }
    template <class Handler>
    void operator()(Handler&& h, std::size_t most) const {
        pending_read<std::decay_t<Handler>, Result>::begin(core, std::decay_t<Handler>(std::forward<Handler>(h)), most);
    }
};
struct initiate_close_reading {
    std::shared_ptr<consumer_core> core;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*core); }
    template <class Handler>
    void operator()(Handler&& h, std::chrono::milliseconds patience) const {
        auto kept = std::make_shared<kept_handler<std::decay_t<Handler>>>(std::decay_t<Handler>(std::forward<Handler>(h)), get_executor());
        close_reading(*core, patience, [kept] { kept->tell(error{}); });
    }
};
struct initiate_commit {
    std::shared_ptr<consumer_core> core;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*core); }
    template <class Handler>
    void operator()(Handler&& h, commit_wish what) const {
        auto op = std::make_unique<pending_wait<std::decay_t<Handler>>>(std::decay_t<Handler>(std::forward<Handler>(h)), get_executor());
        auto& p = *op;
        p.begin(prepare_commit(core, std::move(op), std::move(what)));
    }
};
struct initiate_committed {
    std::shared_ptr<consumer_core> core;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*core); }
    template <class Handler>
    void operator()(Handler&& h, std::vector<topic_partition> of) const {
        auto op = std::make_unique<pending_committed<std::decay_t<Handler>>>(std::decay_t<Handler>(std::forward<Handler>(h)), get_executor());
        auto& p = *op;
        p.begin(prepare_committed(core, std::move(op), std::move(of)));
    }
};

}  // namespace client_detail

}  // namespace kafkawire::inline v0_1
