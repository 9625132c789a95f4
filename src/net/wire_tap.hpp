// wire_tap: follows what goes over one connection and tells it to the client's observer. There is none where nobody observes.
// Owns: what it knows of requests that have no answer yet. Never: keeps bytes that say who we are, changes anything.
#pragma once
#include <deque>

#include "net/connection_fsm.hpp"
#include "net/reporter.hpp"

namespace kafkawire::net {

class wire_tap {
public:
    wire_tap(std::shared_ptr<reporter> to, std::string broker) : to_{std::move(to)}, broker_{std::move(broker)} {}

    /// The machine has made a step: where it stands now.
    void stands_in(std::string_view state);
    /// The request is about to be handed to the system.
    void writes(const frame& f, time_point now);
    /// Answers come in the order of the requests.
    void has_read(const response& r, time_point now);
    /// A call that never got as far as the wire.
    void not_sent(const call& c, const error& why);
    void ended(const error& why, ending how, time_point now);

private:
    struct under_way {
        std::int16_t key = -1, version = -1;
        std::int32_t correlation = -1;
        time_point since;
        std::size_t bytes = 0;
        protocol::bytes copy;                               // if the observer wants it, and may have it
    };
    [[nodiscard]] request_seen report_of(const under_way& u) const;

    std::shared_ptr<reporter> to_;
    const std::string broker_;
    std::string_view state_ = "idle";
    bool was_up_ = false;
    std::deque<under_way> flight_;
};

}  // namespace kafkawire::net
