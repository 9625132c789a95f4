// Groups: one owner at a time, who starts where the group has committed and commits no more than it has read.
#include <algorithm>
#include <optional>

#include "sim/checks/checks.hpp"

namespace kafkawire::testing::checks {

namespace {

struct owned {
    std::optional<id> by;     // the assignment that holds
    std::vector<id> commits;  // those that may be the committed offset now
};

}  // namespace

void checker::groups() {
    std::map<std::pair<std::int32_t, std::int32_t>, owned> all;                             // by group and partition
    std::map<std::tuple<std::int32_t, std::int32_t, std::int64_t>, std::int64_t> position;  // by consumer, partition, epoch
    std::map<std::tuple<std::int32_t, std::int32_t, std::int64_t>, id> live;                // assignments
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        const auto key = std::tuple{o.process, o.partition, o.epoch};
        switch (o.what) {
            case operation::kind::read: {
                auto& p = position.try_emplace(key, 0).first->second;
                p = std::max(p, o.offset + 1);
                break;
            }
            case operation::kind::assign: {
                position[key] = std::max<std::int64_t>(o.offset, 0);
                live[key] = i;
                if (o.group < 0) break;
                auto& p = all[{o.group, o.partition}];
                if (p.by) blame("two-owners", h.name(o.partition) + " of group " + std::to_string(o.group) + " has two owners", {*p.by, i});
                p.by = i;
                const auto may_be = [&](id c) { return op(c).offset == o.offset; };
                if (!p.commits.empty() && std::ranges::none_of(p.commits, may_be))
                    blame("wrong-start",
                          "an assignment of " + h.name(o.partition) + " starts at " + std::to_string(o.offset) + ", committed was " +
                              std::to_string(op(p.commits.back()).offset),
                          {p.commits.back(), i});
                break;
            }
            case operation::kind::revoke: {
                live.erase(key);
                if (o.group < 0) break;
                auto& p = all[{o.group, o.partition}];
                if (p.by && op(*p.by).process == o.process && op(*p.by).epoch == o.epoch) p.by.reset();
                break;
            }
            case operation::kind::commit: {
                if (o.result == outcome::failed) break;
                const auto at_most = position.find(key);
                if (o.result == outcome::ok && !live.count(key))
                    blame("commit-not-owned",
                          "a commit was taken for " + h.name(o.partition) + " in an epoch in which its member did not have it", {i});
                else if (at_most != position.end() && o.offset > at_most->second)
                    blame("commit-ahead",
                          "offset " + std::to_string(o.offset) + " of " + h.name(o.partition) + " was committed, only " +
                              std::to_string(at_most->second) + " was reached",
                          {i});
                // What ended before this one began is overwritten by it. One without a known end may still arrive.
                auto& c = all[{o.group, o.partition}].commits;
                if (o.result == outcome::ok)
                    std::erase_if(c, [&](id before) { return op(before).result == outcome::ok && op(before).ended <= o.began; });
                c.push_back(i);
                break;
            }
            default: break;
        }
    }
}

}  // namespace kafkawire::testing::checks
