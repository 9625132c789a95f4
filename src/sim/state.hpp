// What a world is made of. One queue of events, ordered by (time, number): the number makes the order of simultaneous ones definite.
// Invariants: nothing here is ordered by an address; every draw of chance belongs to one named source; a callback of a process never runs
// while its host is paused, and never inside a call of that process.
#pragma once
#include <kafkawire/simulation.hpp>

#include <deque>
#include <map>

namespace kafkawire::sim {

class connection;
struct listening;

// Words folded into one, in order; multiplication and rotation, as in the fast hashes, so that it keeps up with the network.
class trace_hasher {
public:
    void add(std::uint64_t word) noexcept {
        h_ = (h_ ^ word) * 0x9fb21c651e98df25;
        h_ ^= h_ >> 29;
    }
    void add(std::span<const std::byte> bytes) noexcept;
    [[nodiscard]] std::uint64_t value() const noexcept { return h_; }

private:
    std::uint64_t h_ = 0x2545f4914f6cdd1d;
};

// A binary heap of small entries over a pool of functions, so that ordering moves 24 bytes and not a function.
class event_queue {
public:
    struct item {
        unique_function<void()> run;
        host_state* process;  // whose code it is; null: the world's
    };
    void push(std::int64_t at, unique_function<void()> run, host_state* process);
    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
    [[nodiscard]] std::int64_t next_time() const noexcept { return heap_.front().at; }
    [[nodiscard]] item pop();

private:
    struct entry {
        std::int64_t at;
        std::uint64_t number;
        std::uint32_t slot;
        [[nodiscard]] bool before(const entry& o) const noexcept { return at != o.at ? at < o.at : number < o.number; }
    };
    std::vector<entry> heap_;
    std::deque<item> slots_;
    std::vector<std::uint32_t> free_;
    std::uint64_t next_number_ = 0;
};

struct waiting {  // of host::async_wait
    std::unique_ptr<net::timer> timer;
    unique_function<void(std::error_code)> done;
};

struct host_state {
    enum class condition : std::uint8_t { up, down, gone };
    struct own_address {
        ip_address address;
        bool alive;
    };

    host_state(world_state& w, std::size_t i, std::string n, random_source r) : world{w}, index{i}, name{std::move(n)}, random{r} {}

    world_state& world;
    std::size_t index;
    std::string name;
    std::vector<own_address> addresses;
    random_source random;  // of the process: its environment's random()
    condition now = condition::up;
    bool paused = false;
    bool refuses = false;
    std::deque<unique_function<void()>> held;  // what the process would have done while it was paused
    duration wall_shift{};
    std::vector<listening*> acceptors;      // listening ones; they take themselves out
    std::uint16_t next_port = 32'768;       // of connections
    std::uint16_t next_listening = 20'000;  // of acceptors that asked for any
    std::map<std::uint64_t, waiting> waits;
    std::uint64_t next_wait = 1;
    std::shared_ptr<net::environment> environment;
    std::unique_ptr<host> face;
};

struct directed {  // what goes one way between two hosts
    link_settings settings;
    bool has_own = false;
    bool blocked = false;
    std::uint64_t cut_in = 0;  // bytes; with cut_armed
    bool cut_armed = false;
    cut cut_how = cut::reset;
};

struct world_state {
    explicit world_state(std::uint64_t s);
    ~world_state();

    // --- time and processes ---
    void push(duration in, unique_function<void()> run) { queue.push(now + in.count(), std::move(run), nullptr); }
    /// As the process of `h` would: held back while it is paused.
    void run_on(host_state& h, unique_function<void()> run);
    void post_to(host_state& h, unique_function<void()> run);
    void run_until(std::int64_t end, unique_function<bool()>* done);
    void end();  // destroys what waits

    // --- the network ---
    directed& between(const host_state& from, const host_state& to) { return links[from.index * max_hosts + to.index]; }
    const link_settings& settings(const host_state& from, const host_state& to);
    [[nodiscard]] bool lost(const host_state& from, const host_state& to) {
        return from.now == host_state::condition::gone || to.now == host_state::condition::gone || between(from, to).blocked;
    }
    duration delay(const host_state& from, const host_state& to);
    host_state* host_of(const ip_address& a, bool& alive);
    void release(const host_state& from, const host_state& to);  // what was held goes on
    void leave(host_state& h, bool silently);                    // all connections of a host end
    std::vector<std::shared_ptr<connection>> living();           // in the order of their numbers

    // --- the trace ---
    void tell(event e, std::uint64_t a = 0, std::uint64_t b = 0);
    void happened(const host_state& h, std::string_view what);
    void changed(const host_state& from, const host_state& to, std::string_view what);

    static constexpr std::size_t max_hosts = 32;
    static constexpr std::int64_t beginning = 1'000'000'000'000;  // ns: not zero, so that nothing mistakes it for "never"

    std::uint64_t seed;
    bool ending = false;
    std::int64_t now = beginning;
    event_queue queue;
    std::uint64_t per_instant = 1'000'000;
    random_source of_test, of_network, of_names;
    asio::execution_context context;
    std::deque<host_state> hosts;
    link_settings common;
    std::vector<directed> links = std::vector<directed>(max_hosts * max_hosts);
    std::vector<std::weak_ptr<connection>> connections;
    std::uint64_t next_connection = 1;

    struct name_entry {
        std::vector<ip_address> addresses;
        std::string failure;
        bool fails = false;
    };
    std::map<std::string, name_entry, std::less<>> names;
    delay_law name_delay = delay_law::constant(std::chrono::microseconds{300});

    trace_hasher hash;
    unique_function<void(const event&)> watcher;
    tally count;
};

[[nodiscard]] inline time_point steady(std::int64_t ns) {
    return time_point{std::chrono::duration_cast<time_point::duration>(duration{ns})};
}
[[nodiscard]] inline std::int64_t nanoseconds(time_point t) { return std::chrono::duration_cast<duration>(t.time_since_epoch()).count(); }

std::shared_ptr<net::environment> make_environment(std::shared_ptr<world_state> w, host_state& h);

}  // namespace kafkawire::sim
