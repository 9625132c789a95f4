#include "storm.hpp"

namespace schedules {

namespace {
constexpr kw::sim::ip_address nobody{};
}  // namespace

storm::storm(cluster_world& w, std::chrono::nanoseconds until, const weather& how)
    : w_{w}, control_{w.cluster->control()}, until_{until}, wide_{how.wide}, transactions_{how.transactions}, groups_{how.groups} {
    for (int i = 0; i < how.faults; ++i) later(w.world.random().between(std::chrono::nanoseconds{1s}, until - 1s), [this] { strike(); });
    later(until, [this] { calm(); });
}

std::uint64_t storm::fired() const {
    auto n = fired_ + w_.world.count().cut;
    for (const auto id : planted_) n += control_.hits(id) > 0;
    return n;
}

std::chrono::nanoseconds storm::spell() {
    auto& r = w_.world.random();
    const auto d = r.chance(300'000) ? r.between(std::chrono::nanoseconds{1s}, std::chrono::nanoseconds{12s})
                                     : r.between(std::chrono::nanoseconds{10ms}, std::chrono::nanoseconds{1500ms});
    return std::min(d, std::max(until_ - w_.world.elapsed(), std::chrono::nanoseconds{0}));
}

void storm::strike() {
    if (groups_ && w_.world.random().chance(300'000)) return strike_groups();
    switch (w_.world.random().below(wide_ ? 7 : 4)) {
        case 0: return strike_network();
        case 1: return strike_nodes();
        case 2: return strike_partitions();
        case 3: return strike_answers();
        case 4: return strike_codes();
        default: return strike_cluster();
    }
}

kw::sim::host& storm::some_application() {
    if (w_.members.empty()) return w_.app;
    const auto which = w_.world.random().below(w_.members.size() + 1);
    return which == 0 ? w_.app : *w_.members[which - 1];
}

// Between an application and one node.
void storm::strike_network() {
    auto& w = w_.world;
    auto& r = w.random();
    auto& app = some_application();
    auto& node = *w_.nodes[r.below(w_.nodes.size())];
    const bool to_node = r.chance(500'000);
    auto &from = to_node ? app : node, &to = to_node ? node : app;
    const auto how = r.chance(700'000) ? kw::sim::cut::reset : kw::sim::cut::end;
    const auto slow_down = [&](const kw::sim::link_settings& l) {
        w.set_link(from, to, l);
        later(spell(), [this, &w, &from, &to] { w.set_link(from, to, w_.usual); });
    };
    switch (r.below(7)) {
        case 0:  // counted when it comes to pass, as the next
            w.cut_after(from, to, r.below(r.chance(500'000) ? 200 : 3000), how);
            return;
        case 1: w.cut_now(app, node, how); return;
        case 2:
            w.partition(app, node);
            later(spell(), [&w, &app, &node] { w.heal(app, node); });
            break;
        case 3:  // one way: what is asked arrives, what is answered does not, or the reverse
            w.block(from, to);
            later(spell(), [&w, &from, &to] { w.unblock(from, to); });
            break;
        case 4: slow_down({.delay = kw::sim::delay_law::pareto(1ms, 110, 4s), .window = w_.usual.window}); break;
        case 5: slow_down({.bytes_per_second = 500, .window = w_.usual.window}); break;
        case 6:
            w.refuse(node);
            w.cut_now(app, node, how);
            w.fail_name(node.name());
            later(spell(), [&w, &node] {
                w.refuse(node, false);
                w.set_name(node.name(), {node.address()});
            });
            break;
    }
    ++fired_;
}

// A node goes, as a machine of the network or as a member of the cluster, and comes back.
void storm::strike_nodes() {
    auto& r = w_.world.random();
    const auto number = static_cast<std::int32_t>(1 + r.below(w_.nodes.size()));
    auto& node = *w_.nodes[static_cast<std::size_t>(number - 1)];
    const auto back = [this, number] { (void)control_.node_up(number); };
    switch (r.below(7)) {
        case 0:
            node.down();
            later(spell(), [&node] { node.up(); });
            break;
        case 1:
            node.pause();
            later(spell(), [&node] { node.resume(); });
            break;
        case 2:
            node.vanish();
            later(spell(), [&node] { node.up(); });
            break;
        case 3:
            (void)control_.node_down(number);
            later(spell(), back);
            break;
        case 4:
            (void)control_.node_killed(number);
            later(spell(), back);
            break;
        case 5:
            (void)control_.node_paused(number);
            later(spell(), back);
            break;
        case 6: (void)control_.close_connections(number); break;
    }
    ++fired_;
}

// Leaders and coordinators move; nodes tell old stories about that.
void storm::strike_partitions() {
    auto& r = w_.world.random();
    const auto number = static_cast<std::int32_t>(1 + r.below(w_.nodes.size()));
    const auto partition = static_cast<std::int32_t>(r.below(partitions));
    bool done = true;
    switch (r.below(6)) {
        case 0:
        case 1: done = !control_.move_leader(topic, partition, number); break;
        case 2: done = !control_.raise_epoch(topic, partition); break;
        case 3:  // all at once
            for (std::int32_t p = 0; p < partitions; ++p)
                (void)control_.move_leader(topic, p, static_cast<std::int32_t>(1 + r.below(w_.nodes.size())));
            break;
        case 4:
            done = !control_.freeze_metadata(number);
            if (done) w_.lagging.insert(number);
            later(spell(), [this, number] {
                (void)control_.thaw_metadata(number);
                w_.lagging.erase(number);
            });
            break;
        case 5:
            if (groups_) done = !control_.move_group_coordinator(readers, number);
            else if (transactions_ && r.chance(300'000)) done = !control_.move_group_coordinator("group-" + std::to_string(r.below(3)), number);
            else done = !control_.move_transaction_coordinator("tx-" + std::to_string(50 + r.below(3)), number);
            break;
    }
    fired_ += done;
}

// What nodes answer: late, never, wrongly. Errors are such as a Kafka in trouble gives; some are told although the request was carried out.
void storm::strike_answers() {
    using e = kw::broker_errc;
    auto& r = w_.world.random();
    static constexpr std::int16_t apis[] = {0, 0, 0, 1, 3, 10, 22, 26};
    static constexpr std::int16_t of_transactions[] = {0, 0, 1, 3, 10, 22, 24, 25, 26, 26, 28, 28};
    kw::broker::fault f;
    static constexpr std::int16_t of_groups[] = {0, 1, 1, 1, 2, 3, 8, 8, 9, 9, 10, 11, 11, 12, 12, 13, 14, 14, 23, 68, 68, 68};
    const bool of_group = groups_ && (!transactions_ || r.chance(500'000));
    const std::span<const std::int16_t> some = of_group ? std::span<const std::int16_t>{of_groups} : transactions_ ? std::span<const std::int16_t>{of_transactions} : std::span<const std::int16_t>{apis};
    f.api = some[r.below(some.size())];
    f.count = r.between(std::int64_t{1}, std::int64_t{4});
    switch (r.below(9)) {
        case 0: f.delay = r.between(std::chrono::nanoseconds{10ms}, std::chrono::nanoseconds{6s}); break;
        case 1: f.close = true; break;
        case 2: f.drop_request = true; break;
        case 3: f.reply_delay = r.between(std::chrono::nanoseconds{10ms}, std::chrono::nanoseconds{6s}); break;
        case 4: f.drop_reply = true; break;
        case 5: f.cut = r.below(60); break;
        case 6: f.trickle = 1 + r.below(10); break;
        case 7: f.garbage = kw::broker::garbage::frame; break;
        case 8: {
            const bool of_coordinator = *f.api == 10 || (*f.api >= 22 && *f.api != 23) || (*f.api >= 8 && *f.api <= 14);
            static constexpr e of_leaders[] = {e::not_leader_or_follower, e::unknown_topic_or_partition, e::request_timed_out,
                                               e::leader_not_available};
            static constexpr e of_coordinators[] = {e::coordinator_load_in_progress, e::coordinator_not_available, e::not_coordinator};
            f.error = of_coordinator ? of_coordinators[r.below(std::size(of_coordinators))] : of_leaders[r.below(std::size(of_leaders))];
            if (of_coordinator && transactions_ && r.chance(200'000)) f.error = e::unknown_server_error;  // it broke down inside, before or after
            f.error_at = *f.api == 3 || *f.api == 0 ? kw::broker::error_place::items : kw::broker::error_place::everywhere;
            f.carry_out = r.chance(500'000);
            break;
        }
    }
    planted_.push_back(control_.add(f));
}

// Any error code of the protocol, told without a reason. Nothing is carried out then: an answer that lies about that is no Kafka's.
void storm::strike_codes() {
    auto& r = w_.world.random();
    static constexpr std::int16_t apis[] = {0, 0, 0, 3, 22};
    kw::broker::fault f;
    f.api = apis[r.below(std::size(apis))];
    f.count = r.between(std::int64_t{1}, std::int64_t{4});
    do f.error = static_cast<kw::broker_errc>(r.between(std::int64_t{-1}, std::int64_t{133}));
    while (static_cast<int>(*f.error) == 0 || *f.error == kw::broker_errc::duplicate_sequence_number || !kw::find_broker_error(static_cast<std::int16_t>(*f.error)));
    f.error_at = r.chance(500'000) ? kw::broker::error_place::items : kw::broker::error_place::everywhere;
    planted_.push_back(control_.add(f));
}

namespace {

// What no Kafka says unless it is true: that the log has not got that offset, that nobody has committed anything, that it cannot tell where logs part.
// Whoever believes it begins anew.
bool is_lie(std::int16_t api, kw::broker_errc code) {
    using e = kw::broker_errc;
    if (api == 23) return code == e::offset_out_of_range || code == e::unsupported_version || code == e::unsupported_for_message_format || code == e::topic_authorization_failed || code == e::cluster_authorization_failed;
    if (api == 9) return code == kw::broker_errc::group_id_not_found || code == kw::broker_errc::unknown_topic_or_partition;
    return api != 8 && code == kw::broker_errc::offset_out_of_range;
}

}  // namespace

// Any error code of the protocol to what consumers and members ask.
void storm::strike_groups() {
    auto& r = w_.world.random();
    static constexpr std::int16_t apis[] = {1, 1, 2, 3, 8, 8, 9, 9, 10, 11, 11, 12, 12, 13, 14, 14, 23, 68, 68, 68};
    // Half of them those that mean something here.
    using e = kw::broker_errc;
    static constexpr e meant[] = {e::coordinator_load_in_progress, e::coordinator_not_available, e::not_coordinator, e::illegal_generation, e::unknown_member_id,
                                  e::rebalance_in_progress, e::fenced_member_epoch, e::stale_member_epoch, e::unreleased_instance_id, e::fetch_session_id_not_found,
                                  e::invalid_fetch_session_epoch, e::fenced_leader_epoch, e::unknown_leader_epoch, e::unstable_offset_commit, e::network_exception};
    kw::broker::fault f;
    f.api = apis[r.below(std::size(apis))];
    f.count = r.between(std::int64_t{1}, std::int64_t{4});
    const bool known = r.chance(500'000);
    do f.error = known ? meant[r.below(std::size(meant))] : static_cast<e>(r.between(std::int64_t{-1}, std::int64_t{133}));
    while (static_cast<int>(*f.error) == 0 || !kw::find_broker_error(static_cast<std::int16_t>(*f.error)) || is_lie(*f.api, *f.error));
    // Where there is no place for a code, the answer would say that all is well.
    const bool elsewhere = r.chance(500'000);
    if (elsewhere && *f.api == 1) f.error_at = kw::broker::error_place::top;
    if (elsewhere && *f.api == 9) f.error_at = kw::broker::error_place::items;
    planted_.push_back(control_.add(f));
}

// The cluster as a whole, and what is around it.
void storm::strike_cluster() {
    auto& w = w_.world;
    auto& r = w.random();
    auto& node = *w_.nodes[r.below(w_.nodes.size())];
    kw::broker::fault f;
    switch (r.below(9)) {
        case 0: restart_in_turn(1); break;
        case 1:
            for (auto* n : w_.nodes) n->down();
            later(spell(), [this] {
                for (auto* n : w_.nodes) n->up();
            });
            break;
        case 2: elect_until(w.elapsed() + spell()); break;
        case 3:  // too few replicas: the second is told of what the leader has already written
            f.api = std::int16_t{0};
            f.carry_out = r.chance(500'000);
            f.error = f.carry_out ? kw::broker_errc::not_enough_replicas_after_append : kw::broker_errc::not_enough_replicas;
            f.error_at = kw::broker::error_place::items;
            plant_for(f, spell());
            return;
        case 4: {
            const auto by = std::chrono::hours{r.chance(500'000) ? 24 : -24};
            w_.app.shift_wall_clock(by);
            later(spell(), [this, by] { w_.app.shift_wall_clock(-by); });
            break;
        }
        case 5: {
            // Less than a day in all: after one brokers rightly forget the producers that they knew (producer.id.expiration.ms).
            const auto by = std::chrono::hours{r.chance(500'000) ? 5 : -5};
            control_.move_wall_clock(by);
            later(spell(), [this, by] { control_.move_wall_clock(-by); });
            break;
        }
        case 6:
            f.throttle = std::chrono::milliseconds{r.between(std::int64_t{10}, std::int64_t{8000})};
            if (r.chance(700'000)) f.api = std::int16_t{0};
            f.count = r.between(std::int64_t{1}, std::int64_t{4});
            planted_.push_back(control_.add(f));
            return;
        case 7:  // a full disk
            f.api = std::int16_t{0};
            f.node = static_cast<std::int32_t>(1 + r.below(w_.nodes.size()));
            f.error = kw::broker_errc::kafka_storage_error;
            f.error_at = kw::broker::error_place::items;
            plant_for(f, spell());
            return;
        case 8:  // the name leads to an address where nobody lives, alone or beside the right one
            w.set_name(node.name(), r.chance(500'000) ? std::vector{nobody} : std::vector{nobody, node.address()});
            w.cut_now(w_.app, node, kw::sim::cut::reset);
            later(spell(), [&w, &node] { w.set_name(node.name(), {node.address()}); });
            break;
    }
    ++fired_;
}

// One node after the other: each in good order, and back before the next goes.
void storm::restart_in_turn(std::int32_t number) {
    if (number > static_cast<std::int32_t>(w_.nodes.size()) || w_.world.elapsed() >= until_) return;
    (void)control_.node_down(number);
    later(spell(), [this, number] {
        (void)control_.node_up(number);
        later(100ms, [this, number] { restart_in_turn(number + 1); });
    });
}

void storm::elect_until(std::chrono::nanoseconds end) {
    if (w_.world.elapsed() >= end) return;
    auto& r = w_.world.random();
    const auto partition = static_cast<std::int32_t>(r.below(partitions));  // drawn before the node, by every compiler
    (void)control_.move_leader(topic, partition, static_cast<std::int32_t>(1 + r.below(w_.nodes.size())));
    later(200ms, [this, end] { elect_until(end); });
}

void storm::plant_for(const kw::broker::fault& f, std::chrono::nanoseconds d) {
    const auto id = control_.add(f);
    later(d, [this, id] {
        fired_ += control_.hits(id) > 0;  // forgotten with it
        control_.remove(id);
    });
}

void storm::calm() {
    auto& w = w_.world;
    fired_ = fired() - w.count().cut;  // hits are forgotten with their faults
    planted_.clear();
    control_.clear_faults();
    for (std::size_t i = 0; i < w_.nodes.size(); ++i) {
        auto* n = w_.nodes[i];
        n->up();
        n->resume();
        w.refuse(*n, false);
        w.set_name(n->name(), {n->address()});
        w.set_link(w_.app, *n, w_.usual);
        w.set_link(*n, w_.app, w_.usual);
        for (auto* m : w_.members) {
            w.set_link(*m, *n, w_.usual);
            w.set_link(*n, *m, w_.usual);
        }
        (void)control_.node_up(static_cast<std::int32_t>(i + 1));
        (void)control_.thaw_metadata(static_cast<std::int32_t>(i + 1));
    }
    w.heal_all();
}

}  // namespace schedules
