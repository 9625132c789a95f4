// A node that is in the bootstrap list and answers Metadata with whatever comes to its mind: hosts of 100 KB, impossible ports, a node twice, brokers
// without end, topics and partitions by the thousand, leaders that are nobody, epochs of the year 3000, ids of other topics. Asked for anything else it
// hangs up or is silent, so that it has no record and gives no promise.
#pragma once
#include <memory>

#include "cluster_world.hpp"

namespace schedules {

class liar {
public:
    /// Its host is "liar"; it begins to serve at once, and to lie in that part of a million of its answers.
    liar(cluster_world& w, std::uint32_t of_a_million);
    ~liar();
    /// Gone for good.
    void leave();
    [[nodiscard]] std::uint64_t lies() const noexcept;

private:
    struct inside;
    std::shared_ptr<inside> inside_;
};

}  // namespace schedules
