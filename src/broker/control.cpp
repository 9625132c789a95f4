#include <kafkawire/broker/control.hpp>

#include "broker/cluster_driver.hpp"
#include "broker/coordinator_lookup.hpp"

namespace kafkawire::broker {

struct control::access {
    static std::shared_ptr<cluster::driver> open(const control& c) {
        auto d = std::static_pointer_cast<cluster::driver>(c.driver_.lock());
        return d && !d->closed() ? d : nullptr;
    }
    /// An event that answers with a code.
    template <class F>
    static std::error_code step(const control& c, F event) {
        const auto d = open(c);
        return d ? d->step(event) : std::error_code{errc::connection_closed};
    }
};

using machine = cluster_fsm;

fault_id control::add(const fault& f) {
    if (const auto why = fault_rules::refuse(f)) throw system_error{error{.code = errc::bad_configuration, .text = "a fault: " + *why}};
    const auto d = access::open(*this);
    return d ? d->machine().faults().add(f) : 0;
}
bool control::remove(fault_id id) {
    const auto d = access::open(*this);
    return d && d->machine().faults().remove(id);
}
void control::clear_faults() {
    if (const auto d = access::open(*this)) d->machine().faults().clear();
}
std::vector<fault_count> control::faults() const {
    const auto d = access::open(*this);
    return d ? d->machine().faults().counts() : std::vector<fault_count>{};
}
std::int64_t control::hits(fault_id id) const {
    for (const auto& f : faults())
        if (f.id == id) return f.hits;
    return 0;
}
std::int64_t control::hits(std::string_view name) const {
    std::int64_t sum = 0;
    for (const auto& f : faults())
        if (f.name == name) sum += f.hits;
    return sum;
}

std::error_code control::node_down(std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.node_down(node, now); });
}
std::error_code control::node_killed(std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.node_killed(node, now); });
}
std::error_code control::node_paused(std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.node_paused(node, now); });
}
std::error_code control::node_up(std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.node_up(node, now); });
}
std::error_code control::close_connections(std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.close_connections(node, now); });
}
std::error_code control::move_leader(std::string_view topic, std::int32_t partition, std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.move_leader(topic, partition, node, now); });
}
std::error_code control::raise_epoch(std::string_view topic, std::int32_t partition) {
    return access::step(*this, [&](machine& m, moment now) { return m.raise_epoch(topic, partition, now); });
}
std::error_code control::truncate(std::string_view topic, std::int32_t partition, std::int64_t offset) {
    return access::step(*this, [&](machine& m, moment now) { return m.truncate(topic, partition, offset, now); });
}
std::error_code control::move_group_coordinator(std::string_view group, std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.move_coordinator(group_topic, group, node, now); });
}
std::error_code control::move_transaction_coordinator(std::string_view transactional_id, std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.move_coordinator(transaction_topic, transactional_id, node, now); });
}
std::error_code control::freeze_metadata(std::int32_t node) {
    return access::step(*this, [&](machine& m, moment now) { return m.freeze_metadata(node, now); });
}
std::error_code control::thaw_metadata(std::int32_t node) {
    return access::step(*this, [&](machine& m, moment) { return m.thaw_metadata(node); });
}
void control::set_password(std::string_view user, const secret& password) {
    if (const auto d = access::open(*this)) d->machine().set_password(user, password);
}
void control::move_wall_clock(std::chrono::nanoseconds by) {
    static_cast<void>(access::step(*this, [&](machine& m, moment now) { return m.move_wall_clock(by, now), std::error_code{}; }));
}
std::error_code control::advance_clock(std::chrono::nanoseconds by) {
    return access::step(*this, [&](machine& m, moment now) { return m.advance_clock(by, now); });
}

cluster_view control::view() const {
    const auto d = access::open(*this);
    return d ? d->step([](machine& m, moment now) { return m.view(now); }) : cluster_view{};
}
std::vector<passed> control::history() const {
    const auto d = access::open(*this);
    return d ? d->machine().history().messages() : std::vector<passed>{};
}
void control::keep_history(std::size_t messages) {
    if (const auto d = access::open(*this)) d->machine().history().keep(messages);
}
std::vector<api_traffic> control::traffic() const {
    const auto d = access::open(*this);
    return d ? d->machine().history().traffic() : std::vector<api_traffic>{};
}

}  // namespace kafkawire::broker
