#include "load.hpp"

#include <kafkawire/producer.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <array>
#include <ctime>
#include <future>
#include <random>
#include <thread>

#include "numbered_record.hpp"

namespace faults {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

milliseconds thread_cpu() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::duration_cast<milliseconds>(std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec});
}

verdict verdict_of(const std::error_code& code) {
    return code == kw::condition::not_persisted ? verdict::not_persisted : verdict::maybe_persisted;
}

kw::client_options client_of(const load_options& o) {
    kw::client_options c;
    c.bootstrap = o.bootstrap;
    c.client_id = "faults-" + o.topic;
    return c;
}

kw::producer_options producer_of(const load_options& o) {
    kw::producer_options p;
    p.delivery_timeout = o.delivery_timeout;
    p.create_topics = false;
    p.transactional_id = o.transactional_id;
    for (const auto& c : kw::compression_choices)
        if (c.name == o.compression) p.compression = static_cast<kw::protocol::compression>(c.value);
    return p;
}

}  // namespace

struct load::impl {
    // How one partition fares since the last mark.
    struct lane {
        std::uint64_t waiting = 0;  // records sent and not told
        clock::time_point since;    // of the wait, if any wait
        milliseconds longest{0};
        std::optional<milliseconds> first;
    };

    impl(const load_options& o, ledger& b)
        : options{o}, book{b}, client{io, client_of(o)}, producer{make()}, lanes(static_cast<std::size_t>(o.partitions)) {}

    std::unique_ptr<kw::producer> make() {
        auto p = std::make_unique<kw::producer>(client, producer_of(options));
        p->on_delivery([this](const kw::delivery_report& r) { told(r); });
        return p;
    }
    [[nodiscard]] kw::producer_statistics all_statistics() const {
        auto s = producer->statistics();
        s.batches += of_before.batches, s.requests += of_before.requests, s.retries += of_before.retries;
        return s;
    }

