// connection: two ends and a bounded pipe each way, as TCP offers them. The ends are told apart as client (connected) and server
// (accepted). Bytes are copied once, into the pipe, when the window lets them in; they travel as counts, because their order in the pipe
// never changes.
#pragma once
#include "sim/state.hpp"

namespace kafkawire::sim {

enum side : std::uint8_t { client_side, server_side };
constexpr side other(side s) { return s == client_side ? server_side : client_side; }

class connection : public std::enable_shared_from_this<connection> {
public:
    connection(world_state& w, std::uint64_t number, host_state& client, host_state& server, endpoint client_at);

    void read(side s, std::span<std::byte> into, net::stream::read_handler done);
    void write(side s, std::span<const std::span<const std::byte>> parts, net::stream::write_handler done);
    /// Ends it from this side. With `tell`, operations under way complete with operation_canceled; without, they are destroyed.
    void close(side s, bool tell);
    /// What is written from this side and has not got out of its machine never does; the close() that follows is a reset.
    void forget_unsent(side s);
    /// By the network, not by a process.
    void cut_both(cut how);
    /// This end's machine has lost it: its process sees an error, the other end sees a reset unless `silently`.
    void lose(side s, bool silently);
    /// The way from `from` to `to` is open again.
    void retransmit(const host_state& from, const host_state& to);
    [[nodiscard]] bool is_between(const host_state& a, const host_state& b) const {
        return (ends_[0].host == &a && ends_[1].host == &b) || (ends_[0].host == &b && ends_[1].host == &a);
    }
    [[nodiscard]] bool touches(const host_state& h) const { return ends_[0].host == &h || ends_[1].host == &h; }
    [[nodiscard]] side side_of(const host_state& h) const { return ends_[0].host == &h ? client_side : server_side; }
    [[nodiscard]] const endpoint& client_endpoint() const noexcept { return client_at_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    /// Neither end has closed it.
    [[nodiscard]] bool lives() const noexcept { return !ends_[0].closed && !ends_[1].closed && !ends_[0].broken && !ends_[1].broken; }

private:
    struct end {
        host_state* host = nullptr;
        bool closed = false;     // locally
        bool resets = false;     // when that comes
        std::error_code broken;  // a reset has come in
        // What comes in.
        std::vector<std::byte> bytes;  // from head: arrived ones first, then those under way
        std::size_t head = 0, arrived = 0, under_way = 0;
        std::size_t stuck = 0;  // of under_way: met a partition
        bool end_sent = false, end_arrived = false, end_stuck = false;
        bool room_stuck = false;  // the news that there is room met one
        std::int64_t last_arrival = 0, wire_free_at = 0;
        std::span<std::byte> into;
        net::stream::read_handler on_read;
        // What goes out and has not found room yet.
        std::span<const std::span<const std::byte>> parts;
        std::size_t part_offset = 0;  // into the first of them
        std::size_t window = 0;
        net::stream::write_handler on_write;
        bool writing = false;
    };
    [[nodiscard]] host_state& host_(side s) const { return *ends_[s].host; }

    void pump(side from);
    void send(side from, std::size_t n);
    void travel(side from, std::size_t n);
    void send_end(side from);
    void send_stuck(side from);
    void arrive(side at, std::size_t n);
    void end_arrives(side at);
    void receiver_looks(side s);
    void try_read(side s);
    void make_room(side at);
    void send_reset(side from);
    void break_end(side s, std::error_code why);
    void finish_write(side s, std::error_code ec);

    world_state& world_;
    std::uint64_t number_;
    end ends_[2];
    bool dead_ = false;    // cut: nothing travels on it any more
    bool silent_ = false;  // and nobody is told
    endpoint client_at_;
};

}  // namespace kafkawire::sim
