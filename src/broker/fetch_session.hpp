// fetch_session: what a client has said before, so that it need not say it again (KIP-227): the partitions that it fetches, and what it was told
// of each last, so that an answer only has partitions with news.
// Owns: the sessions of one node. Never: reads a log.
//
// The cache holds 1,000 sessions, as Kafka's does, and a million partitions in all. When it is full, a session that was not used for two minutes makes
// room, else the smallest one that is older than that, for a larger one; else the client gets no session and sends everything each time.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <list>
#include <map>
#include <string>
#include <vector>

#include "broker/clock.hpp"
#include "broker/random.hpp"

namespace kafkawire::broker {

/// A partition, by name or, from version 13 on, by id. The other one is empty, or was looked up.
struct fetch_key {
    std::string topic;
    protocol::uuid topic_id;
    std::int32_t partition = 0;
};

/// What a client wants of it.
struct fetch_wish {
    fetch_key what;
    std::int32_t current_leader_epoch = -1;
    std::int64_t offset = 0;
    std::int32_t last_fetched_epoch = -1;
    std::int32_t max_bytes = 0;
};

class fetch_session {
public:
    fetch_session(std::int32_t id, bool by_id, net::time_point now) : id_{id}, by_id_{by_id}, created_{now}, last_used_{now} {}

    [[nodiscard]] std::int32_t id() const noexcept { return id_; }
    /// Of the request that comes next.
    [[nodiscard]] std::int32_t epoch() const noexcept { return epoch_; }
    [[nodiscard]] bool by_id() const noexcept { return by_id_; }
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
    [[nodiscard]] net::time_point created() const noexcept { return created_; }
    [[nodiscard]] net::time_point last_used() const noexcept { return last_used_; }
    void used(net::time_point now) noexcept { last_used_ = now; }
    void next_epoch() noexcept { epoch_ = epoch_ == 0x7fffffff ? 1 : epoch_ + 1; }

    void put(const fetch_wish& wish);
    void forget(const fetch_key& what);
    /// In the order in which they are to be served: those that had records last come last.
    [[nodiscard]] std::vector<fetch_wish> wishes() const;
    /// A topic's name that was not known when it came.
    void resolve(const fetch_key& what, const std::string& name);

    /// What an answer says of a partition. Returns whether that is news, and remembers it.
    struct news {
        std::int64_t high_watermark = -1, log_start = -1;
        bool records = false, error = false, must = false;  ///< must: a preferred replica or a diverging epoch
    };
    bool tell(const fetch_key& what, const news& n);

private:
    struct cached {
        fetch_wish wish;
        std::int64_t high_watermark = -1, log_start = -1;
    };
    using list = std::list<cached>;
    using name = std::pair<std::string, std::pair<protocol::uuid, std::int32_t>>;
    [[nodiscard]] name name_of(const fetch_key& what) const {
        return by_id_ ? name{{}, {what.topic_id, what.partition}} : name{what.topic, {{}, what.partition}};
    }

    std::int32_t id_;
    std::int32_t epoch_ = 1;
    bool by_id_;
    net::time_point created_, last_used_;
    list order_;
    std::map<name, list::iterator> places_;
};

class fetch_sessions {
public:
    /// Null: there is none of that number.
    [[nodiscard]] fetch_session* find(std::int32_t id) noexcept;
    void remove(std::int32_t id) { sessions_.erase(id); }
    /// A session for so many partitions, without them; null if there is no room.
    [[nodiscard]] fetch_session* make(std::size_t partitions, bool by_id, net::time_point now, random_source& random);
    void clear() noexcept { sessions_.clear(); }

private:
    [[nodiscard]] bool make_room(std::size_t partitions, net::time_point now);
    [[nodiscard]] std::size_t partitions() const noexcept;

    std::map<std::int32_t, fetch_session> sessions_;
};

}  // namespace kafkawire::broker
