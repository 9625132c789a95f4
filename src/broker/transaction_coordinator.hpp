// transaction_coordinator: the transactional ids of the whole cluster, each coordinated by the node that leads its partition of
// __transaction_state. Gives out producer ids, writes every step of a transaction to that partition before anybody is told, sends markers
// to the partitions of ended transactions, aborts those that take too long, and reads everything back when the partition gets another
// leader. Owns: the machines (transaction_fsm) with their timers, the producer ids. Never: knows connections or requests' bytes.
//
// Differences to Kafka that a client can see only as speed: markers are written at once where leaders are up (else every 100 ms until they
// are), not by requests between nodes; a timeout is noticed when it comes, not within ten seconds.
#pragma once
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "broker/cluster_state.hpp"
#include "broker/producer_state.hpp"
#include "broker/transaction_fsm.hpp"

namespace kafkawire::broker {

class transaction_coordinator {
public:
    using identity = transaction_fsm::identity;
    using done = unique_function<void(broker_errc)>;

    /// The cluster must outlive it.
    explicit transaction_coordinator(cluster_state& cluster);
    ~transaction_coordinator();
    transaction_coordinator(const transaction_coordinator&) = delete;
    transaction_coordinator& operator=(const transaction_coordinator&) = delete;

    // Requests, as they come to `node`. `then` is called once, perhaps before the function returns: with NOT_COORDINATOR if the node does
    // not lead the id's partition, COORDINATOR_NOT_AVAILABLE if that cannot be written to, else as transaction_fsm says.

    struct given {
        broker_errc error = broker_errc::none;
        std::int64_t producer_id = -1;
        std::int16_t epoch = -1;
    };
    using given_to = unique_function<void(const given&)>;
    struct init_request {
        std::optional<std::string> transactional_id{};  ///< none: an idempotent producer, who gets a new id from any node
        std::int32_t timeout_ms = 0;
        std::optional<identity> expected{};
        bool enable_2pc = false;
        bool keep_prepared = false;
    };
    /// INVALID_REQUEST (an empty id), TRANSACTIONAL_ID_AUTHORIZATION_FAILED (two-phase commit, which is not enabled), UNSUPPORTED_VERSION
    /// (keeping a prepared transaction), INVALID_TRANSACTION_TIMEOUT.
    void init_producer_id(std::int32_t node, init_request request, given_to then);
    void add_partitions(std::int32_t node, const std::string& id, identity who, const std::set<transaction_partition>& added,
                        std::int16_t client_version, done then);
    /// One code for all: none if the producer may have an open transaction. TRANSACTION_ABORTABLE is said per partition; see contains().
    [[nodiscard]] broker_errc verify(std::int32_t node, const std::string& id, identity who);
    /// Whether a partition is in the id's transaction now.
    [[nodiscard]] bool contains(const std::string& id, const transaction_partition& where);
    /// Ends the transaction. With version 2 the identity for the next one is given.
    void end(std::int32_t node, const std::string& id, identity who, bool commit, std::int16_t client_version, given_to then);

    /// What a client's request can understand, by its version.
    enum class support : std::uint8_t {
        basic,          ///< Produce to 10, TxnOffsetCommit to 3: partitions must have been added; if not, INVALID_TXN_STATE
        abortable,      ///< Produce 11, TxnOffsetCommit 4: the same, but TRANSACTION_ABORTABLE
        add_partitions  ///< Produce 12, TxnOffsetCommit 5: partitions are added here (KIP-890)
    };
    [[nodiscard]] static support support_of_produce(std::int16_t version) noexcept;
    [[nodiscard]] static support support_of_offset_commit(std::int16_t version) noexcept;
    /// The leader of `where` asks, before it appends the first batch of a transaction: none, and the partition is in the transaction; else
    /// why not, in Kafka's words between brokers (translate with produce_answer()). While the step is being replicated:
    /// CONCURRENT_TRANSACTIONS.
    [[nodiscard]] broker_errc verify_or_add(const std::string& id, identity who, const transaction_partition& where, support how);
    /// What a producer is told: retriable troubles with the coordinator are NOT_ENOUGH_REPLICAS to those who would not retry them.
    struct produce_error {
        broker_errc error = broker_errc::none;
        std::string message{};  ///< empty: the error's own
    };
    [[nodiscard]] static produce_error produce_answer(broker_errc verification, support how);

