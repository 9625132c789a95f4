// One connection through the proxy: two sockets and what is on its way between them. Belongs to the proxy's thread.
#pragma once

#include <netinet/in.h>
#include <poll.h>

#include <array>
#include <deque>
#include <optional>
#include <vector>

#include "process.hpp"
#include "testcontainers/proxy.hpp"

namespace kafkawire::testing::detail {

using proxy_clock = std::chrono::steady_clock;

// What the proxy does to one direction.
struct flow_rules {
    std::chrono::milliseconds delay{0};
    double rate = 0;  // bytes per second; 0: no limit
    bool hold = false, drop = false;
    struct cut {
        std::uint64_t bytes;
        ending how;
    };
    std::optional<cut> cut_after;
};
struct proxy_rules {
    std::array<flow_rules, 2> flows;  // by flow
    bool refuse = false, ignore_new = false;
    sockaddr_in target{};
};

class proxy_link {
public:
    proxy_link(unique_fd client, const proxy_rules& rules, proxy_counts& counts);
    ~proxy_link();

    // Adds what this connection waits for; keeps the place where its two entries stand. An entry for a socket that it does not wait for
    // has the descriptor -1, or else poll() would report a hang-up over and over.
    void add_to(std::vector<pollfd>& fds, proxy_clock::time_point now);
    // The next time at which something is due without any socket's doing.
    proxy_clock::time_point next_due(proxy_clock::time_point now) const;
    // Carries out what has become possible.
    void step(const std::vector<pollfd>& fds, proxy_clock::time_point now);
    bool finished() const { return state_ == state::closed; }

    // Rules that count from the moment when they are made.
    void cut_after(flow f, flow_rules::cut c);
    void cut(ending how);
    void half_open(side stays);
    void dial();            // ends ignore_new for this connection
    void reset_if_lossy();  // the end of a drop
    void reset_if_half_open();
    void lift_cuts();

private:
    enum class state {
        ignored,     // accepted, the target not dialled
        connecting,  // to the target
        open,
        half_open,  // one socket is gone, the other swallows
        flushing,   // to be reset once the kernel has delivered what was written before
        ending,     // FIN sent on both; reading until the peers have closed too, since closing with unread bytes would reset
        closed
    };
    struct chunk {
        std::vector<char> bytes;  // empty: the end of the stream
        std::size_t at = 0;
        proxy_clock::time_point due;
    };
    struct pipe {
        std::deque<chunk> queue;
        std::size_t queued = 0;
        bool read_end = false, sent_end = false, lost = false;
        double allowance = 0;
        proxy_clock::time_point refilled{};
        std::optional<flow_rules::cut> cut;  // bytes: what may still pass
    };

    const flow_rules& rules(flow f) const { return all_rules_.flows[static_cast<std::size_t>(f)]; }
    pipe& at(flow f) { return pipes_[static_cast<std::size_t>(f)]; }
    const pipe& at(flow f) const { return pipes_[static_cast<std::size_t>(f)]; }
    unique_fd& socket(side s) { return s == side::client ? client_ : server_; }
    const unique_fd& socket(side s) const { return s == side::client ? client_ : server_; }
    proxy_counts::bytes& counted(flow f) { return f == flow::to_server ? counts_.to_server : counts_.to_client; }
    static side source(flow f) { return f == flow::to_server ? side::client : side::server; }
    static side sink(flow f) { return f == flow::to_server ? side::server : side::client; }

    bool wants_read(flow f) const;
    bool may_write(flow f, proxy_clock::time_point now) const;
    std::optional<proxy_clock::time_point> due(flow f, proxy_clock::time_point now) const;
    void refill(flow f, proxy_clock::time_point now);
    void read(flow f, proxy_clock::time_point now);
    void write(flow f, proxy_clock::time_point now);
    void finish_connecting(short events);
    void swallow(side s);
    void reset();  // both sockets, now

    const proxy_rules& all_rules_;
    proxy_counts& counts_;
    unique_fd client_, server_;
    std::array<pipe, 2> pipes_;
    state state_ = state::ignored;
    proxy_clock::time_point deadline_{};  // of flushing and ending
    std::size_t place_ = 0;
};

}  // namespace kafkawire::testing::detail
