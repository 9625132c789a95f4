// Who gets which partitions in a group of the classic protocol. Four strategies are here by name, and a program may add its own:
//
//   struct by_tenant final : kw::assignor {
//       std::string_view name() const noexcept override { return "by_tenant"; }
//       kw::group_assignment assign(const kw::group_view& group) override;
//   };
//   kw::register_assignor("by_tenant", [] { return std::make_unique<by_tenant>(); });
//
// range               For each topic alone: the members in order take neighbouring partitions; topics of equal size go in step (for joins).
// roundrobin          All partitions in order, each to the next member that is subscribed.
// sticky              As even as the subscriptions allow; then as many partitions as possible near their reader; then as few moves as possible.
// cooperative-sticky  The same, and a partition that moves is first given up by its owner while everybody reads on (KIP-429).
//
// range, sticky and cooperative-sticky look at racks (KIP-881), if members say theirs and not every partition has a replica in every rack.
// The names and the bytes are those of Java's client; members of both may be in one group.
//
// One member of the group, its leader, assigns for all. All members must list the strategy that is used. To move a group from an eager strategy
// to a cooperative one without stopping it, list both in a first round of restarts (the new one first), and the new one alone in a second.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::inline v0_1 {

/// Some partitions of one topic.
struct topic_partitions {
    std::string topic;
    std::vector<std::int32_t> partitions;
    friend bool operator==(const topic_partitions&, const topic_partitions&) = default;
};

/// What the leader knows of a member, from the member's own words: any of it may be wrong, doubled or out of date.
struct assignor_member {
    std::string id;                                ///< given by the coordinator, unique
    std::optional<std::string> instance_id{};      ///< of a static member (KIP-345)
    std::vector<std::string> topics{};             ///< subscribed to; some may not exist
    std::vector<topic_partitions> owned{};         ///< still held: a cooperative member's; an eager one has given up all before it joins
    std::int32_t generation = -1;                  ///< in which it held them; -1: not said (KIP-792)
    std::string rack{};                            ///< empty: not said
    std::optional<protocol::bytes> user_data{};    ///< what its assignor's user_data() gave
};

/// A topic that at least one member is subscribed to, and that exists.
struct assignor_topic {
    std::string name;
    std::int32_t partitions = 0;
    /// Of each partition the racks of its replicas, in any order; empty: no racks are known. Shorter than `partitions`: the rest has none.
    std::vector<std::vector<std::string>> replica_racks{};
};

/// All that an assignment is made from. Borrowed for the call.
struct group_view {
    std::span<const assignor_member> members;
    std::span<const assignor_topic> topics;
};

struct member_assignment {
    std::vector<topic_partitions> partitions{};
    std::optional<protocol::bytes> user_data{};    ///< handed to that member's assigned()
    friend bool operator==(const member_assignment&, const member_assignment&) = default;
};
/// One for each member, in the order of group_view::members.
using group_assignment = std::vector<member_assignment>;

/// What a member is and had, when it writes its subscription or has been given partitions.
struct member_state {
    std::span<const std::string> topics;
    std::span<const topic_partitions> partitions;  ///< of its latest assignment, also if it has given them up since
    std::int32_t generation = -1;                  ///< of that assignment; -1: there was none
};

/// How members of a strategy can change over to a new assignment. A consumer is cooperative if all of the strategies that it lists can be.
struct rebalance_protocols {
    bool eager = true;                             ///< everything is given up before the group is joined again
    bool cooperative = false;                      ///< only what goes to another is given up; assign() must then leave out what another still owns
};

/// A strategy. One object per consumer; it may keep what it likes between calls. Only the consumer's executor calls it. The bytes and lists
/// that a function is given are borrowed for the call. An exception fails that attempt to join: the consumer reports it, and tries again after
/// a pause.
class KAFKAWIRE_API assignor {
public:
    virtual ~assignor() = default;
    /// The same name in all members. Not empty, at most 32,767 bytes, and the same as long as the object lives.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    [[nodiscard]] virtual rebalance_protocols protocols() const noexcept { return {}; }
    /// Goes to the leader with this member's subscription; none by default.
    [[nodiscard]] virtual std::optional<protocol::bytes> user_data(const member_state& self) {
        (void)self;
        return std::nullopt;
    }
    /// The leader's: who gets what. What is not given to anybody is not read. The consumer refuses a result of another size, with partitions
    /// that do not exist or are given twice, or of topics that the member is not subscribed to: that fails the attempt as an exception does,
    /// and the text names the member and the partition.
    [[nodiscard]] virtual group_assignment assign(const group_view& group) = 0;
    /// This member was given partitions; called before the application hears of it.
    virtual void assigned(const member_state& self, protocol::bytes_view user_data) {
        (void)self;
        (void)user_data;
    }
};

using assignor_factory = std::function<std::unique_ptr<assignor>()>;

/// Makes `name` known to every consumer that is made afterwards, and replaces one of that name; the four above cannot be replaced, nor can a
/// name be empty: then std::invalid_argument is thrown. `make` may be called from any thread that has a consumer. Thread-safe.
KAFKAWIRE_API void register_assignor(std::string name, assignor_factory make);
/// The four above, and those that were registered, sorted. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::vector<std::string> assignor_names();
/// Null for a name that is not known. librdkafka's and franz-go's names are the same. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::unique_ptr<assignor> make_assignor(std::string_view name);

}  // namespace kafkawire::inline v0_1