    [[nodiscard]] std::uint32_t now_ms() const {
        return static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(clock::now() - began).count());
    }

    void tell(std::int32_t partition, std::uint64_t index, verdict v, std::int64_t offset, std::uint32_t ms) {
        book.tell(partition, index, v, offset, ms);
        auto& l = lanes[static_cast<std::size_t>(partition)];
        if (l.waiting > 0) --l.waiting;
    }
    void told(const kw::delivery_report& r) {
        const auto now = clock::now();
        const auto ms = now_ms();
        auto& l = lanes[static_cast<std::size_t>(r.partition)];
        const auto wait = std::chrono::duration_cast<milliseconds>(now - std::max(l.since, began_window));
        l.longest = std::max(l.longest, wait);
        l.since = now;
        if (!r.why && !l.first) l.first = std::chrono::duration_cast<milliseconds>(now - marked);
        if (r.why) last_error = r.why->message();
        const auto v = r.why ? verdict_of(r.why->code) : verdict::acknowledged;
        for (std::size_t i = 0; i < r.tags.size(); ++i)
            tell(r.partition, r.tags[i] - 1, v, r.base_offset < 0 ? -1 : r.base_offset + static_cast<std::int64_t>(i), ms);
    }

    // One record: into the producer at once, or after a wait for room, for as long as its deadline lets it.
    asio::awaitable<void> send_one() {
        const auto partition = next_partition;
        next_partition = (next_partition + 1) % options.partitions;
        const auto index = book.send(partition, now_ms());
        auto& l = lanes[static_cast<std::size_t>(partition)];
        if (l.waiting++ == 0) l.since = clock::now();
        write_value(options.run, {partition, index}, value);
        const kw::record r{.topic = options.topic, .value = value, .partition = partition, .tag = index + 1};
        auto code = producer->try_send(r);
        if (!code) co_return;
        if (code == kw::errc::would_wait) {
            auto [why] = co_await producer->async_enqueue(r, kw::as_tuple(asio::use_awaitable));
            if (!why) co_return;
            code = why;
        }
        last_error = "not accepted: " + code.message();
        tell(partition, index, verdict_of(code), -1, now_ms());
    }

    // What is due in 20 ms, and a pause until the next are due.
    asio::awaitable<void> send_some() {
        constexpr auto tick = 20ms;
        const auto count = static_cast<int>(options.rate * std::chrono::duration<double>(tick).count());
        for (int i = 0; i < count && !stopping; ++i) co_await send_one();
        next = std::max(next + tick, clock::now() - 1s);  // after a long wait for room the lost time is not made up for
        asio::steady_timer timer{io, next};
        co_await timer.async_wait(asio::use_awaitable);
    }
    asio::awaitable<void> send_all() {
        next = clock::now();
        while (!stopping) {
            if (options.transactional_id.empty())
                co_await send_some();
            else
                co_await send_transaction();
        }
    }

    [[nodiscard]] std::vector<std::uint64_t> numbers() const {
        std::vector<std::uint64_t> out;
        for (std::int32_t p = 0; p < options.partitions; ++p) out.push_back(book.next(p));
        return out;
    }
    asio::awaitable<void> send_transaction() {
        auto [why, tx] = co_await producer->async_begin_transaction(5s, kw::as_tuple(asio::use_awaitable));
        if (why) {
            if (why == kw::condition::fatal) {  // fenced, perhaps by a request of its own that came late
                ++fatal;
                co_await replace(make());
            }
            last_error = "not begun: " + why.message();
            asio::steady_timer timer{io, 50ms};
            co_await timer.async_wait(asio::use_awaitable);
            co_return;
        }
        transaction_range range;
        range.first = numbers();
        for (auto n = 1 + random() % 20; n > 0 && !stopping && !tx.trouble(); --n) co_await send_some();
        range.last = numbers();
        const auto number = ++transactions;
        if (number % 40 == 0) {
            range.end = co_await fenced_by_heir(tx);
            book.end_transaction(std::move(range));
            co_return;
        }
        const std::array<kw::topic_offset, 1> offsets{{{.topic = options.topic, .partition = 0, .offset = number}}};
        auto [not_taken] = co_await tx.async_send_offsets(offsets, in_group, kw::as_tuple(asio::use_awaitable));
        if (not_taken) last_error = "offsets: " + not_taken.message();
        const bool commit = random() % 8 != 0;
        if (commit)
            range.end = co_await committed(tx);
        else {
            auto [failed] = co_await tx.async_abort(kw::as_tuple(asio::use_awaitable));
            // Without the coordinator's word it is aborted all the same: a commit was never asked for.
            range.end = fate::aborted;
            if (failed) last_error = "abort: " + failed.message();
        }
        if (!not_taken && range.end == fate::committed) offsets_of_group = {number};
        if (!not_taken && range.end == fate::unknown) offsets_of_group.insert(number);
        book.end_transaction(std::move(range));
    }
    // Another producer takes the transactional id while the transaction is open. From when it has begun one of its own, ours must not be committed.
    asio::awaitable<fate> fenced_by_heir(kw::transaction& tx) {
        auto heir = make();
        fate end = fate::aborted;
        {
            auto [why, next] = co_await heir->async_begin_transaction(20s, kw::as_tuple(asio::use_awaitable));
            if (why) {
                last_error = "the heir cannot begin: " + why.message();
                end = co_await committed(tx);
            } else {
                ++zombies;
                auto [refused] = co_await tx.async_commit(kw::as_tuple(asio::use_awaitable));
                if (!refused) throw std::runtime_error("a producer that was replaced has committed");
                last_error = "of the replaced: " + refused.message();
            }
        }
        co_await replace(std::move(heir));
        co_return end;
    }
    asio::awaitable<void> replace(std::unique_ptr<kw::producer> by) {
        std::swap(producer, by);
        (void)co_await by->async_close(0ms, kw::as_tuple(asio::use_awaitable));
        const auto s = by->statistics();
        of_before.batches += s.batches, of_before.requests += s.requests, of_before.retries += s.retries;
        asio::steady_timer timer{io, 20ms};  // what it tells at its end is told in turns of their own
        co_await timer.async_wait(asio::use_awaitable);
    }
    asio::awaitable<fate> committed(kw::transaction& tx) {
        for (int i = 0; i < 60; ++i) {
            auto [why] = co_await tx.async_commit(kw::as_tuple(asio::use_awaitable));
            if (!why) co_return fate::committed;
            last_error = "commit: " + why.message();
            if (why != kw::condition::maybe_persisted) co_return fate::aborted;
            ++doubtful;
        }
        co_return fate::unknown;
    }

    // Late timers are the machine's doing, and explain late answers.
    asio::awaitable<void> watch() {
        asio::steady_timer timer{io};
        while (!ended) {
            const auto due = clock::now() + 10ms;
            timer.expires_at(due);
            co_await timer.async_wait(asio::use_awaitable);
            longest_nap = std::max(longest_nap, std::chrono::duration_cast<milliseconds>(clock::now() - due));
            worst_nap = std::max(worst_nap, longest_nap);
        }
    }

    asio::awaitable<void> run() {
        co_await send_all();
        auto [code, left] = co_await producer->async_close(options.delivery_timeout + 5s, kw::as_tuple(asio::use_awaitable));
        left_over = left;
        // What the close itself ended is told in turns of its own.
        asio::steady_timer timer{io, 200ms};
        co_await timer.async_wait(asio::use_awaitable);
        ended = true;
        co_await client.async_close(asio::use_awaitable);
    }

    template <class F>
    auto in_thread(F f) {
        std::packaged_task<decltype(f())()> task{std::move(f)};
        auto result = task.get_future();
        asio::post(io, [&task] { task(); });
        return result.get();
    }

    void mark_end() {
        marked = clock::now();
        for (auto& l : lanes) l.first.reset();
    }
    void mark() {
        mark_end();
        began_window = marked;
        before = book.totals();
        cpu = thread_cpu();
        longest_nap = 0ms;
        last_error.clear();
        for (auto& l : lanes) l.longest = 0ms;
    }
    window look() {
        window w;
        const auto now = clock::now();
        w.length = std::chrono::duration_cast<milliseconds>(now - began_window);
        for (const auto& l : lanes) {
            w.first.push_back(l.first);
            const auto open = l.waiting ? std::chrono::duration_cast<milliseconds>(now - std::max(l.since, began_window)) : 0ms;
            w.longest_wait.push_back(std::max(l.longest, open));
        }
        w.before = before;
        w.after = book.totals();
        w.cpu = thread_cpu() - cpu;
        w.longest_nap = longest_nap;
        w.last_error = last_error;
        return w;
    }

    load_options options;
    ledger& book;
    asio::io_context io{1};
    kw::client client;
    std::unique_ptr<kw::producer> producer;
    kw::producer_statistics of_before{};  // of those that were replaced
    std::vector<lane> lanes;
    clock::time_point began = clock::now(), marked = began, began_window = began;
    std::string value;
    std::int32_t next_partition = 0;
    clock::time_point next;  // when the next records are due
    std::mt19937_64 random{options.run};
    const kw::group_metadata in_group{"group-of-" + options.topic};
    std::int64_t transactions = 0;
    std::set<std::int64_t> offsets_of_group{-1};
    std::uint64_t doubtful = 0;            // commits that were not answered in time
    std::uint64_t zombies = 0, fatal = 0;  // producers that were replaced on purpose, and those that could not go on
    bool stopping = false, ended = false;
    std::size_t left_over = 0;
    milliseconds cpu{0}, longest_nap{0}, worst_nap{0};
    tally before;
    std::string last_error;
    std::thread thread;
};

