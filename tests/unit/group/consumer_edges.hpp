// What happens in each state of a member of the consumer protocol: the state afterwards, and the actions. What is not listed changes nothing and says nothing.
#pragma once

inline constexpr const char* consumer_edges = R"(
unjoined
    subscribe a b -> joining: want coordinator
    subscribe regex -> joining: want coordinator
    coordinator failed -> broken: failed
    leave -> gone: left
    leave untold -> gone: left
joining
    subscribe nothing -> leaving: send ConsumerGroupHeartbeat(-1)
    coordinator moved -> joining: send ConsumerGroupHeartbeat(0 all has)
    coordinator failed -> broken: failed
    answered -> stable: trust 1
    gives more -> adopting: trust 1, assign [a0 a1 a2]
    takes and gives -> adopting: trust 1, assign [a1 a2]
    gives nothing -> adopting: trust 1, assign []
    gives an unknown topic -> adopting: trust 1, watch #122, assign [a0 a1]
    fenced epoch -> joining: send ConsumerGroupHeartbeat(0 all has)
    request failed -> joining: doubt 1, want coordinator
    leave -> leaving: send ConsumerGroupHeartbeat(-1)
    leave untold -> gone: left
stable
    subscribe nothing -> revoking: revoke a0 a1
    coordinator moved -> stable: send ConsumerGroupHeartbeat(1 all has)
    coordinator failed -> broken: lose a0 a1, failed
    gives more -> adopting: assign [a2]
    takes and gives -> revoking: revoke a0
    gives nothing -> revoking: revoke a0 a1
    gives an unknown topic -> acknowledging: watch #122, send ConsumerGroupHeartbeat(2 has)
    fenced epoch -> joining: lose a0 a1, send ConsumerGroupHeartbeat(0 all has)
    request failed -> stable: doubt 1, want coordinator
    leave -> revoking: revoke a0 a1
    leave untold -> revoking: revoke a0 a1
    60 s -> joining: trouble, doubt 1, lose a0 a1, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0 a1, want coordinator
stable with nothing yet
    subscribe nothing -> leaving: send ConsumerGroupHeartbeat(-1)
    coordinator moved -> stable: send ConsumerGroupHeartbeat(1 all has)
    coordinator failed -> broken: failed
    gives more -> adopting: assign [a0 a1 a2]
    takes and gives -> adopting: assign [a1 a2]
    gives nothing -> adopting: assign []
    gives an unknown topic -> adopting: watch #122, assign [a0 a1]
    fenced epoch -> joining: send ConsumerGroupHeartbeat(0 all has)
    request failed -> stable: doubt 1, want coordinator
    leave -> leaving: send ConsumerGroupHeartbeat(-1)
    leave untold -> gone: left
stable, names unknown
    subscribe nothing -> revoking: revoke a0 a1
    metadata -> adopting: watch, assign [c3]
    coordinator moved -> stable: send ConsumerGroupHeartbeat(2 all has)
    coordinator failed -> broken: watch, lose a0 a1, failed
    gives more -> adopting: watch, assign [a2]
    takes and gives -> revoking: watch, revoke a0
    gives nothing -> revoking: watch, revoke a0 a1
    gives an unknown topic -> acknowledging: watch #122, send ConsumerGroupHeartbeat(2 has)
    fenced epoch -> joining: watch, lose a0 a1, send ConsumerGroupHeartbeat(0 all has)
    request failed -> stable: doubt 1, want coordinator
    leave -> revoking: revoke a0 a1
    leave untold -> revoking: revoke a0 a1
    60 s -> joining: trouble, doubt 1, watch, lose a0 a1, want coordinator
    1 h -> joining: trouble, doubt 1, watch, lose a0 a1, want coordinator
revoking to reconcile
    coordinator moved -> revoking: send ConsumerGroupHeartbeat(2 all has)
    coordinator failed -> broken: lose a0, failed
    fenced epoch -> joining: lose a0, send ConsumerGroupHeartbeat(0 all has)
    request failed -> revoking: doubt 1, want coordinator
    callback done -> acknowledging
    60 s -> joining: trouble, doubt 1, lose a0, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0, want coordinator
revoking to leave
    coordinator moved -> revoking: send ConsumerGroupHeartbeat(1 all has)
    coordinator failed -> gone: lose what goes, left
    fenced epoch -> revoking: lose what goes
    request failed -> revoking: doubt 1, want coordinator
    callback done -> leaving: send ConsumerGroupHeartbeat(-1)
    60 s -> gone: lose what goes, send ConsumerGroupHeartbeat(-1), left
    1 h -> gone: lose what goes, send ConsumerGroupHeartbeat(-1), left
adopting
    subscribe nothing -> revoking: revoke a0 a1
    coordinator moved -> adopting: send ConsumerGroupHeartbeat(1 all has)
    coordinator failed -> broken: lose a0 a1, failed
    fenced epoch -> joining: lose a0 a1, send ConsumerGroupHeartbeat(0 all has)
    request failed -> adopting: doubt 1, want coordinator
    callback done -> acknowledging
    leave -> revoking: revoke a0 a1
    leave untold -> revoking: revoke a0 a1
    60 s -> joining: trouble, doubt 1, lose a0 a1, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0 a1, want coordinator
acknowledging
    subscribe nothing -> revoking: revoke a0 a1
    coordinator moved -> acknowledging: send ConsumerGroupHeartbeat(1 all has)
    coordinator failed -> broken: lose a0 a1, failed
    answered -> stable: rebalanced
    gives more -> adopting: assign [a2]
    takes and gives -> revoking: revoke a0
    gives nothing -> revoking: revoke a0 a1
    gives an unknown topic -> acknowledging: watch #122, send ConsumerGroupHeartbeat(2 has)
    fenced epoch -> joining: lose a0 a1, send ConsumerGroupHeartbeat(0 all has)
    request failed -> acknowledging: doubt 1, want coordinator
    leave -> revoking: revoke a0 a1
    leave untold -> revoking: revoke a0 a1
    60 s -> joining: trouble, doubt 1, lose a0 a1, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0 a1, want coordinator
leaving
    coordinator moved -> leaving: send ConsumerGroupHeartbeat(-1)
    coordinator failed -> unjoined
    answered -> unjoined
    gives more -> unjoined
    takes and gives -> unjoined
    gives nothing -> unjoined
    gives an unknown topic -> unjoined
    no epoch -> unjoined
    fenced epoch -> unjoined
    request failed -> leaving: doubt 1, want coordinator
    60 s -> unjoined
    1 h -> unjoined
leaving to park
    coordinator moved -> leaving: send ConsumerGroupHeartbeat(-1)
    coordinator failed -> parked
    answered -> parked
    gives more -> parked
    takes and gives -> parked
    gives nothing -> parked
    gives an unknown topic -> parked
    no epoch -> parked
    fenced epoch -> parked
    request failed -> leaving: doubt 1, want coordinator
    60 s -> parked
    1 h -> parked
parked
    subscribe nothing -> unjoined
    coordinator failed -> broken: failed
    poll waits -> joining: send ConsumerGroupHeartbeat(0 all has)
    poll over -> joining: send ConsumerGroupHeartbeat(0 all has)
    leave -> gone: left
    leave untold -> gone: left
gone
    leave -> gone: left
    leave untold -> gone: left
broken
    leave -> gone: left
    leave untold -> gone: left
)";
