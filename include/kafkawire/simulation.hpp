// A world in virtual time: clock, network, names and chance, all from one seed, in one thread. Clients and brokers that live on its hosts
// run as they do outside, only that an hour takes milliseconds and that the same seed gives the same hour again.
//
//   kw::sim::world world{42};                                                  // the seed
//   auto& app = world.add_host("app");
//   auto& broker = world.add_host("broker-1");                                 // give broker.environment() to whatever is to run there
//   kw::client client{app.executor(), {.bootstrap = "broker-1:9092"}, app.environment()};
//   client.async_metadata([](std::error_code ec, auto cluster) { ... });       // any completion token; co_spawn on app.executor() as well
//   world.after(5s, [&] { world.partition(app, broker); });
//   world.run_for(60s);
//   std::cout << world.trace_hash();                                           // the same for the same seed, under every compiler
//
// Rules for all of it:
// - Nothing in a simulated program may ask for the real time, another random source, another thread or a real socket: host::environment()
//   and host::executor() stand in for them. Asio's own timers and sockets do not work on that executor; host::async_wait() does.
// - The world outlives everything that runs in it, as an io_context does.
// - Not thread-safe; worlds are independent of each other, so several may run in several threads, each in one.
// - Connections behave as TCP's do: bytes arrive in order, in pieces; buffers are bounded, so a writer waits for a reader; what is lost is
//   sent again while neither end gives up; an end that has vanished is noticed only by those who write to it.
#pragma once
#include <kafkawire/detail/asio.hpp>
#include <kafkawire/environment.hpp>

#include <asio/execution.hpp>
#include <asio/execution_context.hpp>
#include <stdexcept>

namespace kafkawire::sim {

using duration = std::chrono::nanoseconds;
using net::endpoint;
using net::ip_address;
using net::time_point;
using net::wall_time;

struct world_state;  // private
struct host_state;   // private

/// Random numbers that are the same everywhere: xoshiro256**, and no distribution of the standard library, which are each compiler's own.
class KAFKAWIRE_API random_source {
public:
    explicit random_source(std::uint64_t seed) noexcept;
    std::uint64_t next() noexcept;
    /// In [0, bound); 0 if the bound is 0.
    std::uint64_t below(std::uint64_t bound) noexcept;
    /// In [least, most].
    std::int64_t between(std::int64_t least, std::int64_t most) noexcept;
    duration between(duration least, duration most) noexcept { return duration{between(least.count(), most.count())}; }
    /// True in `parts` of a million cases.
    bool chance(std::uint32_t parts) noexcept { return below(1'000'000) < parts; }
    /// Another source, so that who draws from one does not disturb the other.
    random_source fork() noexcept { return random_source{next()}; }

private:
    std::uint64_t s_[4];
};

/// How long a packet takes. A value; computed in integers, so that it is the same everywhere.
class KAFKAWIRE_API delay_law {
public:
    static delay_law constant(duration d) { return {form::constant, d, d, 0}; }
    static delay_law uniform(duration least, duration most) { return {form::uniform, least, most, 0}; }
    /// `least` and on top of it an exponential time of that mean.
    static delay_law exponential(duration least, duration mean) { return {form::exponential, least, mean, 0}; }
    /// Pareto's law: mostly near `least`, now and then far above it. `alpha` in hundredths (150: a heavy tail); never above `most`.
    static delay_law pareto(duration least, std::uint32_t alpha, duration most) { return {form::pareto, least, most, alpha}; }
    [[nodiscard]] duration draw(random_source& from) const noexcept;

private:
    enum class form : std::uint8_t { constant, uniform, exponential, pareto };
    delay_law(form f, duration a, duration b, std::uint32_t alpha) : form_{f}, a_{a}, b_{b}, alpha_{alpha} {}
    form form_;
    duration a_, b_;
    std::uint32_t alpha_;
};

/// Asio's executor of a host: what is posted to it runs at the same virtual time, in order, unless the host is paused.
class KAFKAWIRE_API executor {
public:
    explicit executor(host_state& h) noexcept : host_{&h} {}
    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept;
    [[nodiscard]] static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.never;
    }
    [[nodiscard]] executor require(asio::execution::blocking_t::never_t) const noexcept { return *this; }
    template <class F>
    void execute(F&& f) const {
        post(unique_function<void()>{std::forward<F>(f)});
    }
    friend bool operator==(const executor& a, const executor& b) noexcept { return a.host_ == b.host_; }
    friend bool operator!=(const executor& a, const executor& b) noexcept { return a.host_ != b.host_; }

private:
    void post(unique_function<void()> what) const;
    host_state* host_;
};

