// pool: the connections of a client, one for each broker and lane, made on demand. The driver between the directory, which decides who may be
// connected to and when, and the connections. Holds calls back while a broker wants to be left alone (KIP-219), and gives up connections that
// are dead without having said so (stall_fsm).
// Owns: connections, and calls that are held. Never: tells a call inside the call that handed it over, tells one twice.
#pragma once
#include "client/directory.hpp"
#include "client/stall_fsm.hpp"
#include "net/connection.hpp"
#include "net/reporter.hpp"

#include <array>
#include <deque>

namespace kafkawire::client_detail {

/// What a connection is for. A broker serves one request of a connection at a time, so that what may wait for long does not share one.
/// Behind these come lanes that one user has for himself: a member of a group, whose JoinGroup waits for the group's others, must not stand before
/// theirs; two consumers that wait for records would wait for each other.
enum class lane : std::uint32_t { other, produce, fetch, coordinator };
inline constexpr std::size_t common_lanes = 4;

/// Told of what happens to connections, never inside a call of his own.
class pool_watcher {
public:
    virtual void broker_up(std::size_t broker) = 0;
    /// `was_up`: it had worked. Not told of connections that we closed ourselves.
    virtual void broker_lost(std::size_t broker, const error& why, bool was_up) = 0;
    /// An answer of that broker is due and does not come; or its connections speak again.
    virtual void broker_silent(std::size_t broker, bool yes) = 0;

protected:
    ~pool_watcher() = default;
};

/// As ApiVersions tells them.
struct finalized_features {
    std::int64_t epoch = -1;                                ///< of the metadata; -1: none were told
    std::int16_t transaction_version = 0;
};

class pool : public std::enable_shared_from_this<pool> {
public:
    pool(std::shared_ptr<net::environment> env, std::shared_ptr<net::resolver> names, const client_options& options, const std::vector<bootstrap_address>& bootstrap,
         pool_watcher& watcher);

    [[nodiscard]] directory& brokers() noexcept { return directory_; }
    [[nodiscard]] const directory& brokers() const noexcept { return directory_; }

    void send(std::size_t broker, lane l, std::shared_ptr<net::call> what);
    /// A lane that nobody else has, until it is given back; `preferred`, if that is free.
    [[nodiscard]] lane take_lane(std::optional<lane> preferred = {});
    /// Its connections are closed. Nothing of it may be under way that still wants to be told.
    void give_lane(lane l);
    /// Whatever connection of that lane has it forgets it.
    void withdraw(lane l, net::call* what);
    /// Connects although nothing is to be sent yet.
    void open(std::size_t broker, lane l);
    /// Tells the call later, if it is not withdrawn before.
    void tell_later(std::shared_ptr<net::call> whom, net::outcome what);

    void throttle(std::size_t broker, lane l, std::chrono::milliseconds how_long);
    [[nodiscard]] std::optional<net::time_point> throttled_until(std::size_t broker, lane l) const;
    /// On any lane.
    [[nodiscard]] std::optional<net::time_point> throttled_until(std::size_t broker) const;
    /// Connections that are up.
    [[nodiscard]] unsigned lanes_up(std::size_t broker) const;
    /// The earliest end of what certificates that broker shows; our own certificate's.
    [[nodiscard]] std::optional<net::wall_time> certificate_expires(std::size_t broker) const;
    [[nodiscard]] std::optional<net::wall_time> own_certificate_expires() const noexcept { return with_ ? with_->own_certificate_expires() : std::nullopt; }
    /// Why certificates that have changed cannot be read; empty: all is well.
    [[nodiscard]] error reload_error() const { return with_ ? with_->reload_error() : error{}; }
    /// Null: nobody observes.
    [[nodiscard]] net::reporter* reports() const noexcept { return reports_.get(); }
    /// Of the cluster's finalized features, the newest that any broker has told.
    [[nodiscard]] const finalized_features& features() const noexcept { return features_; }

    /// The broker is known no more: what is not in use is closed now (all of it, if `even_busy`).
    void forget(std::size_t broker, const error& why, bool even_busy = false);
    /// For good: all calls are told `why`, later, and the watcher nothing any more.
    void close(const error& why);

private:
    struct slot {
        std::shared_ptr<net::connection> link;
        net::time_point ready_at{};
        std::optional<net::wall_time> certificate_expires;  // of the broker's, as it was shown last
        bool silent = false;
        int patience = 1;                                   // of its next connection: who is slow to answer is not cut off again and again
        std::optional<net::time_point> throttled_until;
        std::deque<std::shared_ptr<net::call>> held;        // until then
    };
    struct watched {                                        // a broker with silent connections
        stall_fsm machine;
        std::shared_ptr<net::connection> probe;
    };
    struct told {
        std::shared_ptr<net::call> whom;
        net::outcome what;
    };

    slot& at(std::size_t broker, lane l);
    net::connection& connection_to(std::size_t broker, lane l);
    void learn_who_we_are();
    [[nodiscard]] net::connection_settings settings_for(std::size_t broker) const;
    void link_ready(std::size_t broker, lane l);
    void link_closed(std::size_t broker, lane l, const error& why, net::ending how);
    void link_silent(std::size_t broker, lane l, bool yes);
    [[nodiscard]] watched& watch_of(std::size_t broker);
    void look_after(std::size_t broker, stall_fsm::action what);
    void probe(std::size_t broker);
    void drop_probe(std::size_t broker);
    void give_up_silent(std::size_t broker);
    void close_link(std::size_t broker, lane l, const error& why);
    void flush_told();
    void tick();
    void release_held();
    void set_timer();

    std::shared_ptr<net::environment> env_;
    std::shared_ptr<net::resolver> names_;                  // null: the environment's
    const client_options options_;
    std::shared_ptr<net::reporter> reports_;
    std::optional<protocol::release> held_to_;
    std::shared_ptr<net::credentials> with_;                // null: plain text, and nobody asks who we are
    std::shared_ptr<const net::sasl_settings> sasl_;
    directory directory_;
    finalized_features features_;
    pool_watcher* watcher_;                                 // null: closed
    std::vector<std::deque<slot>> slots_;                   // by the directory's index, then by lane; they do not move
    std::vector<bool> taken_ = std::vector<bool>(common_lanes); // lanes, by their users
    std::deque<told> told_;
    bool told_posted_ = false;
    std::vector<watched> watched_;                          // by the directory's index
    std::unique_ptr<net::timer> timer_;                     // of calls that are held, and of watched_
};

}  // namespace kafkawire::client_detail
