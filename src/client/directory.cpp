#include "client/directory.hpp"

#include <algorithm>

namespace kafkawire::client_detail {

directory::directory(const std::vector<bootstrap_address>& bootstrap, backoff_settings b, std::uint64_t random) : backoff_{b} {
    set_bootstrap(bootstrap);
    turn_ = entries_.empty() ? 0 : random % entries_.size();  // a thousand clients with one list should not all ask its first broker
}

void directory::set_bootstrap(const std::vector<bootstrap_address>& list) {
    for (auto& e : entries_) e.bootstrap = false;
    for (const auto& a : list) {
        auto& e = entries_[at_address(a.host, a.port)];
        e.bootstrap = true;
        e.gone = false;
    }
}

// Clusters that live in containers come back at ever new addresses: the places of those that are gone are used again before there are too many.
std::size_t directory::at_address(std::string_view host, std::uint16_t port) {
    auto free = entries_.size();
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].host == host && entries_[i].port == port) return i;
        if (entries_[i].gone && entries_[i].up + entries_[i].opening == 0) free = i;
    }
    if (free == entries_.size() || entries_.size() < most_brokers / 8) {
        free = entries_.size();
        entries_.emplace_back();
    }
    entries_[free] = {};
    entries_[free].host = host;
    entries_[free].port = port;
    return free;
}

std::optional<std::size_t> directory::find(std::int32_t id) const noexcept {
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].id == id && !entries_[i].gone) return i;
    return {};
}

std::optional<std::size_t> directory::choose(std::span<const std::size_t> tried) noexcept {
    using status = broker_info::status;
    std::optional<std::size_t> best;
    const auto rank = [](const entry& e) {
        const auto usual = e.state == status::up ? -2 : e.state == status::opening && e.failures == 0 ? -1 : e.failures;
        return e.silent ? usual + 1'000'000 : usual;
    };
    for (std::size_t n = 0; n < entries_.size(); ++n) {
        const auto i = (turn_ + n) % entries_.size();
        if (entries_[i].gone || std::find(tried.begin(), tried.end(), i) != tried.end()) continue;
        if (!best || rank(entries_[i]) < rank(entries_[*best])) best = i;
    }
    if (best) turn_ = *best + 1;
    return best;
}

void directory::set_state(entry& e, net::time_point now) noexcept {
    using status = broker_info::status;
    e.state = e.up > 0 ? status::up : e.opening > 0 ? status::opening : status::down;
    using condition = broker_health::status;
    const auto is = e.silent ? condition::silent : e.up > 0 ? condition::up : e.last_error ? condition::down : e.opening > 0 ? condition::opening : condition::unused;
    if (is != e.health) e.since = now;
    e.health = is;
}

void directory::silent(std::size_t at, bool yes, net::time_point now) noexcept {
    entries_[at].silent = yes;
    set_state(entries_[at], now);
}

void directory::opening(std::size_t at, net::time_point now) {
    ++entries_[at].opening;
    set_state(entries_[at], now);
}

void directory::ready(std::size_t at, net::time_point now) {
    auto& e = entries_[at];
    e.opening = std::max(0, e.opening - 1);
    ++e.up;
    e.failures = 0;
    e.not_before.reset();
    e.last_error.reset();
    alone_since_.reset();
    set_state(e, now);
}

void directory::let_go(std::size_t at, bool was_up, net::time_point now) {
    auto& count = was_up ? entries_[at].up : entries_[at].opening;
    count = std::max(0, count - 1);
    set_state(entries_[at], now);
}

void directory::closed(std::size_t at, const error& why, bool was_up, std::chrono::nanoseconds lived, net::time_point now, std::uint64_t random) {
    let_go(at, was_up, now);
    auto& e = entries_[at];
    e.last_trouble = std::make_shared<const error>(why);
    e.troubled_at = now;
    if (!alone_since_ && std::none_of(entries_.begin(), entries_.end(), [](const entry& o) { return o.up > 0; })) alone_since_ = now;
    // Several connections to one broker fail together: that is one failure.
    const bool told_already = e.not_before && now < *e.not_before;
    if (was_up) {
        e.short_lives = lived < short_life ? e.short_lives + 1 : 0;
        if (e.short_lives >= 2 && !told_already) back_off(e, e.short_lives - 2, now, random);
        return;
    }
    e.last_error = e.last_trouble;
    set_state(e, now);
    // Brokers move: when one cannot be reached, what is known of it may be out of date.
    learned_at_.reset();
    if (!told_already) back_off(e, e.failures++, now, random);
}

void directory::back_off(entry& e, int failures_before, net::time_point now, std::uint64_t random) {
    const auto doublings = std::min(failures_before, 20);
    const auto pause = std::min<std::chrono::duration<double, std::milli>>(backoff_.first * static_cast<double>(1u << doublings), backoff_.most);
    const auto spread = 0.8 + 0.4 * static_cast<double>(random % 1024) / 1023.0;
    e.not_before = now + std::chrono::duration_cast<net::time_point::duration>(pause * spread);
}

std::vector<std::size_t> directory::rebootstrap(net::time_point now) {
    std::vector<std::size_t> forgotten;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        auto& e = entries_[i];
        e.id = -1;
        e.failures = e.short_lives = 0;
        e.not_before.reset();
        if (e.bootstrap || e.gone) continue;
        e.gone = true;
        forgotten.push_back(i);
    }
    learned_at_.reset();
    if (alone_since_) alone_since_ = now;  // the next time is counted from here
    return forgotten;
}

bool directory::has_other(std::span<const std::size_t> tried) const noexcept {
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (!entries_[i].gone && std::find(tried.begin(), tried.end(), i) == tried.end()) return true;
    return false;
}

bool directory::has_other_well(std::span<const std::size_t> tried) const noexcept {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const auto& e = entries_[i];
        const bool well = !e.gone && !e.silent && (e.up > 0 || e.failures == 0);
        if (well && std::find(tried.begin(), tried.end(), i) == tried.end()) return true;
    }
    return false;
}

bool directory::any_silent() const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [](const entry& e) { return e.silent && !e.gone; });
}

void directory::learn_one(const learned& broker) {
    const auto i = at_address(broker.host, broker.port);
    for (auto& e : entries_)
        if (e.id == broker.id) e.id = -1;
    entries_[i].id = broker.id;
    entries_[i].rack = broker.rack;
    entries_[i].gone = false;
}

std::vector<std::size_t> directory::learn(const std::vector<learned>& brokers, net::time_point now) {
    learned_at_ = now;
    std::vector<bool> seen(entries_.size());
    for (const auto& b : std::span{brokers}.first(std::min(brokers.size(), most_brokers))) {
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
