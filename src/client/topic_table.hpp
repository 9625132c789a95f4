// topic_table: the topics that somebody uses, and what the cluster says of them. Plain decisions: no I/O, no clock.
// Owns: names (interned: a delivery may hold on to one for the client's life), ids, leaders and their epochs.
// Invariants: what is known of a partition never goes back to an older leader epoch because a node that lags behind says so; a topic that was
// deleted and made again (KIP-516: a new id) starts afresh, and the id that it had before is not believed again.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include <map>

namespace kafkawire::client_detail {

/// One partition as the cluster last described it.
struct partition_info {
    std::int32_t leader = -1;                               // -1: none now; `error` says why
    std::int32_t leader_epoch = -1;                         // -1: the broker is too old to tell
    broker_errc error{};
    std::vector<std::int32_t> replicas{};                   // ids of brokers; none: not told
};

/// A topic that somebody uses. Its address is stable for the client's life.
struct topic_info {
    std::string name;
    protocol::uuid id;                                      // zero: unknown (old brokers)
    std::error_code error;                                  // what the cluster says of the topic; none: `partitions` holds
    std::vector<partition_info> partitions;                 // by index. Kept beside an error: a node that lags behind may not know the topic yet
    bool known = false;                                     // an answer with partitions came, ever
    std::uint32_t changes = 0;                              // goes up whenever anything above changes
};

class topic_table {
public:
    /// Who lags is believed after all when nobody has said anything else for that long: a cluster that was restored from a copy has lower epochs.
    static constexpr std::chrono::seconds doubt{60};
    /// The same for a topic's former id, and so many answers: nodes learn of a new topic within moments, and without the right id nothing is read or
    /// written. One that lags may have told the former id after another had told the present one, which was taken for the older then.
    static constexpr std::chrono::seconds id_doubt{5};
    static constexpr int id_answers = 3;
    /// Kafka allows no longer ones, and asking for such a name could not even be written.
    static constexpr std::size_t longest_name = 249;

    /// Interns the name. A name that no cluster can have gets its error here and is never asked for.
    topic_info& want(std::string_view name, bool may_create);
    [[nodiscard]] topic_info* find(std::string_view name) noexcept;
    [[nodiscard]] bool empty() const noexcept { return topics_.empty(); }

    /// What to ask for now: first of all only the topics that are missing and may be created, if the last answer has shown such.
    [[nodiscard]] protocol::messages::metadata_request request() const;
    /// A question for topics that are to be created is due.
    [[nodiscard]] bool creation_due() const noexcept { return creation_due_; }
    /// Takes over what an answer says of topics that are wanted. With the question that it answers, topics that it is silent about count as
    /// unknown. True if anything changed.
    bool merge(const protocol::messages::metadata_response& m, const protocol::messages::metadata_request* question, net::time_point now);
    /// CurrentLeader of a Produce or Fetch answer (KIP-951). True if it is news.
    bool hint(topic_info& t, std::int32_t partition, std::int32_t leader, std::int32_t leader_epoch) noexcept;

    /// No topic lacks an answer or a leader for a reason that passes by itself.
    [[nodiscard]] bool settled() const noexcept;
    template <class F>
    void each(F f) const {
        for (const auto& [name, r] : topics_) f(r.info);
    }

private:
    struct record {
        topic_info info;
        bool may_create = false;
        bool impossible = false;                            // no topic can have that name
        std::vector<protocol::uuid> former;                 // ids that it had before the present one
        std::vector<std::optional<net::time_point>> doubted; // by partition: since when answers are older than what is known
        std::optional<net::time_point> id_doubted;          // since when answers have a former id, and none the present one
        std::optional<net::time_point> fewer_since;         // since when answers have fewer partitions than are known
        int id_doubts = 0;                                  // how many such answers there were since then
        bool start_afresh = false;                          // without ids, a topic that was gone may be another one now
    };
    using answered_topic = protocol::messages::metadata_response::topic;

    bool merge(record& r, const answered_topic& t, net::time_point now);
    bool merge_partitions(record& r, const answered_topic& t, net::time_point now);

    std::map<std::string, record, std::less<>> topics_;     // its nodes do not move
    bool creation_due_ = false;
};

}  // namespace kafkawire::client_detail