    /// Writes the end of a transaction into a partition, and for offsets tells the group coordinator. `then`: once it is replicated. Errors
    /// as producer_state::check_marker() and partition::append().
    void write_marker(partition& to, transaction_marker marker, done then);

    // Looking.

    /// A transactional id's facts, if it is known to the coordinator at `node`; error as for requests, TRANSACTIONAL_ID_NOT_FOUND.
    struct description {
        broker_errc error = broker_errc::none;
        const transaction_facts* facts = nullptr;
    };
    [[nodiscard]] description describe(std::int32_t node, const std::string& id);
    struct known_id {
        const std::string* id;
        const transaction_facts* facts;
    };
    /// The ids that `node` coordinates, by partition and name; valid until anything else is called.
    [[nodiscard]] std::vector<known_id> list(std::int32_t node);

    // Controls.

    /// Markers are written so long after the end of a transaction was decided: for tests that want to see the time between.
    void set_marker_delay(std::chrono::nanoseconds delay) noexcept { marker_delay_ = delay; }
    /// After a restart: reads what the partitions hold, so that transactions which were ending end.
    void recover();

private:
    struct entry {
        explicit entry(transaction_fsm f) : fsm{std::move(f)} {}
        transaction_fsm fsm;
        timers::id timer;                            // of the transaction's timeout, or of the next try to write markers
        std::set<transaction_partition> on_the_way;  // markers that are being replicated
        bool sending = false;                        // markers are being handed out just now
        bool finishing = false;                      // the last step is being written
        bool stuck = false;                          // a partition refused the marker for good: somebody newer is at work there
    };
    struct shard {
        std::int32_t epoch = 0;  // of the partition's leader: also the coordinator's epoch, in markers
        protocol::uuid topic_id;
        std::map<std::string, entry, std::less<>> ids;
    };
    // Where an id lives. A call that comes back later finds it again by this, or finds that another coordinator has taken over.
    struct place {
        std::int32_t partition = -1;
        std::int32_t epoch = -1;
        std::string id;
    };

    [[nodiscard]] std::int64_t new_producer_id(std::int32_t node);
    void remember_ids();
    [[nodiscard]] partition* home(std::int32_t index);
    [[nodiscard]] std::int32_t home_of(std::string_view id);
    shard* owned(std::int32_t index, std::int32_t node);
    shard* load(partition& from);
    void drop(std::int32_t index);
    entry* live(const place& at);
    broker_errc find(std::int32_t node, const std::string& id, place& at, entry*& found);
    [[nodiscard]] transaction_fsm::context context(const place& at);
    [[nodiscard]] std::int64_t now_ms() const;

    void carry_out(const place& at, transaction_fsm::outcome came, done then);
    void write(const place& at, done then);
    void step_written(const place& at);
    void answer_end(const place& at, bool tell_identity, given_to& then, broker_errc error);
    void arm_timeout(const place& at, entry& e);
    void timed_out(const place& at);

    void begin_markers(const place& at);
    void send_markers(const place& at);
    bool send_marker(const place& at, const transaction_partition& where);
    void marker_replicated(const place& at, const transaction_partition& where, broker_errc error);
    void retry_markers(const place& at, std::chrono::nanoseconds after);
    void finish(const place& at);

    void arm_expiry();
    void expire();

    cluster_state& cluster_;
    producer_ids ids_;
    std::map<std::int32_t, shard> shards_;  // by partition of __transaction_state
    timers::id expiry_timer_;
    std::chrono::nanoseconds marker_delay_{0};
};

}  // namespace kafkawire::broker
