// A fault: which requests it hits, and what happens to them. Added through kw::broker::control, looked at in the order in which they were added.
//
//   kafka.control().add({.api = 0, .count = 2, .error = kw::broker_errc::not_leader_or_follower});   // the next two Produce requests
//   kafka.control().add({.api = 1, .node = 2, .delay = 300ms});                                      // each Fetch to node 2
//   kafka.control().add({.topic = "orders", .after = 3, .count = 1, .drop_reply = true});            // the fourth request about "orders"
//
// A request is hit by one fault at most: the first that matches it and has hits left. In what is hit, everything happens in the order of the
// members below: it waits, is dropped or refused or carried out, and its answer is changed, delayed, and sent, cut, or not sent.
#pragma once
#include <kafkawire/broker/observing.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/types.hpp>

#include <optional>
#include <string>

namespace kafkawire::broker {

/// Where an error code is put.
enum class error_place : std::uint8_t {
    everywhere,  ///< in every errorCode of the answer (of a Fetch answer that names partitions: in theirs only, as a code above them would hide them)
    top,         ///< in that of the answer itself, if it has one in this version
    items,       ///< in those of topics, partitions, groups, ... only
};

/// What a client is sent instead of an answer.
enum class garbage : std::uint8_t {
    none,
    body,        ///< as many bytes as the answer has; size prefix and correlation id are right
    frame,       ///< the size prefix and the correlation id are garbage too
};

/// See the top of this file. A plain value.
struct fault {
    std::string name{};                                ///< for people, and for control::hits()

    // Which requests: those to which all of this applies. What is not said applies to all.
    std::optional<std::int16_t> api{};                 ///< an API key: messages::produce_request::key is 0
    std::optional<protocol::version_range> versions{}; ///< of the request
    std::optional<std::int32_t> node{};                ///< that is asked
    std::optional<connection_id> connection{};
    std::string client_id{};
    std::string topic{};                               ///< the request names it, or its id
    double chance = 1;                                 ///< of those that match so far, this part, chosen from the cluster's seed
    std::int64_t after = 0;                            ///< so many of those that match go untouched first
    std::int64_t count = -1;                           ///< then so many are hit; -1: all

    // What happens.
    std::chrono::nanoseconds delay{0};                 ///< before the request is looked at; as long the connection's next ones wait
    bool close = false;                                ///< the connection is closed; nothing was carried out
    bool drop_request = false;                         ///< nothing is carried out or answered; as in a broker that hangs, the connection's next ones wait
    std::optional<broker_errc> error{};                ///< is answered; nothing is carried out, unless:
    bool carry_out = false;                            ///< it is carried out, and the error is told nevertheless
    error_place error_at = error_place::everywhere;
    std::chrono::milliseconds throttle{0};             ///< throttle_time_ms of the answer; as long the connection's next ones wait (KIP-219)
    std::chrono::nanoseconds reply_delay{0};           ///< between carrying out and answering
    bool drop_reply = false;                           ///< carried out, never answered; the connection's next ones wait
    broker::garbage garbage = broker::garbage::none;
    std::optional<std::size_t> cut{};                  ///< so many bytes of the answer are sent, then the connection is closed
    std::size_t trickle = 0;                           ///< the answer is sent in pieces of so many bytes, 0: at once,
    std::chrono::nanoseconds trickle_every{10'000'000};  ///< ... one each time this has passed
};

/// Names a fault in one cluster.
using fault_id = std::uint64_t;

/// How often a fault has been looked at and has hit.
struct fault_count {
    fault_id id = 0;
    std::string name;
    std::int64_t matched = 0;                          ///< requests to which it applied, `after` and `count` aside
    std::int64_t hits = 0;
    bool spent = false;                                ///< `count` is used up
};

}  // namespace kafkawire::broker
