// cluster_fsm: the embedded cluster as a machine: bytes of requests and the time in, bytes of answers and a time to wake up out.
// Owns: the connections with what they have sent and not got an answer to yet, and the cluster's state.
// Never: touches a socket, reads a clock, believes a length, takes a connection's next request before the answer to the last is written.
// Driver: cluster.cpp reads into prepare(), feeds back what happened, carries out the actions in order.
//
// A connection: reading -> (a whole frame) -> handling -> (answered) -> writing -> (written) -> reading; closed from everywhere.
#pragma once
#include <kafkawire/protocol/byte_buffer.hpp>

#include <span>
#include <variant>

#include "broker/cluster_state.hpp"
#include "broker/exchange.hpp"

namespace kafkawire::broker {

// What the driver is to do.
struct write_bytes {
    connection_id to;
    protocol::scatter content;
    owners keep;                                   // what the scatter's splices point to
};
struct close_connection { connection_id which; };  // after what was to be written before
struct stop_listening { std::int32_t node; };
struct start_listening { std::int32_t node; };
using action = std::variant<write_bytes, close_connection, stop_listening, start_listening>;

class cluster_fsm final : private answer_sink {
public:
    /// `files`: see cluster_state.
    cluster_fsm(options o, moment now, std::shared_ptr<storage> files = nullptr) : state_{std::move(o), now, std::move(files)} {}

    /// The cluster's state, for controls and tests.
    [[nodiscard]] cluster_state& state() noexcept { return state_; }

    // Events. Afterwards: take the actions, and move the timer to next_wakeup().

    /// `peer` as Kafka prints client addresses: "/127.0.0.1".
    connection_id connected(std::int32_t node, std::string peer, moment now);
    /// Room for the next bytes of a connection, and what keeps it there while they are on their way. Empty: do not read now, but ask again when
    /// something has been written. One read at a time.
    struct room {
        std::span<std::byte> where;
        std::shared_ptr<const void> owner;
    };
    [[nodiscard]] room prepare(connection_id id);
    /// So many bytes now lie at the front of what prepare() gave.
    void received(connection_id id, std::size_t bytes, moment now);
    /// What was last to be written to the connection has gone out.
    void written(connection_id id, moment now);
    void disconnected(connection_id id, moment now);
    void tick(moment now);

    /// Moves the actions to `to`, which is cleared first: keep it, so that its memory is used again.
    void take_actions(std::vector<action>& to);
    [[nodiscard]] std::optional<net::time_point> next_wakeup() const { return state_.timers().next(); }

    /// Called for every request when it is decoded and every answer before it goes out.
    void watch(watcher what) { watchers_.push_back(std::move(what)); }

private:
    enum class phase : std::uint8_t { reading, handling, writing };
    struct connection {
        std::int32_t node = 0;
        std::string peer;
        phase is = phase::reading;
        std::shared_ptr<std::vector<std::byte>> in = std::make_shared<std::vector<std::byte>>();  // [begin, end) has come and was not handled
        std::size_t begin = 0, end = 0;
    };

    void answer(exchange& to, const protocol::message_schema& schema, const void* response, std::int16_t version, owners keep) override;
    void finish_without_answer(exchange& of) override;
    void close_connection(connection_id id) override;
    [[nodiscard]] bool is_open(connection_id id) const override { return connections_.count(id) != 0; }

    void settle();
    void take_frames(connection_id id);
    void handle(connection_id id, const connection& c, protocol::bytes_view frame);
    void refuse_api_versions(exchange from);
    void tell(const exchange& of, passing::direction way, const protocol::message_schema& schema, const void* message, std::int16_t version, std::size_t bytes);

    std::map<connection_id, connection> connections_;
    connection_id last_connection_ = 0;
    std::vector<connection_id> resumed_;  // may have a whole frame that nobody has looked at
    std::vector<action> actions_;
    std::vector<watcher> watchers_;
    cluster_state state_;  // last, so that exchanges it holds find the connections when they go
};

}  // namespace kafkawire::broker
