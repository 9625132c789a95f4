// producer_id_fsm: the producer id of an idempotent producer without a transactional id. Any broker gives one; epochs are raised by the sender
// itself, until they are used up and a new id is needed.
// Owns: the id, the one request for it and its retries. Never: reads a clock, gives up for want of an answer (the records' own deadlines do).
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/retry_pause.hpp"

namespace kafkawire::client_detail::producer_ids {

using net::time_point;
using request = protocol::messages::init_producer_id_request;
using response = protocol::messages::init_producer_id_response;

struct settings {
    std::chrono::milliseconds retry_backoff{100};
    std::chrono::milliseconds retry_backoff_max{1'000};
    std::uint64_t seed = 1;
};

// What happened.
struct wanted {};                                       ///< records wait for an id; after `refused` it is asked for again
struct used_up {};                                      ///< the id that is known is of no use any more
struct answered { std::uint64_t request; std::int16_t version; response what; std::string broker{}; };
struct request_failed { std::uint64_t request; error why; };
struct tick {};
using event = std::variant<wanted, used_up, answered, request_failed, tick>;

// What the driver is to do.
struct send { std::uint64_t request; producer_ids::request what; };  ///< to any broker, in any version of it; then feed back what became of it
struct given { std::int64_t producer_id; std::int16_t epoch; };
struct refused { error why; };                          ///< not allowed, or not possible: who waits fails with it
using action = std::variant<send, given, refused>;
using actions = std::vector<action>;

struct none {};                                         ///< nobody has wanted one yet
struct asking { std::uint64_t request = 0; time_point not_before{}; int attempts = 0; };  ///< request 0: resting before the next attempt
struct known { std::int64_t producer_id; std::int16_t epoch; };
struct failed { error why; };                           ///< until the next `wanted`
using state = std::variant<none, asking, known, failed>;
[[nodiscard]] std::string_view name_of(const state& s) noexcept;

inline constexpr std::array<std::array<bool, 4>, 4> legal = {{
    //              none  asking known  failed
    /* none */   {{false, true, false, false}},
    /* asking */ {{false, false, true, true}},
    /* known */  {{true, false, false, false}},
    /* failed */ {{false, true, false, false}},
}};

class producer_id_fsm {
public:
    explicit producer_id_fsm(settings s) : settings_{s}, pause_{s.seed} {}

    /// Takes one event at time `now`; appends to `out` what the driver is to do, in order. Never throws on anything that a peer sent.
    void step(event e, time_point now, actions& out);
    /// When to send the next `tick`, if nothing else happens before.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;
    [[nodiscard]] const state& where() const noexcept { return state_; }
    /// Why there is none yet; empty: no attempt has failed.
    [[nodiscard]] const error& last_failure() const noexcept { return last_; }

private:
    void on(wanted&, time_point now, actions& out);
    void on(used_up&, time_point now, actions& out);
    void on(answered& e, time_point now, actions& out);
    void on(request_failed& e, time_point now, actions& out);
    void on(tick&, time_point now, actions& out);
    void again_or_not(bool again, const error& why, time_point now, actions& out);
    void ask(actions& out);
    void transition(state to);

    settings settings_;
    state state_;
    error last_;
    std::uint64_t next_request_ = 1;
    retry_pause pause_;
};

}  // namespace kafkawire::client_detail::producer_ids
