// cluster_fsm: the embedded cluster as a machine: bytes of requests and the time in, bytes of answers and a time to wake up out.
// Owns: the connections with what they have sent and not got an answer to yet, and the cluster's state.
// Never: touches a socket, reads a clock, believes a length, takes a connection's next request before the answer to the last is written.
// Driver: cluster.cpp reads into prepare(), feeds back what happened, carries out the actions in order.
//
// A connection: reading -> (a whole frame) -> handling -> (answered) -> writing -> (written) -> reading; closed from everywhere.
// The parts: cluster_fsm.cpp takes frames and gives answers; fault_fsm.cpp does to a request what the fault says that it was hit by;
// control_fsm.cpp moves nodes, leaders, views and clocks.
#pragma once
#include <kafkawire/broker/view.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/byte_buffer.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include <span>
#include <variant>

#include "broker/cluster_state.hpp"
#include "broker/exchange.hpp"
#include "broker/fault_rules.hpp"
#include "broker/history.hpp"
#include "broker/sasl_server.hpp"

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
struct resume_reading { connection_id which; };    // prepare() has room again
using action = std::variant<write_bytes, close_connection, stop_listening, start_listening, resume_reading>;

class cluster_fsm final : private answer_sink {
public:
    /// `files`: see cluster_state.
    cluster_fsm(options o, moment now, std::shared_ptr<storage> files = nullptr) : faults_{o.seed}, accounts_{o.security}, state_{std::move(o), now, std::move(files)} {}

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
    [[nodiscard]] std::optional<net::time_point> next_wakeup() const;

    /// Called for every request when it is decoded and every answer before it goes out.
    void watch(watcher what) { watchers_.push_back(std::move(what)); }
    /// What has passed.
    [[nodiscard]] broker::history& history() noexcept { return history_; }

    // Controls; see kafkawire/broker/control.hpp for what each does, and for its errors. Each is an event: take the actions afterwards.

    [[nodiscard]] fault_rules& faults() noexcept { return faults_; }
    std::error_code node_down(std::int32_t node, moment now);
    std::error_code node_killed(std::int32_t node, moment now);
    std::error_code node_paused(std::int32_t node, moment now);
    std::error_code node_up(std::int32_t node, moment now);
    std::error_code close_connections(std::int32_t node, moment now);
    std::error_code move_leader(std::string_view topic, std::int32_t partition, std::int32_t node, moment now);
    std::error_code raise_epoch(std::string_view topic, std::int32_t partition, moment now);
    std::error_code truncate(std::string_view topic, std::int32_t partition, std::int64_t offset, moment now);
    std::error_code move_coordinator(std::string_view internal_topic, std::string_view name, std::int32_t node, moment now);
    std::error_code freeze_metadata(std::int32_t node, moment now);
    std::error_code thaw_metadata(std::int32_t node);
    void move_wall_clock(std::chrono::nanoseconds by, moment now);
    void set_password(std::string_view user, const secret& password) { accounts_.set_password(user, password); }
    std::error_code advance_clock(std::chrono::nanoseconds by, moment now);
    [[nodiscard]] cluster_view view(moment now);

private:
    enum class phase : std::uint8_t { reading, handling, writing };
    struct connection {
        std::int32_t node = 0;
        std::string peer;
        sasl_session who;                          // where clients must say who they are
        phase is = phase::reading;
        std::shared_ptr<std::vector<std::byte>> in = std::make_shared<std::vector<std::byte>>();  // [begin, end) has come and was not handled
        std::size_t begin = 0, end = 0;
        std::optional<fault> hit;                  // what is to happen to the answer of the request that is being handled
        struct given {
            write_bytes what;
            std::optional<fault> how;
        };
        std::optional<given> held;                 // a paused node's answer, to be sent when it is up again
        struct trickle {
            protocol::bytes all;
            std::size_t sent = 0, step = 1;
            std::chrono::nanoseconds every{0};
            bool close = false;                    // at the end
        };
        std::optional<trickle> slow;               // an answer that goes out in pieces
        std::chrono::nanoseconds mute{0};          // after the answer: nothing is taken for so long
    };

    void answer(exchange& to, const protocol::message_schema& schema, const void* response, std::int16_t version, owners keep) override;
    void finish_without_answer(exchange& of) override;
    void close_connection(connection_id id) override;
    [[nodiscard]] bool is_open(connection_id id) const override { return connections_.count(id) != 0; }

    void settle();
    void take_frames(connection_id id);
    void handle(connection_id id, const connection& c, protocol::bytes_view frame);
    void refuse_api_versions(exchange from);
    void authenticate(exchange from, const void* request);
    void tell(const exchange& of, passing::direction way, const protocol::message_schema& schema, const void* message, std::int16_t version, std::size_t bytes,
              std::span<const protocol::bytes_view> body);
    void dispatch(exchange from, const protocol::api_info& api, const void* request);
    void send(connection_id id, write_bytes what);
    void proceed(connection_id id, connection& c);

    // fault_fsm.cpp
    [[nodiscard]] const fault* find_fault(const exchange& from, const protocol::api_info& api, const void* request);
    void meet(const fault& f, exchange from, const protocol::api_info& api, const void* request, protocol::bytes_view body);
    void strike(const fault& f, exchange from, const protocol::api_info& api, const void* request);
    void send_changed(connection_id id, write_bytes what, const fault& f);
    void send_piece(connection_id id);

    // control_fsm.cpp
    [[nodiscard]] moment local(moment now) const noexcept { return {now.steady + steady_shift_, now.wall + wall_shift_}; }
    [[nodiscard]] bool is_paused(std::int32_t node) noexcept;
    [[nodiscard]] partition* find_partition(std::string_view topic, std::int32_t index, std::error_code& why);
    void close_all_of(std::int32_t node);

    std::map<connection_id, connection> connections_;
    connection_id last_connection_ = 0;
    std::vector<connection_id> resumed_;  // may have a whole frame that nobody has looked at
    std::vector<action> actions_;
    std::vector<watcher> watchers_;
    broker::history history_;
    fault_rules faults_;
    accounts accounts_;
    std::map<std::int32_t, protocol::messages::metadata_response> frozen_;  // what nodes tell of the cluster that hear nothing any more
    std::chrono::nanoseconds steady_shift_{0}, wall_shift_{0};  // how far this cluster's clocks are from the world's
    cluster_state state_;  // last, so that exchanges it holds find the connections when they go
};

}  // namespace kafkawire::broker
