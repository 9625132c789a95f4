// fetch_session: what a broker remembers of our fetching (KIP-227), so that a request names only what has changed. One for each broker.
// Owns: the session's id and epoch, and what the broker was told last. Plain: no I/O, no clock.
// Never: sends an incremental request when it is not certain what the broker remembers; after a lost answer everything is said again.
//
//   none --(full request, epoch 0)--> asking --(answer with an id)--> open --(incremental, epoch 1, 2, ...)--> open
// An answer without an id (old brokers, a broker whose cache is full) leads back to none: every request is a full one then.
#pragma once
#include <kafkawire/protocol/messages/01_fetch.hpp>

#include <map>
#include <string_view>
#include <utility>

namespace kafkawire::client_detail {

/// One partition as a Fetch request wants it.
struct fetch_wish {
    std::uint64_t number = 0;                               ///< of the partition, ours; never used again for another
    const std::string* topic = nullptr;
    protocol::uuid topic_id;                                ///< zero: unknown
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
    std::int32_t max_bytes = 0;
};

class fetch_session {
public:
    enum class state : std::uint8_t {
        none,                                               ///< the broker remembers nothing, or nobody knows what
        asking,                                             ///< a full request is on its way, which asks for a session
        open,                                               ///< the broker remembers what stands in told_
    };

    /// Fills session id, epoch, topics and forgotten topics of a request that is to fetch exactly `wishes`. They are in the order in which a full
    /// request names them. The request must be answered() or lost() before the next.
    void fill(const std::vector<fetch_wish>& wishes, protocol::messages::fetch_request& m);
    /// The last request was an incremental one: it means nothing to a broker that knows no sessions.
    [[nodiscard]] bool incremental() const noexcept { return incremental_; }
    /// `error_code`: the answer's own; with one of a session the next request is a full one.
    void answered(std::int16_t error_code, std::int32_t session_id);
    /// No answer came, or none that could be read.
    void lost() noexcept { state_ = state::none; }

    [[nodiscard]] state where() const noexcept { return state_; }
    [[nodiscard]] std::int32_t id() const noexcept { return id_; }
    /// Of the request that was filled last.
    [[nodiscard]] std::int32_t epoch() const noexcept { return sent_epoch_; }
    /// A request that ends the session at the broker; false: there is none.
    bool fill_last(protocol::messages::fetch_request& m);

private:
    struct told {
        const std::string* topic;
        protocol::uuid topic_id;
        std::int32_t partition;
        std::uint64_t number;
        std::int64_t offset;
        std::int32_t leader_epoch, max_bytes;
        bool wanted;                                        // in the request that is being filled
    };

    void name(const fetch_wish& w, protocol::messages::fetch_request& m) const;
    void forget(const told& t, protocol::messages::fetch_request& m) const;

    state state_ = state::none;
    std::int32_t id_ = 0;                                   // 0: none. Kept when the session is lost, so that the broker can drop it
    std::int32_t next_epoch_ = 0;
    std::int32_t sent_epoch_ = 0;
    bool incremental_ = false;
    // By topic and partition, as the broker has it: one that was given up and assigned again between two requests must not be forgotten in the
    // second, since a broker forgets last.
    std::map<std::pair<std::string_view, std::int32_t>, told> told_;
};

/// Whether such an error of a whole answer is about the session: the next request is a full one, and may go at once.
[[nodiscard]] bool is_of_session(std::int16_t error_code) noexcept;

}  // namespace kafkawire::client_detail
