#include "client/directory.hpp"

#include <algorithm>

namespace kafkawire::client_detail {

directory::directory(const std::vector<bootstrap_address>& bootstrap, backoff_settings b, std::uint64_t random) : backoff_{b} {
    for (const auto& a : bootstrap) entries_[at_address(a.host, a.port)].bootstrap = true;
    turn_ = entries_.empty() ? 0 : random % entries_.size();  // a thousand clients with one list should not all ask its first broker
}

std::size_t directory::at_address(std::string_view host, std::uint16_t port) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].host == host && entries_[i].port == port) return i;
    entries_.emplace_back();
    entries_.back().host = host;
    entries_.back().port = port;
    return entries_.size() - 1;
}

std::optional<std::size_t> directory::find(std::int32_t id) const noexcept {
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].id == id && !entries_[i].gone) return i;
    return {};
}

std::optional<std::size_t> directory::choose(std::span<const std::size_t> tried) noexcept {
    using status = broker_info::status;
    std::optional<std::size_t> best;
    const auto rank = [](const entry& e) { return e.state == status::up ? -2 : e.state == status::opening && e.failures == 0 ? -1 : e.failures; };
    for (std::size_t n = 0; n < entries_.size(); ++n) {
        const auto i = (turn_ + n) % entries_.size();
        if (entries_[i].gone || std::find(tried.begin(), tried.end(), i) != tried.end()) continue;
        if (!best || rank(entries_[i]) < rank(entries_[*best])) best = i;
    }
    if (best) turn_ = *best + 1;
    return best;
}

void directory::ready(std::size_t at) {
    auto& e = entries_[at];
    e.state = broker_info::status::up;
    e.failures = 0;
    e.not_before.reset();
    e.last_error.reset();
}

void directory::closed(std::size_t at, const error& why, bool was_ready, net::time_point now, std::uint64_t random) {
    auto& e = entries_[at];
    e.state = broker_info::status::down;
    if (was_ready) return;
    e.last_error = std::make_shared<const error>(why);
    const auto doublings = std::min(e.failures++, 20);
    const auto pause = std::min<std::chrono::duration<double, std::milli>>(backoff_.first * static_cast<double>(1u << doublings), backoff_.most);
    const auto spread = 0.8 + 0.4 * static_cast<double>(random % 1024) / 1023.0;
    e.not_before = now + std::chrono::duration_cast<net::time_point::duration>(pause * spread);
    // Brokers move: when one cannot be reached, what is known of it may be out of date.
    learned_at_.reset();
}

std::vector<std::size_t> directory::learn(const std::vector<learned>& brokers, net::time_point now) {
    learned_at_ = now;
    std::vector<bool> seen(entries_.size());
    for (const auto& b : brokers) {
        const auto i = at_address(b.host, b.port);
        if (i >= seen.size()) seen.resize(i + 1);
        // An id that moved: the entry of the old address must not answer for it any more.
        for (std::size_t k = 0; k < entries_.size(); ++k)
            if (k != i && entries_[k].id == b.id) entries_[k].id = -1;
        seen[i] = true;
        entries_[i].id = b.id;
        entries_[i].rack = b.rack;
        entries_[i].gone = false;
    }
    std::vector<std::size_t> useless;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        auto& e = entries_[i];
        if (seen[i] || e.gone) continue;
        e.id = -1;
        if (e.bootstrap) continue;
        e.gone = true;
        useless.push_back(i);
    }
    return useless;
}

}  // namespace kafkawire::client_detail
