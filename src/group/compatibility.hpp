// Which strategies can be in one group: a consumer's own list, what a coordinator chooses from the lists of all members, and what a person is
// told when there is nothing to choose. Plain functions, thread-safe.
//
// A group changes its strategy without a stop in two rounds of restarts. From an eager one to a cooperative one, say from range:
//   1. each member lists cooperative-sticky and range. The group goes on with range until the last one lists both; then a member's vote goes to the
//      first of its list, cooperative-sticky. All of them are still eager, since range is in their lists.
//   2. each member lists cooperative-sticky alone, and is cooperative from then on. An eager one beside it owns nothing when it joins, so nothing
//      has to be waited for.
// One round alone, with some members on range and some on cooperative-sticky, has no strategy in common: the coordinator refuses the newcomers.
#pragma once
#include <kafkawire/assignor.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/15_describe_groups.hpp>

#include <memory>

namespace kafkawire::group {

/// The strategies of a consumer, by name, best first. None of them is made if something is wrong (errc::bad_configuration): an empty list, a name that is
/// unknown or there twice, strategies of which one is only eager and another only cooperative; or what a factory has thrown.
[[nodiscard]] error make_strategies(std::span<const std::string> names, std::vector<std::shared_ptr<assignor>>& to);

/// Whether a consumer with this list keeps what it has while it joins: if all of them can.
[[nodiscard]] bool cooperative(std::span<const std::shared_ptr<assignor>> list) noexcept;

/// What a coordinator chooses, from each member's list: of those that all have, the one that is the first such in most lists; of two the lesser
/// name. Nothing: no strategy is in all lists.
[[nodiscard]] std::optional<std::string> common_strategy(std::span<const std::vector<std::string>> lists);

/// The story of INCONSISTENT_GROUP_PROTOCOL, with what the others have. `said`: what DescribeGroups answered of the group; null: it was not asked, or did
/// not answer.
[[nodiscard]] error incompatible(std::string_view group, std::span<const std::string> own, const protocol::messages::describe_groups_response::described_group* said);

}  // namespace kafkawire::group
