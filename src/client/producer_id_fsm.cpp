#include "client/producer_id_fsm.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

#include "client/transaction_errors.hpp"

namespace kafkawire::client_detail::producer_ids {
namespace {

constexpr std::array<std::string_view, 4> names = {"none", "asking", "known", "failed"};

}  // namespace

std::string_view name_of(const state& s) noexcept { return names[s.index()]; }

void producer_id_fsm::transition(state to) {
    if (!legal[state_.index()][to.index()])
        throw std::logic_error("producer_id_fsm: illegal transition from " + std::string{name_of(state_)} + " to " + std::string{name_of(to)});
    state_ = std::move(to);
}

void producer_id_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
}

std::optional<time_point> producer_id_fsm::next_wakeup() const noexcept {
    const auto* a = std::get_if<asking>(&state_);
    return a && !a->request ? std::optional{a->not_before} : std::nullopt;
}

void producer_id_fsm::on(wanted&, time_point, actions& out) {
    if (!std::holds_alternative<none>(state_) && !std::holds_alternative<failed>(state_)) return;
    transition(asking{});
    ask(out);
}

void producer_id_fsm::on(used_up&, time_point, actions&) {
    if (std::holds_alternative<known>(state_)) transition(none{});
}

void producer_id_fsm::on(tick&, time_point now, actions& out) {
    if (const auto* a = std::get_if<asking>(&state_); a && !a->request && now >= a->not_before) ask(out);
}

void producer_id_fsm::ask(actions& out) {
    auto& a = std::get<asking>(state_);
    a.request = next_request_++;
    ++a.attempts;
    request m;
    m.transactional_id.reset();
    m.transaction_timeout_ms = std::numeric_limits<std::int32_t>::max();
    out.emplace_back(std::in_place_type<send>, a.request, std::move(m));
}

void producer_id_fsm::on(answered& e, time_point now, actions& out) {
    auto* a = std::get_if<asking>(&state_);
    if (!a || a->request != e.request) return;
    if (e.what.error_code == 0 && e.what.producer_id >= 0 && e.what.producer_epoch >= 0) {
        last_ = {};
        transition(known{e.what.producer_id, e.what.producer_epoch});
        out.emplace_back(std::in_place_type<given>, e.what.producer_id, e.what.producer_epoch);  // in place: GCC 12 warns falsely of a move
        return;
    }
    error why{{e.what.error_code, broker_category()}, phase::request};
    why.broker = e.broker;
    why.api_key = request::key;
    why.api_version = e.version;
    why.attempt = a->attempts;
    if (e.what.error_code == 0) {
        why.code = make_error_code(errc::bad_value);
        why.text = "no producer id in the answer";
    }
    using enum txn::meaning;
    const auto means = txn::meaning_of(txn::api::init_producer_id, e.what.error_code, 1);
    again_or_not(means == done || means == soon || means == again || means == unclear || means == elsewhere, why, now, out);
}

void producer_id_fsm::on(request_failed& e, time_point now, actions& out) {
    const auto* a = std::get_if<asking>(&state_);
    if (!a || a->request != e.request) return;
    again_or_not(txn::meaning_of(txn::api::init_producer_id, e.why.code, false) == txn::meaning::elsewhere, e.why, now, out);
}

void producer_id_fsm::again_or_not(bool again, const error& why, time_point now, actions& out) {
    last_ = why;
    if (!again) {
        transition(failed{why});
        out.emplace_back(std::in_place_type<refused>, why);
        return;
    }
    auto& a = std::get<asking>(state_);
    a.request = 0;
    a.not_before = now + pause_.after(a.attempts, settings_.retry_backoff, settings_.retry_backoff_max);
}

}  // namespace kafkawire::client_detail::producer_ids