/// A machine in the world, with a process on it. Made by world::add_host; lives as long as the world.
class KAFKAWIRE_API host {
public:
    explicit host(host_state& s) noexcept : state_{&s} {}
    host(const host&) = delete;

    [[nodiscard]] const std::string& name() const noexcept;
    /// 10.0.0.1 for the first host, and so on.
    [[nodiscard]] ip_address address() const noexcept;
    /// For the client or the broker on this host. The same object each time.
    [[nodiscard]] const std::shared_ptr<net::environment>& environment() const noexcept;
    [[nodiscard]] asio::any_io_executor executor() const;

    /// The process dies, its machine does not: peers see their connections reset, new ones are refused. The objects that live on this host
    /// see their sockets fail, and their listening sockets work again after up().
    void down();
    /// The machine is gone without a word: nothing reaches it and nothing comes from it. After up() its old connections are unknown to it.
    void vanish();
    void up();
    /// The process is frozen: its kernel goes on taking connections and bytes until the buffers are full, but none of its code runs.
    void pause();
    void resume();
    [[nodiscard]] bool is_up() const noexcept;
    [[nodiscard]] bool is_paused() const noexcept;
    /// Sets the wall clock of this host forward (or back). The steady clock does not move.
    void shift_wall_clock(duration by);
    /// Another address of this host. What is sent to one that `alive` is false for gets lost.
    void add_address(const ip_address& a, bool alive = true);

    /// Waits in virtual time. Completion: void(std::error_code); errc::canceled by its cancellation slot.
    template <class Token>
    auto async_wait(duration d, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(
            [this](auto handler, duration how_long) {
                auto slot = asio::get_associated_cancellation_slot(handler);
                auto ex = asio::get_associated_executor(handler, executor());
                auto told = [h = std::move(handler), ex](std::error_code ec) mutable {
                    asio::post(ex, [g = std::move(h), ec]() mutable { std::move(g)(ec); });
                };
                const auto number = begin_wait(how_long, std::move(told));
                if (slot.is_connected()) slot.assign([self = state_, number](asio::cancellation_type) { cancel_wait(*self, number); });
            },
            token, d);
    }

private:
    friend class world;
    std::uint64_t begin_wait(duration d, unique_function<void(std::error_code)> done);
    static void cancel_wait(host_state& h, std::uint64_t number);
    host_state* state_;
};

/// What travels one way between two hosts.
struct link_settings {
    delay_law delay = delay_law::uniform(std::chrono::microseconds{100}, std::chrono::microseconds{500});
    std::uint64_t bytes_per_second = 0;  ///< 0: as fast as the delay; 1: a trickle
    std::size_t window = 64 * 1024;      ///< bytes under way and unread before a writer of a new connection waits
};

/// How a connection is cut: by a reset at both ends, by an orderly end, or so that neither end is told.
enum class cut { reset, end, silence };

/// Something that happened, for observers. `from` is empty for what a host did to itself.
struct event {
    enum class kind : std::uint8_t { connect, refused, accept, bytes, end, reset, host, network, name, note };
    kind what = kind::note;
    time_point at;
    std::string_view from, to;        ///< hosts
    std::uint64_t connection = 0;     ///< counted from 1; 0: it is about none
    bool from_client = false;         ///< of bytes: sent by the end that connected
    std::span<const std::byte> data;  ///< of bytes: as they are sent
    std::string_view text;            ///< of host, network, name, note: what
};

