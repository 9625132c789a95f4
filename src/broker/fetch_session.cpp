#include "broker/fetch_session.hpp"

#include <algorithm>

namespace kafkawire::broker {
namespace {

constexpr std::size_t most_sessions = 1000, most_partitions = 1'000'000;
constexpr std::chrono::minutes keep{2};

}  // namespace

void fetch_session::put(const fetch_wish& wish) {
    const auto key = name_of(wish.what);
    if (const auto at = places_.find(key); at != places_.end()) {
        const auto topic = at->second->wish.what.topic;
        at->second->wish = wish;
        if (wish.what.topic.empty()) at->second->wish.what.topic = topic;
        return;
    }
    order_.push_back({wish});
    places_.emplace(key, std::prev(order_.end()));
}

void fetch_session::forget(const fetch_key& what) {
    const auto at = places_.find(name_of(what));
    if (at == places_.end()) return;
    order_.erase(at->second);
    places_.erase(at);
}

std::vector<fetch_wish> fetch_session::wishes() const {
    std::vector<fetch_wish> all;
    all.reserve(order_.size());
    for (const auto& c : order_) all.push_back(c.wish);
    return all;
}

void fetch_session::resolve(const fetch_key& what, const std::string& topic) {
    if (const auto at = places_.find(name_of(what)); at != places_.end()) at->second->wish.what.topic = topic;
}

bool fetch_session::tell(const fetch_key& what, const news& n) {
    const auto at = places_.find(name_of(what));
    if (at == places_.end()) return true;
    auto& c = *at->second;
    const bool is_news = n.records || n.error || n.must || c.high_watermark != n.high_watermark || c.log_start != n.log_start;
    c.high_watermark = n.error ? -1 : n.high_watermark;  // so that the end of the error is news too
    c.log_start = n.log_start;
    if (n.records) order_.splice(order_.end(), order_, at->second);
    return is_news;
}

fetch_session* fetch_sessions::find(std::int32_t id) noexcept {
    const auto at = sessions_.find(id);
    return at == sessions_.end() ? nullptr : &at->second;
}

std::size_t fetch_sessions::partitions() const noexcept {
    std::size_t n = 0;
    for (const auto& [id, s] : sessions_) n += s.size();
    return n;
}

bool fetch_sessions::make_room(std::size_t partitions, net::time_point now) {
    if (sessions_.size() < most_sessions && this->partitions() + partitions <= most_partitions) return true;
    if (partitions > most_partitions || sessions_.empty()) return false;
    const auto oldest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) { return a.second.last_used() < b.second.last_used(); });
    if (now - oldest->second.last_used() > keep) {
        sessions_.erase(oldest);
        return make_room(partitions, now);
    }
    auto smallest = sessions_.end();
    for (auto at = sessions_.begin(); at != sessions_.end(); ++at)
        if (now - at->second.created() > keep && (smallest == sessions_.end() || at->second.size() < smallest->second.size())) smallest = at;
    if (smallest == sessions_.end() || smallest->second.size() >= partitions) return false;
    sessions_.erase(smallest);
    return make_room(partitions, now);
}

fetch_session* fetch_sessions::make(std::size_t partitions, bool by_id, net::time_point now, random_source& random) {
    if (!make_room(partitions, now)) return nullptr;
    std::int32_t id = 0;
    do id = static_cast<std::int32_t>(1 + random.below(0x7ffffffe));
    while (sessions_.count(id));
    return &sessions_.try_emplace(id, id, by_id, now).first->second;
}

}  // namespace kafkawire::broker
