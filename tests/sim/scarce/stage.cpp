#include "stage.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include "scarce_environment.hpp"

namespace scarce {

using kw::testing::outcome;

namespace {

kw::client_options client_settings() {
    kw::client_options o;
    o.bootstrap = "broker-1:9092,broker-2:9092,broker-3:9092";
    o.client_id = "scarce";
    o.connect_timeout = 1s;
    o.request_timeout = 3s;
    return o;
}

outcome outcome_of(std::error_code ec) {
    if (!ec) return outcome::ok;
    return ec == kw::condition::not_persisted ? outcome::failed : outcome::unknown;
}

}  // namespace

// Belongs to one record until that is told.
struct stage::held {
    kw::testing::history::id id;
    std::string value;
    asio::cancellation_signal cancel;
    bool told = false;
};

stage::stage(std::uint64_t n, bool by_hand) : by_hand_{by_hand} {
    const scope world{false};
    settings_.seed = 7;
    world_.emplace(settings_);
    work_.emplace(*world_);
    fail_at(n);
    tested([&] { client_.emplace(world_->app.executor(), client_settings(), make_environment(world_->app.environment())); });
}

stage::~stage() {
    const scope world{false};
    transaction_ = {};
    producer_.reset();
    client_.reset();
    work_.reset();
    world_.reset();
}

template <class F>
void stage::tested(F f) {
    try {
        const scope under_test{true};
        f();
    } catch (const std::bad_alloc&) {
        out_of_memory();
    }
}

void stage::out_of_memory() {
    out_ = true;
    if (!by_hand_ || !client_) return;
    const scope under_test{true};
    client_->async_close([](std::error_code) {});
}

void stage::run(std::chrono::nanoseconds d) {
    const auto until = world_->world.elapsed() + d;
    while (world_->world.elapsed() < until) {
        try {
            world_->world.run_for(until - world_->world.elapsed());
        } catch (const std::bad_alloc&) {
            out_of_memory();
        }
    }
}

void stage::make_producer(kw::producer_options o) {
    if (!client_) return;
    sequences_ = kw::idempotent(o);
    answers_ = o.acks != kw::acks::none;
    tested([&] { producer_.emplace(*client_, o); });
}

std::function<void(std::error_code)> stage::expect(const char* what) {
    const scope world{false};
    const auto n = next_operation_++;
    pending_[n] = what;
    return [this, n](std::error_code) {
        const scope around{false};
        if (pending_.erase(n) == 0) trouble_ += " an operation was told twice;";
    };
}

std::shared_ptr<stage::held> stage::note_send(std::int32_t partition, std::size_t size) {
    const scope world{false};
    auto h = std::make_shared<held>();
    h->value = schedules::make_value(next_value_, size);
    h->id = work_->history.send(1, work_->history.partition(schedules::topic, partition), next_value_++, world_->now(), now_in_);
    held_.push_back(h);
    return h;
}

void stage::told(const std::shared_ptr<held>& h, std::error_code ec, const kw::delivery& d) {
    const scope world{false};
    if (h->told) trouble_ += " a send was told twice;";
    h->told = true;
    if (ec && (ec == kw::condition::not_persisted) == (ec == kw::condition::maybe_persisted)) trouble_ += " a send ends in no class: " + ec.message() + ';';
    work_->history.finish(h->id, outcome_of(ec), world_->now(), ec ? -1 : d.offset);
    acknowledged_ += !ec;
}

void stage::send(int count, std::int32_t partition, std::size_t size) {
    for (int i = 0; i < count && producer_; ++i) {
        const auto to = partition >= 0 ? partition : i % schedules::partitions;
        const auto h = note_send(to, size);
        bool thrown = true;
        tested([&] {
            producer_->async_send({.topic = schedules::topic, .key = "key", .value = h->value, .partition = to},
                                  asio::bind_cancellation_slot(h->cancel.slot(), [this, h](std::error_code ec, kw::delivery d) { told(h, ec, d); }));
            thrown = false;
        });
        // What throws has not begun: its handler never runs, and the record is nowhere.
        if (thrown) told(h, kw::make_error_code(kw::errc::send_withdrawn), {});
    }
}

void stage::send_batch(int count) {
    if (!producer_) return;
    struct span {
        std::vector<std::shared_ptr<held>> all;
        std::vector<kw::record> records;
    };
    std::shared_ptr<span> s;
    {
        const scope world{false};
        s = std::make_shared<span>();
        for (int i = 0; i < count; ++i) {
            s->all.push_back(note_send(i % schedules::partitions, 30));
            s->records.push_back({.topic = schedules::topic, .key = "key", .value = s->all.back()->value, .partition = i % schedules::partitions});
        }
    }
    const auto tell = [this, s](std::error_code ec) {
        for (const auto& h : s->all) told(h, ec, {});
    };
    bool thrown = true;
    tested([&] {
        producer_->async_send_batch(s->records, [tell, s](std::error_code ec, kw::batch_result r) {
            // Of a span only the worst is known of each record.
            tell(ec && (r.acknowledged > 0 || ec != kw::condition::not_persisted) ? kw::make_error_code(kw::errc::delivery_unknown) : ec);
        });
        thrown = false;
    });
    if (thrown) tell(kw::make_error_code(kw::errc::delivery_unknown));  // some may have gone
}

void stage::enqueue(int count) {
    if (!producer_) return;
    for (int i = 0; i < count; ++i) {
        const auto h = note_send(i % schedules::partitions, 30);
        // Accepted is all that is told here.
        bool thrown = true;
        tested([&] {
            producer_->async_enqueue({.topic = schedules::topic, .key = "key", .value = h->value, .partition = i % schedules::partitions}, [this, h](std::error_code ec) {
                told(h, ec ? ec : kw::make_error_code(kw::errc::delivery_unknown), {});
            });
            thrown = false;
        });
        if (thrown) told(h, kw::make_error_code(kw::errc::send_withdrawn), {});
    }
}

void stage::flush() {
    if (!producer_) return;
    const auto done = expect("flush");
    bool thrown = true;
    tested([&] {
        producer_->async_flush(8s, [done](std::error_code ec, std::size_t) { done(ec); });
        thrown = false;
    });
    if (thrown) done({});
}

void stage::close_producer() {
    if (!producer_) return;
    const auto done = expect("close");
    bool thrown = true;
    tested([&] {
        producer_->async_close(8s, [done](std::error_code ec, std::size_t) { done(ec); });
        thrown = false;
    });
    if (thrown) done({});
}

void stage::drop_producer() {
    const scope under_test{true};
    producer_.reset();
}

void stage::begin() {
    if (!producer_) return;
    const auto done = expect("begin");
    bool thrown = true;
    tested([&] {
        producer_->async_begin_transaction([this, done](std::error_code ec, kw::transaction t) {
            done(ec);
            if (ec) return;
            const scope world{false};
            now_in_ = ++transactions_;
            work_->history.begin(1, now_in_, world_->now());
            transaction_ = std::move(t);
        });
        thrown = false;
    });
    if (thrown) done({});
}

void stage::commit(bool yes) {
    if (now_in_ == 0) return;
    const auto done = expect(yes ? "commit" : "abort");
    const auto number = std::exchange(now_in_, 0);
    const auto end = [&] {
        const scope world{false};
        return work_->history.end(1, number, yes, world_->now());
    }();
    const auto ended = [this, end, done, yes](std::error_code ec) {
        done(ec);
        const scope world{false};
        // An abort is what becomes of it in every case.
        work_->history.finish(end, !yes || !ec ? outcome::ok : ec == kw::condition::maybe_persisted ? outcome::unknown : outcome::failed, world_->now());
    };
    bool thrown = true;
    tested([&] {
        if (yes) transaction_.async_commit(ended);
        else transaction_.async_abort(ended);
        thrown = false;
    });
    if (!thrown) return;
    ended(kw::make_error_code(kw::errc::delivery_unknown));
    now_in_ = number;  // it was not asked for: the transaction is open as before
}

void stage::offsets() {
    if (now_in_ == 0) return;
    const auto done = expect("offsets");
    bool thrown = true;
    tested([&] {
        const kw::topic_offset read[] = {{.topic = schedules::topic, .partition = 0, .offset = 5}};
        const kw::group_metadata group{"group-1"};
        transaction_.async_send_offsets(read, group, done);
        thrown = false;
    });
    if (thrown) done({});
}

void stage::drop_transaction() {
    if (now_in_ == 0) return;
    {
        const scope world{false};
        work_->history.finish(work_->history.end(1, std::exchange(now_in_, 0), false, world_->now()), outcome::ok, world_->now());
    }
    const scope under_test{true};
    transaction_ = {};
}

void stage::ready() {
    if (!client_) return;
    const auto done = expect("ready");
    bool thrown = true;
    tested([&] {
        client_->async_ready(5s, done);
        thrown = false;
    });
    if (thrown) done({});
}

void stage::metadata() {
    if (!client_) return;
    const auto done = expect("metadata");
    bool thrown = true;
    tested([&] {
        client_->async_metadata([done](std::error_code ec, const auto&) { done(ec); });
        thrown = false;
    });
    if (thrown) done({});
}

void stage::cancel_all() {
    for (const auto& h : held_)
        if (!h->told) tested([&] { h->cancel.emit(asio::cancellation_type::terminal); });
}

std::string stage::use_again() {
    int good = 0;
    kw::client c{world_->app.executor(), client_settings(), make_environment(world_->app.environment())};
    kw::producer p{c};
    for (std::int32_t to = 0; to < schedules::partitions; ++to) {
        const auto h = note_send(to, 20);
        p.async_send({.topic = schedules::topic, .key = "key", .value = h->value, .partition = to}, [this, h, &good](std::error_code ec, kw::delivery d) {
            told(h, ec, d);
            good += !ec;
        });
    }
    run(5s);
    return good == schedules::partitions ? "" : " a new client is of no use;";
}

std::string stage::judge() {
    run(12s);
    const auto left = [&] {
        std::string all;
        for (const auto& h : held_)
            if (!h->told) all += ' ' + work_->history.describe(h->id);
        for (const auto& [n, what] : pending_) all += ' ' + what;
        return all;
    };
    if (const auto all = left(); !all.empty() && !by_hand_) trouble_ += " not told in time:" + all + ';';
    {
        const scope under_test{true};
        transaction_ = {};
        producer_.reset();
        if (client_) tested([&] { client_->async_close([](std::error_code) {}); });
    }
    run(1s);
    {
        const scope under_test{true};
        client_.reset();
    }
    run(1s);
    if (const auto all = left(); !all.empty()) trouble_ += " never told:" + all + ';';
    fail_at(0);
    if (now_in_ != 0) work_->history.finish(work_->history.end(1, now_in_, false, world_->now()), outcome::ok, world_->now());
    now_in_ = 0;
    world_->cluster->control().clear_faults();
    trouble_ += use_again();
    run(70s);  // a transaction that was left open is aborted meanwhile
    work_->audit();
    trouble_ += work_->trouble;
    auto found = kw::testing::check(work_->history);
    // Without sequences what is sent again may be there twice, and the second time is what is told.
    if (!sequences_)
        for (const auto* name : {"duplicate", "nonmonotonic-send", "inconsistent-offsets"}) found.found.erase(name);
    if (!answers_) found.found.erase("lost-write");
    if (!found.ok()) trouble_ += '\n' + found.text();
    return trouble_;
}

}  // namespace scarce