/// What came to pass so far.
struct tally {
    std::uint64_t events = 0;  ///< everything that ran
    std::uint64_t connections = 0, refused = 0, cut = 0;
    std::uint64_t bytes = 0;
    std::uint64_t held = 0;  ///< pieces that met a partition
    std::uint64_t failed_names = 0;
};

/// Thrown by run_*: a program that never lets time go on, a hot loop. The text has the time and the seed.
class stalled : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// See the top of this file.
class KAFKAWIRE_API world {
public:
    explicit world(std::uint64_t seed);
    /// Destroys what waits in it: handlers do not run any more.
    ~world();
    world(const world&) = delete;

    [[nodiscard]] std::uint64_t seed() const noexcept;
    [[nodiscard]] time_point now() const noexcept;
    /// Since the beginning.
    [[nodiscard]] duration elapsed() const noexcept;
    /// For the test's own decisions, so that they come from the seed too.
    [[nodiscard]] random_source& random() noexcept;

    /// A host of that name, which the names of the world know at once. std::invalid_argument if there is one.
    host& add_host(std::string name);
    /// std::out_of_range if there is none.
    [[nodiscard]] host& at(std::string_view name);

    // --- time ---
    /// Runs everything that is due within that time; then it is that much later.
    void run_for(duration d);
    /// The same until `done` says true, asked after every event. Returns what it said last.
    bool run_until(unique_function<bool()> done, duration at_most);
    /// Calls `what` once, then; it belongs to no host. Faults are scheduled with it.
    void after(duration d, unique_function<void()> what);
    /// Events at one instant before run_* throws `stalled`. 1,000,000 unless told otherwise.
    void limit_events_per_instant(std::uint64_t n) noexcept;

    // --- network ---
    /// Of all pairs of hosts that have none of their own.
    void set_link(const link_settings& l);
    /// One way. Delays hold from now on, the window for new connections.
    void set_link(const host& from, const host& to, const link_settings& l);
    /// Nothing from `from` reaches `to` until it is let through again. Connections stay; what was sent is held, and sent again later.
    void block(const host& from, const host& to);
    void unblock(const host& from, const host& to);
    void partition(const host& a, const host& b);
    void heal(const host& a, const host& b);
    /// Lets everything through everywhere. Hosts that are down or paused stay so.
    void heal_all();
    /// Cuts the connection on which the n-th byte from `from` to `to` travels, counted from now, right behind it (0: at once before it).
    /// One order for each pair at a time; a new one replaces it.
    void cut_after(const host& from, const host& to, std::uint64_t n, cut how = cut::reset);
    /// Cuts all connections between the two now. How many.
    std::size_t cut_now(const host& a, const host& b, cut how = cut::reset);
    /// New connections to `to` are refused, as if nobody listened.
    void refuse(const host& to, bool yes = true);

    // --- names ---
    /// What the name stands for from then on.
    void set_name(std::string name, std::vector<ip_address> addresses, duration from_then = {});
    /// Lookups of the name fail with this text until set_name.
    void fail_name(std::string name, std::string text = "no such host");
    void set_name_delay(const delay_law& d);

    // --- the trace ---
    /// Of all that happened: times, hosts, connections, every byte sent, notes. No address of memory, no order of a hash table.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept;
    /// Adds something of the test's own to the trace.
    void note(std::string_view text, std::span<const std::int64_t> values = {});
    /// Told of everything from now on; slows the world down. An empty function ends it.
    void observe(unique_function<void(const event&)> watcher);
    [[nodiscard]] const tally& count() const noexcept;

private:
    std::shared_ptr<world_state> state_;
};

/// An observer that writes a line for each event, and for each whole Kafka message what it says:
/// "+1.002000s app > broker-1 #1: Metadata v13 (3) {...}", with the answer's line later.
[[nodiscard]] KAFKAWIRE_API unique_function<void(const event&)> trace_lines(unique_function<void(std::string_view line)> out);

}  // namespace kafkawire::sim
