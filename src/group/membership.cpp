#include "group/membership.hpp"

#include <utility>

namespace kafkawire::group {

void fit(message& m, std::int16_t version) {
    auto* l = std::get_if<messages::leave_group_request>(&m);
    if (!l || version >= 3 || l->members.empty()) return;
    l->member_id = std::move(l->members.front().member_id);
    l->members.clear();
}

}  // namespace kafkawire::group
