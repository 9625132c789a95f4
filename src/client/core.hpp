// core: the driver of kw::client. Knows brokers and topics, gives each request a broker, keeps what is known up to date; decides nothing that
// one of its machines could decide. Knows no Asio but the executor that handlers run on.
//
// Producer and consumer are built on want_topic(), refresh_topics() and send(): they decide what goes where, the core brings it there.
#pragma once
#include <kafkawire/bootstrap.hpp>

#include "client/pool.hpp"
#include "client/refresh_fsm.hpp"
#include "client/topic_table.hpp"

namespace kafkawire::client_detail {

class routed_call;

/// Told that there is something to look at. Never inside a call of his own, and once for many things.
class metadata_watcher {
public:
    /// A refresh of the topics has ended, well or not, or a leader has changed. Whoever still lacks something asks again: refresh_topics().
    virtual void topics_changed() = 0;
    /// A connection came up or was lost, or a broker is silent or speaks again.
    virtual void brokers_changed() {}

protected:
    ~metadata_watcher() = default;
};

/// An operation that waits for what becomes of the client. Its core keeps it until it is told.
class lasting {
public:
    virtual ~lasting() = default;
    /// Called once, later, if the client is closed before.
    virtual void client_closed() = 0;
};

class core final : public std::enable_shared_from_this<core>, private pool_watcher {
public:
    core(asio::any_io_executor executor, client_options options, const std::vector<bootstrap_address>& bootstrap, std::shared_ptr<net::environment> env,
         std::shared_ptr<net::resolver> names);
    ~core();

    void close();
    void close_at_last() noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    /// Lets go of it when it is closed, and asks it for the list again when nobody of the list can be reached.
    void hold(net::bootstrap_lease what) { lease_ = std::move(what); }

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] const client_options& options() const noexcept { return options_; }
    [[nodiscard]] const directory& brokers() const noexcept { return pool_->brokers(); }
    [[nodiscard]] const std::shared_ptr<net::environment>& shared_env() const noexcept { return env_; }
    [[nodiscard]] net::environment& env() noexcept { return *env_; }
    /// Null: nobody observes.
    [[nodiscard]] net::reporter* reports() const noexcept { return pool_->reports(); }

    // --- topics ---
    /// Interns the name and asks for the topic if it is not known yet. From now on it is part of every refresh.
    topic_info& want_topic(std::string_view name, bool may_create);
    /// What is known seems wrong. One question is under way at a time; they keep 100 to 500 ms between them while they are asked for again and
    /// again; a broker that is silent is passed over.
    void refresh_topics();
    void watch(metadata_watcher& w) { watchers_.push_back(&w); }
    void unwatch(metadata_watcher& w) { std::erase(watchers_, &w); }
    /// What keeps the refresh that is under way, or why the last one failed, for causes of timeouts. Null if it worked.
    [[nodiscard]] const error* last_metadata_error() const noexcept { return refresh_error_ ? &*refresh_error_ : nullptr; }
    /// CurrentLeader of a Produce or Fetch answer (KIP-951). Ignored if its epoch is older than what is known.
    void leader_hint(topic_info& t, std::int32_t partition, std::int32_t leader, std::int32_t leader_epoch);
    /// NodeEndpoints of such an answer: where that leader is.
    void node_hint(std::int32_t id, std::string host, std::uint16_t port, std::string rack);
    [[nodiscard]] const topic_table& topics() const noexcept { return topics_; }
    /// Refreshes that worked, so far.
    [[nodiscard]] std::uint64_t refreshes() const noexcept { return refreshes_; }
    void keep(std::shared_ptr<lasting> what) { kept_.push_back(std::move(what)); }
    void let_go(const lasting* what) {
        std::erase_if(kept_, [&](const auto& k) { return k.get() == what; });
    }
    [[nodiscard]] std::vector<broker_health> health() const;

    // --- requests ---
    /// done() is called once, later and never inside this, unless the call is withdrawn. A broker that is not known: errc::unknown_broker, and
    /// the brokers are asked for.
    void send(std::int32_t broker_id, lane l, std::shared_ptr<net::call> what);
    /// The call is not told any more. `broker_id` may be any: a broker's address can change under a call.
    void withdraw(std::int32_t broker_id, lane l, net::call* what);
    /// A lane of one's own; see pool.hpp.
    [[nodiscard]] lane take_lane(std::optional<lane> preferred = {}) { return pool_->take_lane(preferred); }
    void give_lane(lane l) { pool_->give_lane(l); }
    /// Connects before anything is to be sent. False: no such broker is known.
    bool open(std::int32_t broker_id, lane l);
    /// What the cluster has finalized, as far as a connection has told.
    [[nodiscard]] const finalized_features& features() const noexcept { return pool_->features(); }
    /// Connections to that broker that are up.
    [[nodiscard]] unsigned lanes_up(std::int32_t broker_id) const;
    /// For that long nothing more is sent to that broker on that lane (KIP-219); calls wait here, and time out here.
    void throttle(std::int32_t broker_id, std::chrono::milliseconds how_long, lane l = lane::produce);
    [[nodiscard]] std::optional<net::time_point> throttled_until(std::int32_t broker_id, lane l = lane::produce) const;

private:
    friend class routed_call;

    // routed_call
    void route(const std::shared_ptr<routed_call>& c);
    void forget(const std::shared_ptr<routed_call>& c);
    void learn(const protocol::messages::metadata_response& m);
    void wait_for_brokers(const std::shared_ptr<routed_call>& c);

    // pool_watcher
    void broker_up(std::size_t broker) override;
    void broker_lost(std::size_t broker, const error& why, bool was_up) override;
    void broker_silent(std::size_t broker, bool yes) override;

    void rebootstrap(const error& why);
    void look_for_others();
    void pump();
    void ask(bool another);
    void answered(const std::shared_ptr<routed_call>& which, const error& why, const protocol::messages::metadata_response& m);
    void end_refresh(const error& why);
    void notify(bool topics, bool brokers);
    void set_timer();
    void expire_waiting();

    asio::any_io_executor executor_;
    client_options options_;
    std::shared_ptr<net::environment> env_;
    std::shared_ptr<pool> pool_;
    topic_table topics_;
    refresh_fsm refresh_;
    protocol::messages::metadata_request question_;         // of the refresh that is under way
    std::vector<std::shared_ptr<routed_call>> asked_;       // who has it; the first good answer counts
    std::vector<std::size_t> answered_lately_;              // in a series of refreshes: whoever keeps asking wants to hear somebody else
    net::time_point answered_at_{};
    std::optional<error> refresh_error_;
    std::vector<std::shared_ptr<routed_call>> waiting_;     // for metadata, because their broker is not known
    std::unique_ptr<net::timer> timer_;                     // of refresh_ and waiting_
    std::vector<metadata_watcher*> watchers_;
    std::vector<std::shared_ptr<lasting>> kept_;
    std::uint64_t refreshes_ = 0;
    bool topics_news_ = false, brokers_news_ = false;       // what watchers are not told yet
    bool news_posted_ = false;                              // they are about to be
    net::bootstrap_lease lease_;                            // what the bootstrap address needs to be good
    net::time_point look_again_{};                          // not before that
    bool closed_ = false;
    bool shut_ = false;                                     // closed, and everybody told
};

}  // namespace kafkawire::client_detail
