// kw::report_stream: what becomes of a producer's batches, one after the other, for those who would rather ask than be called.
//
//   kw::report_stream reports{producer};
//   for (;;) {
//       const kw::batch_report r = co_await reports.async_next_report(asio::use_awaitable);
//       if (r.why) std::cerr << r.count << " records of " << r.topic << ": " << r.why.message() << '\n';
//   }
//
// Memory is bounded: reports that nobody has asked for wait in so many bytes as the options say. When they are used up the oldest one goes, and
// its records are counted in `missed` of the report that is given next. So the numbers of all reports together are always right.
//
// Rules for all of it:
// - Works with kw::producer and kw::concurrent_producer alike. It takes the producer's on_delivery(): who sets another one ends the stream.
// - Every function may be called from any thread, but for the constructor, which is where on_delivery() may be called, and the destructor, which
//   comes after all other calls. Producer and stream may be destroyed in either order; but when a concurrent_producer with a thread of its own
//   has gone there is no executor to wait on any more, and only try_next_report() is left.
// - A stream ends when its producer was destroyed, or has another on_delivery(), and what was there was read: errc::client_closed from then on.
// - Several may wait at the same time; each report goes to one of them, in turn.
#pragma once
#include <kafkawire/client.hpp>
#include <kafkawire/detail/function.hpp>
#include <kafkawire/record.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <string>
#include <vector>

namespace kafkawire::inline v0_1 {

/// What became of one batch. As delivery_report, but it owns what it says.
struct batch_report {
    std::string topic;
    std::int32_t partition = -1;
    std::int64_t base_offset = -1;          ///< of the first record; the others follow without gaps
    std::size_t count = 0;
    kafkawire::timestamp timestamp{};       ///< of the first
    error why;                              ///< no code: acknowledged; else condition::not_persisted or maybe_persisted
    std::vector<std::uint64_t> tags;        ///< one for each record, if any of them had one; else empty
    batch_result missed;                    ///< records of reports before this one that were dropped, as nobody asked for them
};

struct report_stream_options {
    /// Bytes of reports that wait; one is always kept. A report takes some 300 bytes, and 8 for each record if there are tags.
    std::size_t bytes = 1u << 20;
};

namespace client_detail {

class report_reader {
public:
    virtual ~report_reader() = default;
    /// Once, from any thread; runs the handler on its executor, never inside this call.
    virtual void finish(error why, batch_report r) = 0;
};

/// What stream, producer and readers share.
class KAFKAWIRE_API report_queue {
public:
    explicit report_queue(std::size_t bytes);
    ~report_queue();
    void put(const delivery_report& r);
    void end();
    void next(std::shared_ptr<report_reader> who);
    void cancel(const std::weak_ptr<report_reader>& who);
    /// Tells all that wait errc::canceled.
    void abandon();
    [[nodiscard]] std::optional<batch_report> try_next();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The producer's delivery handler; its end is the stream's.
class report_feed {
public:
    explicit report_feed(std::shared_ptr<report_queue> to) noexcept : to_{std::move(to)} {}
    report_feed(report_feed&&) noexcept = default;
    ~report_feed() {
        if (to_) to_->end();
    }
    void operator()(const delivery_report& r) const { to_->put(r); }

private:
    std::shared_ptr<report_queue> to_;
};

template <class Handler>
class report_handler final : public report_reader {
public:
    report_handler(Handler&& h, const asio::any_io_executor& ex) : handler_{std::move(h)}, work_{asio::get_associated_executor(handler_, ex)} {}
    void finish(error why, batch_report r) override {
        auto ex = work_.get_executor();
        // The slot is emptied where the handler runs: it may be emitted from there meanwhile.
        asio::post(ex, [h = std::move(handler_), w = std::move(work_), e = std::move(why), result = std::move(r)]() mutable {
            if (auto slot = asio::get_associated_cancellation_slot(h); slot.is_connected()) slot.clear();
            call_handler(h, e, std::move(result));
        });
    }
    [[nodiscard]] auto slot() const { return asio::get_associated_cancellation_slot(handler_); }

private:
    Handler handler_;
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
};

struct initiate_next_report {
    std::shared_ptr<report_queue> queue;
    asio::any_io_executor executor;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor; }

    template <class Handler>
    void operator()(Handler&& h) const {
        auto reader = std::make_shared<report_handler<std::decay_t<Handler>>>(std::decay_t<Handler>(std::forward<Handler>(h)), executor);
        if (auto slot = reader->slot(); slot.is_connected()) {
            slot.assign([q = std::weak_ptr{queue}, r = std::weak_ptr<report_reader>{reader}](asio::cancellation_type) {
                if (const auto alive = q.lock()) alive->cancel(r);
            });
        }
        queue->next(std::move(reader));
    }
};

}  // namespace client_detail

/// See the top of this file. Movable; the moved-from stream may only be destroyed or assigned to.
class KAFKAWIRE_API report_stream {
public:
    using executor_type = asio::any_io_executor;

    template <class Producer>
    explicit report_stream(Producer& of, const report_stream_options& options = {})
        : queue_{std::make_shared<client_detail::report_queue>(options.bytes)}, executor_{of.get_executor()} {
        of.on_delivery(client_detail::report_feed{queue_});
    }
    /// Who still waits is told errc::canceled. What is reported later is dropped.
    ~report_stream() {
        if (queue_) queue_->abandon();
    }
    report_stream(report_stream&&) noexcept = default;
    report_stream& operator=(report_stream&& o) noexcept {
        if (queue_ && this != &o) queue_->abandon();
        queue_ = std::move(o.queue_);
        executor_ = o.executor_;
        return *this;
    }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    /// Completes with the next report, in the order in which batches were settled. Never inside this call; the handler runs on its associated
    /// executor, else on the producer's. Completion: void(std::error_code, kw::batch_report). Codes: errc::client_closed: there will be no more,
    /// and `missed` has what was dropped after the last one that was given; errc::canceled: no report is lost.
    template <class Token>
    auto async_next_report(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, batch_report)>(client_detail::initiate_next_report{queue_, executor_}, token);
    }
    /// One that is there, or none. Who waits comes first.
    [[nodiscard]] std::optional<batch_report> try_next_report() { return queue_->try_next(); }

private:
    std::shared_ptr<client_detail::report_queue> queue_;
    asio::any_io_executor executor_;
};

}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
