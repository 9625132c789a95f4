// What happens in each state of a member of the classic protocol: the state afterwards, and the actions. What is not listed changes nothing and says nothing.
#pragma once

inline constexpr const char* classic_edges = R"(
unjoined
    subscribe a b -> joining: want coordinator
    subscribe b -> joining: want coordinator
    coordinator failed -> broken: failed
    leave -> gone: left
    leave untold -> gone: left
joining
    subscribe nothing -> unjoined
    coordinator moved -> joining: send JoinGroup apart
    coordinator failed -> broken: failed
    join answered -> syncing: trust 1, send SyncGroup
    join leads -> assigning: trust 1, watch a
    request failed -> joining: doubt 1, want coordinator
    leave -> gone: left
    leave untold -> gone: left
joining again
    subscribe nothing -> revoking: revoke a0 a1, send Heartbeat apart
    coordinator moved -> joining: send JoinGroup apart
    coordinator failed -> broken: lose a0 a1, failed
    join answered -> syncing: send SyncGroup
    join leads -> assigning: watch a
    request failed -> joining: doubt 1, want coordinator
    leave -> revoking: revoke a0 a1, send Heartbeat apart
    leave untold -> revoking: revoke a0 a1, send Heartbeat apart
assigning
    subscribe nothing -> leaving: watch, send LeaveGroup
    metadata -> syncing: send SyncGroup
    coordinator moved -> assigning: send Heartbeat
    coordinator failed -> broken: watch, failed
    heartbeat: rebalance -> joining: send JoinGroup
    heartbeat: unknown -> joining: watch, send JoinGroup
    heartbeat failed -> assigning: doubt 1, want coordinator
    commit: rebalance -> joining: send JoinGroup
    commit: unknown -> joining: watch, send JoinGroup
    leave -> leaving: watch, send LeaveGroup
    leave untold -> gone: watch, left
    60 s -> syncing: send SyncGroup
    1 h -> syncing: send SyncGroup
syncing
    subscribe nothing -> leaving: send LeaveGroup apart
    coordinator moved -> syncing: send SyncGroup apart
    coordinator failed -> broken: failed
    sync answered -> adopting: assign [a1 a2]
    request failed -> syncing: doubt 1, want coordinator
    leave -> leaving: send LeaveGroup apart
    leave untold -> gone: left
adopting
    subscribe nothing -> revoking: revoke a0 a1
    coordinator moved -> adopting: send Heartbeat
    coordinator failed -> broken: lose a0 a1, failed
    heartbeat: unknown -> joining: lose a0 a1, send JoinGroup
    heartbeat failed -> adopting: doubt 1, want coordinator
    callback done -> stable: rebalanced
    commit: unknown -> joining: lose a0 a1, send JoinGroup
    leave -> revoking: revoke a0 a1
    leave untold -> revoking: revoke a0 a1
    60 s -> joining: trouble, doubt 1, lose a0 a1, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0 a1, want coordinator
stable
    subscribe a b -> joining: send JoinGroup
    subscribe b -> revoking: revoke a0 a1
    subscribe nothing -> revoking: revoke a0 a1
    coordinator moved -> stable: send Heartbeat
    coordinator failed -> broken: lose a0 a1, failed
    heartbeat: rebalance -> joining: send JoinGroup
    heartbeat: unknown -> joining: lose a0 a1, send JoinGroup
    heartbeat failed -> stable: doubt 1, want coordinator
    commit: rebalance -> joining: send JoinGroup
    commit: unknown -> joining: lose a0 a1, send JoinGroup
    rejoin asked -> joining: send JoinGroup
    leave -> revoking: revoke a0 a1
    leave untold -> revoking: revoke a0 a1
    60 s -> joining: trouble, doubt 1, lose a0 a1, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0 a1, want coordinator
stable, eager
    subscribe a b -> revoking: revoke a0 a1
    subscribe b -> revoking: revoke a0 a1
    subscribe nothing -> revoking: revoke a0 a1
    coordinator moved -> stable: send Heartbeat
    coordinator failed -> broken: lose a0 a1, failed
    heartbeat: rebalance -> revoking: revoke a0 a1
    heartbeat: unknown -> joining: lose a0 a1, send JoinGroup
    heartbeat failed -> stable: doubt 1, want coordinator
    commit: rebalance -> revoking: revoke a0 a1
    commit: unknown -> joining: lose a0 a1, send JoinGroup
    rejoin asked -> revoking: revoke a0 a1
    leave -> revoking: revoke a0 a1
    leave untold -> revoking: revoke a0 a1
    60 s -> joining: trouble, doubt 1, lose a0 a1, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0 a1, want coordinator
revoking to join
    coordinator moved -> revoking: send Heartbeat
    coordinator failed -> broken: lose what goes, failed
    heartbeat: unknown -> joining: lose what goes, send JoinGroup
    heartbeat failed -> revoking: doubt 1, want coordinator
    callback done -> joining: send JoinGroup
    commit: unknown -> joining: lose what goes, send JoinGroup
    1 h -> joining: lose what goes, send JoinGroup
revoking to adopt
    coordinator moved -> revoking: send Heartbeat
    coordinator failed -> broken: lose a0, failed
    heartbeat: unknown -> joining: lose a0, send JoinGroup
    heartbeat failed -> revoking: doubt 1, want coordinator
    callback done -> adopting: assign [a2]
    commit: unknown -> joining: lose a0, send JoinGroup
    60 s -> joining: trouble, doubt 1, lose a0, want coordinator
    1 h -> joining: trouble, doubt 1, lose a0, want coordinator
revoking to leave
    coordinator moved -> revoking: send Heartbeat
    coordinator failed -> gone: lose what goes, left
    heartbeat: unknown -> revoking: lose what goes
    heartbeat failed -> revoking: doubt 1, want coordinator
    callback done -> leaving: send LeaveGroup
    commit: unknown -> revoking: lose what goes
    60 s -> gone: lose what goes, send LeaveGroup, left
    1 h -> gone: lose what goes, send LeaveGroup, left
leaving
    coordinator moved -> leaving: send LeaveGroup
    coordinator failed -> unjoined
    leave answered -> unjoined
    request failed -> leaving: doubt 1, want coordinator
    60 s -> unjoined
    1 h -> unjoined
leaving to park
    coordinator moved -> leaving: send LeaveGroup
    coordinator failed -> parked
    leave answered -> parked
    request failed -> leaving: doubt 1, want coordinator
    60 s -> parked
    1 h -> parked
parked
    subscribe nothing -> unjoined
    coordinator failed -> broken: failed
    poll waits -> joining: send JoinGroup
    poll over -> joining: send JoinGroup
    leave -> gone: left
    leave untold -> gone: left
gone
    leave -> gone: left
    leave untold -> gone: left
broken
    leave -> gone: left
    leave untold -> gone: left
)";
