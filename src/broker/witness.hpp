// Who looks on at what coordinators have and take: the checkers of the simulated schedules (tests/sim), to whom the truth matters, whatever an answer
// says that a fault has changed. Nothing else may set it; it is each thread's own, because simulated worlds run in several.
#pragma once
#include "broker/group_shard.hpp"

namespace kafkawire::broker {

class group_witness {
public:
    virtual ~group_witness() = default;
    /// This one serves its groups from now on; not any more.
    virtual void begins(const group_shard& which) = 0;
    virtual void ends(const group_shard& which) = 0;
    /// These offsets are being written, for somebody who may. `in` is the group as it is now. Must not call the cluster back.
    virtual void taken(const committer& who, const std::vector<offset_commit>& what, const group& in) = 0;
};
inline thread_local group_witness* witness = nullptr;

}  // namespace kafkawire::broker
