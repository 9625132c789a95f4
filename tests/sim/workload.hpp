// A workload on the client's request API: idempotent producers, readers, and an audit of the logs at the end. What the producer and the
// consumer of the client will decide (retries, sequence numbers, positions) is done here by hand, plainly: the world and the checkers are
// what is to be proved with it.
#pragma once
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <kafkawire/testing/check.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/awaitable.hpp>
#include <asio/use_awaitable.hpp>
#include <set>

#include "cluster_world.hpp"

namespace schedules {

namespace messages = kw::protocol::messages;

inline constexpr auto as_values = kw::as_tuple(asio::use_awaitable);

inline bool retriable(std::int16_t code) {
    const auto* info = kw::find_broker_error(code);
    return info && info->retriable;
}

/// A value that says its number; every other byte follows from that, so that a reader can tell a wrong one.
[[nodiscard]] std::string make_value(std::uint64_t number, std::size_t size);
/// The other way round; of a wrong value one that nobody has sent.
[[nodiscard]] std::uint64_t number_in(kw::protocol::bytes_view value);

/// How producers have it.
struct sending {
    bool rough = false;   ///< short of memory, canceled, destroyed
    bool lossy = false;   ///< the cluster forgets records, and topics; when it is calm again, each producer must be able to send to each partition
    bool misled = false;  ///< somebody lies of the cluster; when he has gone and some time has passed, the same
};

class workload {
public:
    explicit workload(cluster_world& w) : w_{w}, random_{w.world.random().fork()} {}

    /// Producers that send until then and go on until all is acknowledged; with `transactional` in transactions.
    void produce(int producers, std::chrono::nanoseconds until);
    void produce_in_transactions(int producers, std::chrono::nanoseconds until);
    /// The same with kw::producer, whose promises are checked: see producers.cpp.
    void send(int producers, std::chrono::nanoseconds until, const sending& how);
    /// And with its transactions: see producer_transactions.cpp.
    void send_in_transactions(int producers, std::chrono::nanoseconds until);
    /// What was committed with them of offsets.
    void audit_transactions();
    /// Readers of all partitions, which end when they have read everything that was acknowledged.
    void read(int readers, bool committed_only);
    /// All producers are done and all readers have read what was acknowledged.
    [[nodiscard]] bool done() const;
    /// Why not; empty: they are.
    [[nodiscard]] std::string waits_for() const;
    /// Reads all logs from the beginning into the history.
    void audit();

    kw::testing::history history;
    std::uint64_t requests = 0;
    std::string trouble;  // what no fault explains

private:
    struct producer_identity {
        std::int64_t id = -1;
        std::int16_t epoch = -1;
    };
    struct reader;
    struct transaction_run;

    struct sender;
    void send_one(const std::shared_ptr<sender>& from, std::int32_t partition, bool must_arrive = false);
    std::shared_ptr<sender> make_sender(std::int32_t number, const sending& how);
    asio::awaitable<void> run_producer(std::int32_t number, std::chrono::nanoseconds until, sending how);
    asio::awaitable<void> probe(std::shared_ptr<sender> s, bool misled);
    void send_in(const std::shared_ptr<transaction_run>& t);
    asio::awaitable<bool> begin_in(std::shared_ptr<transaction_run> t, std::chrono::nanoseconds until);
    asio::awaitable<void> commit_in(std::shared_ptr<transaction_run> t, bool offsets);
    void not_committed(const transaction_run& t);
    void ended_alone(const transaction_run& t, std::error_code why);
    asio::awaitable<bool> one_transaction(std::shared_ptr<transaction_run> t, std::string group);
    asio::awaitable<void> replace_and_commit(std::shared_ptr<transaction_run> zombie);
    asio::awaitable<void> run_transactional_producer(std::int32_t slot, std::chrono::nanoseconds until);
    asio::awaitable<void> audit_offsets(std::int32_t slot);
    asio::awaitable<void> look_up(kw::client& c);
    asio::awaitable<void> pause(std::chrono::nanoseconds d);
    asio::awaitable<void> produce_to(std::int32_t producer, std::int32_t partition, std::shared_ptr<producer_identity> identity,
                                     std::chrono::nanoseconds until);
    asio::awaitable<void> identify(std::shared_ptr<producer_identity> to, std::optional<std::string> transactional_id,
                                   std::int32_t* coordinator);
    asio::awaitable<std::int32_t> coordinator_of(std::string transactional_id);
    asio::awaitable<void> start_producer(std::int32_t producer, std::chrono::nanoseconds until);
    asio::awaitable<void> run_transactions(std::int32_t producer, std::chrono::nanoseconds until);
    asio::awaitable<void> read_from(std::shared_ptr<reader> r, std::int32_t node);
    asio::awaitable<void> audit_all(bool committed_only, std::map<std::int32_t, std::vector<kw::testing::log_entry>>& to);
    messages::fetch_request fetch_request(std::span<const std::pair<std::int32_t, std::int64_t>> from, bool committed_only,
                                          std::int32_t wait_ms) const;
    void take(const messages::fetch_response::partition_data& p, bool committed_only,
              kw::unique_function<void(std::int64_t, std::uint64_t)> each);
    std::vector<kw::testing::history::id> fill(kw::protocol::batch_builder& b, std::int32_t producer, std::int32_t partition,
                                               std::int64_t transaction);
    asio::awaitable<std::int16_t> send_batch(std::int32_t partition, kw::protocol::bytes_view batch,
                                             std::optional<std::string> transactional_id, std::int64_t* base_offset);
    void blame(std::string what);

    cluster_world& w_;
    kw::sim::random_source random_;
    kw::protocol::uuid topic_id_;
    std::array<std::int32_t, partitions> leader_{};
    std::int32_t there_ = partitions;                // how many of them there are; a topic that is made again may have fewer
    std::uint64_t next_value_ = 1;
    std::int64_t next_transaction_ = 1;
    std::chrono::nanoseconds looked_up_{-1h};
    bool looking_up_ = false;
    int producing_ = 0;
    int ended_alone_ = 0;                            // transactional producers that were fenced, and had no heir
    std::array<std::int64_t, partitions> target_{};  // behind the last record that is acknowledged, and committed
    std::map<std::int32_t, std::set<std::int64_t>> offsets_;  // by group: what it may have committed last
    std::vector<std::shared_ptr<reader>> readers_;
    kw::protocol::record_reader records_in_;
};

}  // namespace schedules