load::load(const load_options& options, ledger& book) : impl_{std::make_unique<impl>(options, book)} {}

load::~load() {
    if (!impl_->thread.joinable()) return;
    impl_->in_thread([this] { impl_->io.stop(); });
    impl_->thread.join();
}

void load::start() {
    const auto rethrow = [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    };
    asio::co_spawn(impl_->io, impl_->run(), rethrow);
    asio::co_spawn(impl_->io, impl_->watch(), rethrow);
    impl_->thread = std::thread([this] { impl_->io.run(); });
}

void load::mark() {
    impl_->in_thread([this] { impl_->mark(); });
}
void load::mark_end() {
    impl_->in_thread([this] { impl_->mark_end(); });
}
window load::look() {
    return impl_->in_thread([this] { return impl_->look(); });
}

std::size_t load::finish() {
    asio::post(impl_->io, [this] { impl_->stopping = true; });
    impl_->thread.join();
    return impl_->left_over;
}

const load_options& load::options() const noexcept { return impl_->options; }

std::chrono::milliseconds load::worst_nap() const noexcept { return impl_->worst_nap; }
std::string load::group() const { return impl_->in_group.group; }
const std::set<std::int64_t>& load::group_offsets() const noexcept { return impl_->offsets_of_group; }

std::string load::statistics() const {
    const auto s = impl_->all_statistics();
    std::string out = "\"batches\":" + std::to_string(s.batches) + ",\"requests\":" + std::to_string(s.requests) +
                      ",\"retries\":" + std::to_string(s.retries);
    if (options().transactional_id.empty()) return out;
    const auto& b = impl_->book;
    return out + ",\"committed\":" + std::to_string(b.transactions(fate::committed)) +
           ",\"aborted\":" + std::to_string(b.transactions(fate::aborted)) +
           ",\"of_unknown_end\":" + std::to_string(b.transactions(fate::unknown)) +
           ",\"doubtful_commits\":" + std::to_string(impl_->doubtful) + ",\"replaced_by_an_heir\":" + std::to_string(impl_->zombies) +
           ",\"could_not_go_on\":" + std::to_string(impl_->fatal);
}

}  // namespace faults
