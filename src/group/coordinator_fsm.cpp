#include "group/coordinator_fsm.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "group/membership_errors.hpp"

namespace kafkawire::group::coordinator {

std::string_view name_of(const state& s) noexcept {
    static constexpr std::array<std::string_view, 5> names = {"idle", "asking", "waiting", "known", "given_up"};
    return names[s.index()];
}

void fit(messages::find_coordinator_request& m, std::int16_t version) {
    if (version < 4 || !m.coordinator_keys.empty()) return;
    m.coordinator_keys.push_back(std::exchange(m.coordinator_key, {}));
}

void coordinator_fsm::transition(state to, std::string_view why) {
    if (!legal[state_.index()][to.index()])
        throw std::logic_error("coordinator_fsm: illegal transition from " + std::string{name_of(state_)} + " to " +
                               std::string{name_of(to)} + ": " + std::string{why});
    state_ = std::move(to);
}

void coordinator_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
}

std::optional<time_point> coordinator_fsm::next_wakeup() const noexcept {
    if (const auto* w = std::get_if<waiting>(&state_)) return w->until;
    return {};
}

void coordinator_fsm::on(wanted&, time_point, actions& out) {
    if (std::holds_alternative<idle>(state_)) return begin(out);
    if (const auto* k = std::get_if<known>(&state_)) out.emplace_back(found{k->where});
    if (const auto* g = std::get_if<given_up>(&state_)) out.emplace_back(refused{g->why});
}

void coordinator_fsm::on(doubted& e, time_point now, actions& out) {
    const auto* k = std::get_if<known>(&state_);
    if (!k || k->where.node != e.node) return;
    out.emplace_back(lost{});
    // The first doubt is looked into at once: the coordinator has most likely moved, and every member waits for it.
    const bool at_once = failures_ == 0;
    wait(now, std::move(e.why));
    if (!at_once) return;
    std::get<waiting>(state_).until = now;
    begin(out);
}

void coordinator_fsm::on(trusted& e, time_point, actions&) {
    const auto* k = std::get_if<known>(&state_);
    if (!k || k->where.node != e.node) return;
    failures_ = 0;
    last_ = {};
}

void coordinator_fsm::on(answered& e, time_point now, actions& out) {
    const auto* a = std::get_if<asking>(&state_);
    if (!a || a->request != e.request) return;
    auto& r = e.what;
    place where{r.node_id, std::move(r.host), r.port};
    auto code = r.error_code;
    auto said = std::move(r.error_message);
    if (e.version >= 4) {
        const auto mine =
            std::find_if(r.coordinators.begin(), r.coordinators.end(), [&](const auto& c) { return c.key == settings_.group; });
        if (mine == r.coordinators.end()) {
            where = {};
            code = 0;
        } else {
            where = {mine->node_id, std::move(mine->host), mine->port};
            code = mine->error_code;
            said = std::move(mine->error_message);
        }
    }
    if (code != 0) {
        auto why = refusal(api::find_coordinator, code, e.version, failures_ + 1, said.value_or(std::string{}));
        const auto means = meaning_of(api::find_coordinator, code);
        if (means == meaning::told) out.emplace_back(refused{why, false});
        if (means != meaning::fatal) return wait(now, std::move(why), means == meaning::told);
        transition(given_up{why}, "refused");
        out.emplace_back(refused{std::move(why)});
        return;
    }
    if (where.node < 0 || where.port < 1 || where.port > 65'535 || where.host.empty()) {
        auto why =
            refusal(api::find_coordinator, static_cast<std::int16_t>(broker_errc::coordinator_not_available), e.version, failures_ + 1);
        why.text = "the answer names no broker";
        return wait(now, std::move(why));
    }
    transition(known{where}, "a broker says where it is");
    out.emplace_back(found{std::move(where)});
}

void coordinator_fsm::on(request_failed& e, time_point now, actions& out) {
    const auto* a = std::get_if<asking>(&state_);
    if (!a || a->request != e.request) return;
    if (meaning_of(api::find_coordinator, e.why.code) != meaning::fatal) return wait(now, std::move(e.why));
    transition(given_up{e.why}, "cannot be asked");
    out.emplace_back(refused{std::move(e.why)});
}

void coordinator_fsm::on(tick&, time_point now, actions& out) {
    const auto* w = std::get_if<waiting>(&state_);
    if (w && now >= w->until) begin(out);
}

void coordinator_fsm::begin(actions& out) {
    const auto request = next_request_++;
    transition(asking{request}, "somebody wants to know");
    messages::find_coordinator_request m;
    m.coordinator_key = settings_.group;
    out.emplace_back(ask{request, settings_.request_timeout, std::move(m)});
}

void coordinator_fsm::wait(time_point now, error why, bool longest) {
    last_ = std::move(why);
    ++failures_;
    transition(waiting{now + (longest ? pauses_.after(1, settings_.retry_backoff_max, settings_.retry_backoff_max) : pauses_.after(failures_, settings_.retry_backoff, settings_.retry_backoff_max))}, "no coordinator");
}

}  // namespace kafkawire::group::coordinator
