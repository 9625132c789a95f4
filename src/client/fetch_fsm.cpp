// Partitions, and what is asked of whom next. What answers mean is in fetch_answers.cpp.
#include "client/fetch_fsm.hpp"

#include <algorithm>
#include <stdexcept>

namespace kafkawire::client_detail {

namespace {
constexpr std::size_t answer_overhead = 4096;               // of what is around the records of an answer
}  // namespace

std::string_view name_of(const reading_state& s) noexcept {
    constexpr std::string_view names[] = {"resetting", "validating", "fetching", "failed"};
    return names[s.index()];
}

fetch_fsm::fetch_fsm(fetch_settings settings, std::shared_ptr<fetch_share> share, std::uint64_t seed)
    : settings_{std::move(settings)}, share_{std::move(share)}, pause_{seed} {}

// --- partitions ---

reading_partition* fetch_fsm::look_up(std::string_view topic, std::int32_t index) noexcept {
    const auto t = std::find_if(topics_.begin(), topics_.end(), [&](const topic_info* i) { return i->name == topic; });
    if (t == topics_.end()) return nullptr;
    const auto at = places_.find({*t, index});
    return at == places_.end() ? nullptr : &partitions_.at(at->second);
}

const reading_partition* fetch_fsm::find(std::string_view topic, std::int32_t index) const noexcept { return const_cast<fetch_fsm*>(this)->look_up(topic, index); }

void fetch_fsm::transition(reading_partition& p, reading_state to) {
    if (!legal_reading[p.state.index()][to.index()]) throw std::logic_error("fetch_fsm: illegal transition");
    p.state = std::move(to);
}

void fetch_fsm::drop_data(reading_partition& p) {
    ++p.moves;
    p.unread.reset();
    p.rest = {};
    p.bad = {};
}

std::uint64_t fetch_fsm::assign(topic_info& info, std::int32_t index, start_position from, std::int32_t leader_epoch) {
    if (const auto at = places_.find({&info, index}); at != places_.end()) {
        partitions_.erase(at->second);                      // an answer that is on its way is for a number that is gone
        places_.erase(at);
    }
    if (std::find(topics_.begin(), topics_.end(), &info) == topics_.end()) topics_.push_back(&info);
    const auto number = ++last_number_;
    auto& p = partitions_[number];
    p.number = number;
    p.info = &info;
    p.topic = std::make_shared<const std::string>(info.name);
    p.index = index;
    p.topic_id = info.id;
    p.walked = std::make_shared<walk_state>();
    p.max_bytes = settings_.partition_bytes;
    p.state = resetting{from};
    places_[{&info, index}] = number;
    move_to(p, from, leader_epoch);
    return number;
}

bool fetch_fsm::unassign(std::string_view topic, std::int32_t index) {
    auto* const p = look_up(topic, index);
    if (!p) return false;
    auto* const info = p->info;
    places_.erase({info, index});
    partitions_.erase(p->number);
    if (std::none_of(places_.begin(), places_.end(), [&](const auto& x) { return x.first.first == info; })) std::erase(topics_, info);
    return true;
}

void fetch_fsm::move_to(reading_partition& p, start_position to, std::int32_t leader_epoch) {
    p.not_before.reset();
    p.failures = 0;
    p.position_epoch = leader_epoch;
    // The leader of that epoch had the record before the position. One that came later is asked whether it has it, before anything is fetched.
    p.checked_epoch = leader_epoch;
    --p.seen_changes;
    p.lost_position = -1;
    if (to.what != start_position::kind::offset) {
        drop_data(p);
        p.position = -1;
        return transition(p, resetting{to});
    }
    const auto offset = std::max<std::int64_t>(to.value, 0);
    // What is fetched and lies ahead is kept; what comes of it decides.
    if (p.unread && std::holds_alternative<fetching>(p.state) && offset >= p.unread->asked_offset) {
        ++p.moves;
        p.rest = {};
    } else if (p.rest.count > 0 && offset >= p.rest.first_offset && offset < p.rest_next && forward_to(p.rest, offset)) {
        ++p.moves;
    } else {
        drop_data(p);
    }
    p.position = offset;
    transition(p, fetching{});
}

bool fetch_fsm::seek(std::string_view topic, std::int32_t index, start_position to, std::int32_t leader_epoch) {
    auto* const p = look_up(topic, index);
    if (!p) return false;
    p->undecided = false;
    // An offset was meant for the topic that is gone: that comes first, and then the policy. Other places are the same in any topic.
    if (auto* const f = std::get_if<reading_failed>(&p->state); f && p->another_topic) {
        if (to.what != start_position::kind::offset) f->again = to;
        return true;
    }
    p->walked = std::make_shared<walk_state>();             // what is found in records that were handed out before means nothing now
    move_to(*p, to, leader_epoch);
    return true;
}

bool fetch_fsm::pause(std::string_view topic, std::int32_t index, bool yes) {
    auto* const p = look_up(topic, index);
    if (p) p->paused = yes;
    return p != nullptr;
}

bool fetch_fsm::hold(std::string_view topic, std::int32_t index, bool undecided) {
    auto* const p = look_up(topic, index);
    if (p) p->held = true, p->undecided = undecided;
    return p != nullptr;
}

bool fetch_fsm::only_of(std::string_view topic, std::int32_t index, const protocol::uuid& id) {
    auto* const p = look_up(topic, index);
    if (p) p->only = id;
    return p != nullptr;
}

bool fetch_fsm::release(std::string_view topic, std::int32_t index) {
    auto* const p = look_up(topic, index);
    if (p) p->held = p->undecided = false;
    return p != nullptr;
}

bool fetch_fsm::give_up(std::string_view topic, std::int32_t index, error why) {
    auto* const p = look_up(topic, index);
    if (!p) return false;
    if (!p->another_topic) fail(*p, std::move(why), -1, start_position::policy());
    return true;
}

bool fetch_fsm::skip(std::string_view topic, std::int32_t index) {
    auto* const p = look_up(topic, index);
    if (!p) return false;
    look_at_walk(*p);
    const auto* const f = std::get_if<reading_failed>(&p->state);
    if (!f || f->behind < 0) return false;
    const auto to = std::max(f->behind, p->position + 1);
    const auto epoch = p->position_epoch, checked = p->checked_epoch;
    drop_data(*p);
    move_to(*p, start_position::at(to), epoch);
    p->checked_epoch = checked;
    return true;
}

void fetch_fsm::fail(reading_partition& p, error why, std::int64_t behind, std::optional<start_position> again, std::chrono::milliseconds pause) {
    if (why.text.empty()) why.text = why.code.message();
    why.text = *p.topic + '-' + std::to_string(p.index) + (p.position >= 0 ? " at offset " + std::to_string(p.position) : std::string{}) + ": " + why.text;
    drop_data(p);
    transition(p, reading_failed{std::make_shared<const error>(std::move(why)), false, behind, again, pause, {}});
}

void fetch_fsm::back_off(reading_partition& p, time_point now) {
    ++p.failures;
    p.not_before = now + pause_.after(p.failures, settings_.retry_backoff, settings_.retry_backoff_max);
}

void fetch_fsm::reset_by_policy(reading_partition& p, std::string why) {
    drop_data(p);
    if (settings_.policy.what != start_position::kind::policy) {
        if (p.position >= 0) p.lost_position = p.position;
        p.position = -1;
        p.position_epoch = -1;
        return transition(p, resetting{settings_.policy});
    }
    error e;
    e.code = errc::no_offset;
    e.text = std::move(why);
    e.hint = "auto_offset_reset is none: seek, or choose earliest or latest";
    fail(p, std::move(e), -1, p.position < 0 ? std::optional{start_position::policy()} : std::nullopt);
}

// --- what is to be done ---

// The topic may have changed under it: another id, a newer leader.
void fetch_fsm::follow_topic(reading_partition& p) {
    const auto& info = *p.info;
    if (p.seen_changes == info.changes) return;
    p.seen_changes = info.changes;
    if (!info.id.is_zero() && info.id != p.topic_id) {
        const bool recreated = !p.topic_id.is_zero();
        p.topic_id = info.id;
        if (recreated && p.position < 0 && p.lost_position < 0 && std::holds_alternative<resetting>(p.state)) {
            // Nothing of the former one was read; but what was asked about it must not be taken for an answer about this one.
            ++p.moves;
            std::get<resetting>(p.state).asked = false;
            p.replica = p.checked_epoch = -1;
            cuts_.push_back({p.topic, p.index, 0});
        } else if (recreated) {
            const auto before = std::max(p.position, std::exchange(p.lost_position, -1));
            p.replica = -1;
            p.high_watermark = p.last_stable = p.log_start = -1;
            if (std::holds_alternative<reading_failed>(p.state)) transition(p, resetting{settings_.policy});
            error e;
            e.code = errc::topic_recreated;
            e.text = "offset " + std::to_string(before) + " was of the former topic";
            e.hint = "reading goes on as auto_offset_reset says, if nothing else is done";
            fail(p, std::move(e), -1, settings_.policy, std::chrono::milliseconds{0});
            p.position = p.position_epoch = p.checked_epoch = -1;
            p.another_topic = p.renumber = true;
            cuts_.push_back({p.topic, p.index, 0});
            return;
        }
    }
    const auto index = static_cast<std::size_t>(p.index);
    if (index >= info.partitions.size()) return;
    const auto epoch = info.partitions[index].leader_epoch;
    if (epoch <= p.checked_epoch) return;
    p.not_before.reset();                                   // it was somebody else who wanted a pause
    if (auto* const r = std::get_if<resetting>(&p.state); r && std::exchange(r->asked, false)) ++p.moves;     // the new leader is asked:
    if (auto* const v = std::get_if<validating>(&p.state); v && std::exchange(v->asked, false)) ++p.moves;    // the old one may never answer
    if (p.position_epoch >= 0 && p.position >= 0 && p.checked_epoch >= 0) {
        if (auto* const f = std::get_if<reading_failed>(&p.state)) f->check = true;
        if (std::holds_alternative<fetching>(p.state)) {
            drop_data(p);                                   // it came from a leader whose log may have had another end
            transition(p, validating{});
        }
    }
    p.checked_epoch = epoch;
}

bool fetch_fsm::leader_known(reading_partition& p, time_point now) {
    const auto& info = *p.info;
    const auto index = static_cast<std::size_t>(p.index);
    if (index < info.partitions.size() && info.partitions[index].leader >= 0) {
        p.unknown_since.reset();
        return true;
    }
    need_topics_ = true;
    std::error_code why = info.error;
    if (!why && info.known && index >= info.partitions.size()) why = errc::unknown_partition;
    if (!why || why == condition::retriable || why == errc::unknown_partition) {
        const bool missing = why == broker_errc::unknown_topic_or_partition || why == errc::unknown_partition || why == broker_errc::unknown_topic_id;
        if (!missing) {
            p.unknown_since.reset();
            return false;
        }
        if (!p.unknown_since) p.unknown_since = now;
        const auto told_at = *p.unknown_since + settings_.unknown_topic_patience;
        if (now < told_at) {
            wake_at(told_at);
            return false;
        }
        p.unknown_since = now;
    }
    error e;
    e.code = why;
    e.text = why == errc::unknown_partition ? "the topic has " + std::to_string(info.partitions.size()) + " partitions" : "the topic cannot be read: " + why.message();
    const auto* const r = std::get_if<resetting>(&p.state);
    const bool checks = std::holds_alternative<validating>(p.state);
    fail(p, std::move(e), -1, r ? std::optional{r->to} : std::nullopt);
    std::get<reading_failed>(p.state).check = checks;
    return false;
}

// Who is asked for records: the replica that the leader named, for a while, else the leader.
std::int32_t fetch_fsm::source_of(reading_partition& p, time_point now) {
    if (p.replica >= 0 && p.replica_until && now >= *p.replica_until) p.replica = -1;
    return p.replica >= 0 ? p.replica : p.info->partitions[static_cast<std::size_t>(p.index)].leader;
}

void fetch_fsm::look_at(reading_partition& p, time_point now) {
    need_topics_ |= std::exchange(p.ask_topics, false);
    follow_topic(p);
    if (p.strange()) need_topics_ = true;
    if (p.waits()) return;
    if (auto* const f = std::get_if<reading_failed>(&p.state)) {
        if (!f->told) return;
        if (!f->retry_at) f->retry_at = now + f->pause;
        if (now < *f->retry_at) return wake_at(f->retry_at);
        if (f->again) transition(p, resetting{*f->again});
        else if (f->check) transition(p, validating{});
        else transition(p, fetching{});
    }
    if (auto* const r = std::get_if<resetting>(&p.state); r && r->to.what == start_position::kind::policy) {
        if (settings_.policy.what == start_position::kind::policy) return reset_by_policy(p, "there is no committed offset");
        r->to = settings_.policy;
    }
    const bool reads = std::holds_alternative<fetching>(p.state);
    if (reads && p.paused) return;
    if (!leader_known(p, now)) return;
    if (reads && p.asked_by) {
        if (p.asked_by->broker == source_of(p, now)) return;
        p.asked_by = nullptr;                               // who has it leads no more, and may never answer
        ++p.moves;
    }
    const auto leader = p.info->partitions[static_cast<std::size_t>(p.index)].leader;
    if (reads) {
        auto& b = brokers_[source_of(p, now)];
        if (p.has_data()) {
            b.unread = true;
            return;
        }
    }
    if (p.not_before && now < *p.not_before) return wake_at(p.not_before);
    p.not_before.reset();
    if (reads) return brokers_[source_of(p, now)].wanted.push_back(&p);
    auto* const v = std::get_if<validating>(&p.state);
    auto* const r = std::get_if<resetting>(&p.state);
    if (v ? v->asked : r->asked) return;
    auto& b = brokers_[leader];
    if (v ? b.epochs_asked : b.offsets_asked) return;
    if (b.not_before && now < *b.not_before) return wake_at(b.not_before);
    auto& plan = v ? b.epochs : b.offsets;
    if (!plan) {
        plan = std::make_shared<offset_plan>();
        plan->broker = leader;
        plan->epochs = v != nullptr;
    }
    (v ? v->asked : r->asked) = true;
    plan->parts.push_back({p.number, p.moves, p.info, p.index, p.info->partitions[static_cast<std::size_t>(p.index)].leader_epoch, r ? r->to : start_position{}, p.position_epoch});
}

// Records of a topic that is gone must not be taken for those of the next: what asks for them or says that they are done names their number.
void fetch_fsm::renumber() {
    for (auto at = partitions_.begin(); at != partitions_.end();) {
        const auto here = at++;
        if (!here->second.renumber) continue;
        auto node = partitions_.extract(here);
        auto& p = node.mapped();
        p.renumber = false;
        p.asked_by = nullptr;
        ++p.moves;
        p.walked = std::make_shared<walk_state>();
        p.number = node.key() = ++last_number_;
        places_[{p.info, p.index}] = p.number;
        partitions_.insert(std::move(node));
    }
}

void fetch_fsm::run(time_point now, fetch_actions& out) {
    wakeup_.reset();
    need_topics_ = need_room_ = false;
    for (auto& [id, b] : brokers_) {
        b.wanted.clear();
        b.unread = false;
    }
    for (auto& [number, p] : partitions_) look_at(p, now);
    if (!cuts_.empty()) renumber();
    send_questions(out);
    send_fetches(now, out);
    if (need_topics_) out.push_back(ask_for_topics{});
    if (need_room_) out.push_back(await_room{});
    for (auto& c : std::exchange(cuts_, {})) out.push_back(std::move(c));
    for (auto& r : std::exchange(resets_, {})) out.push_back(r);
}

bool fetch_fsm::stands_still(const reading_partition& p, time_point now) const {
    if (p.waits()) return true;
    if (p.paused || p.has_data() || (p.not_before && now < *p.not_before)) return false;
    if (const auto* const f = std::get_if<reading_failed>(&p.state)) return f->told && (!f->retry_at || now >= *f->retry_at);
    const auto index = static_cast<std::size_t>(p.index);
    if (index >= p.info->partitions.size() || p.info->partitions[index].leader < 0) return false;  // that is asked for, and told if it lasts
    const bool reads = std::holds_alternative<fetching>(p.state);
    const auto at = brokers_.find(reads && p.replica >= 0 ? p.replica : p.info->partitions[index].leader);
    if (at == brokers_.end()) return true;
    const auto& b = at->second;
    if (b.not_before && now < *b.not_before) return false;
    if (!reads) return !b.offsets_asked && !b.epochs_asked;
    if (b.in_flight) return now - b.in_flight->sent > settings_.overdue;
    return !b.unread && !need_room_;
}

void fetch_fsm::send_questions(fetch_actions& out) {
    for (auto& [id, b] : brokers_) {
        if (b.offsets) {
            b.offsets_asked = true;
            out.push_back(ask_offsets{std::exchange(b.offsets, nullptr)});
        }
        if (b.epochs) {
            b.epochs_asked = true;
            out.push_back(ask_offsets{std::exchange(b.epochs, nullptr)});
        }
    }
}

// Whether a Fetch for `wanted` bytes may go, or one for `least`. What lies fetched in partitions that are paused gives way where nothing else
// can make room: it is fetched again later.
bool fetch_fsm::make_room(std::size_t wanted, std::size_t least) {
    const auto enough = [&] { return share_->room() >= std::min(wanted, least) || share_->used() == 0; };
    if (enough()) return true;
    for (auto& [number, p] : partitions_) {
        if (!p.paused || (!p.unread && p.rest.count == 0)) continue;
        if (p.rest.count > 0) p.position = p.rest.first_offset;
        drop_data(p);
        if (enough()) return true;
    }
    need_room_ = true;
    return false;
}

void fetch_fsm::send_fetches(time_point now, fetch_actions& out) {
    for (auto& [id, b] : brokers_) {
        if (b.wanted.empty() || b.in_flight || b.unread) continue;
        if (b.not_before && now < *b.not_before) {
            wake_at(b.not_before);
            continue;
        }
        if (b.alone > 0) {
            --b.alone;
            b.wanted = {b.wanted[b.turn++ % b.wanted.size()]};
        }
        std::size_t wanted = 0, largest = 0;
        for (const auto* p : b.wanted) {
            wanted += static_cast<std::size_t>(p->max_bytes);
            largest = std::max(largest, static_cast<std::size_t>(p->max_bytes));
        }
        // Of the share one answer has a quarter at most, so that others can come while it is read.
        wanted = std::min(wanted, std::max(std::min(static_cast<std::size_t>(settings_.max_bytes), share_->limit() / 4), largest));
        if (!make_room(wanted + answer_overhead, largest + answer_overhead)) continue;
        if (share_->used() > 0) wanted = std::min(wanted, share_->room() > answer_overhead ? share_->room() - answer_overhead : 1);
        else wanted = std::min(wanted, std::max(share_->limit(), largest));
        auto plan = std::make_shared<fetch_plan>();
        plan->broker = id;
        plan->charged = wanted + answer_overhead;
        plan->sent = now;
        share_->charge(plan->charged);
        auto& m = plan->message;
        m.max_wait_ms = static_cast<std::int32_t>(settings_.max_wait.count());
        m.min_bytes = settings_.min_bytes;
        m.max_bytes = static_cast<std::int32_t>(wanted);
        m.isolation_level = settings_.open.read_committed ? 1 : 0;
        m.rack_id = settings_.rack;
        // A broker fills its answer in the order of the request: each is first at some time.
        if (b.session.where() != fetch_session::state::open && b.wanted.size() > 1)
            std::rotate(b.wanted.begin(), b.wanted.begin() + static_cast<std::ptrdiff_t>(b.turn++ % b.wanted.size()), b.wanted.end());
        std::vector<fetch_wish> wishes;
        wishes.reserve(b.wanted.size());
        for (auto* p : b.wanted) {
            wishes.push_back({p->number, &p->info->name, p->topic_id, p->index, p->position, p->info->partitions[static_cast<std::size_t>(p->index)].leader_epoch, p->max_bytes});
            plan->by_name |= p->topic_id.is_zero();
            plan->numbers.push_back(p->number);
            p->asked_by = plan.get();
            p->asked_offset = p->position;
            p->asked_moves = p->moves;
        }
        b.session.fill(wishes, m);
        plan->incremental = b.session.incremental();
        b.in_flight = plan;
        out.push_back(send_fetch{std::move(plan)});
    }
}

std::vector<fetch_plan_ptr> fetch_fsm::last_words() {
    std::vector<fetch_plan_ptr> all;
    for (auto& [id, b] : brokers_) {
        auto plan = std::make_shared<fetch_plan>();
        plan->broker = id;
        plan->incremental = true;
        if (b.session.fill_last(plan->message)) all.push_back(std::move(plan));
    }
    return all;
}

}  // namespace kafkawire::client_detail
