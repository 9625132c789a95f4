#include "client/missing_topics.hpp"

namespace kafkawire::client_detail {

void missing_topics::said(const std::string& topic, std::error_code code, net::time_point now) {
    const bool unknown = code == broker_errc::unknown_topic_or_partition;
    // Others pass by themselves.
    if (!code || (!unknown && code == condition::retriable)) {
        all_.erase(topic);
        return;
    }
    const auto at = all_.find(topic);
    if (at != all_.end() && at->second.code == code) return;
    all_[topic] = {code, unknown ? now + patience_ : now, false};
}

void missing_topics::keep(const std::set<std::string>& topics) {
    std::erase_if(all_, [&](const auto& t) { return !topics.contains(t.first); });
}

std::optional<error> missing_topics::next(net::time_point now) {
    for (auto& [name, t] : all_) {
        if (t.told || now < t.tell_at) continue;
        t.told = true;
        error why;
        why.code = t.code;
        why.in = phase::request;
        why.api_key = 3;
        const bool unknown = t.code == broker_errc::unknown_topic_or_partition;
        why.text = unknown ? "the cluster has no topic '" + name + "', which is subscribed to" : "the topic '" + name + "', which is subscribed to, cannot be read: " + t.code.message();
        why.hint = unknown                                              ? "create it, or correct the name; it is read as soon as it is there, and the other topics meanwhile"
                   : t.code == broker_errc::topic_authorization_failed ? "an ACL must allow Describe and Read on it"
                                                                        : "the other topics are read meanwhile";
        return why;
    }
    return std::nullopt;
}

std::optional<net::time_point> missing_topics::next_wakeup() const noexcept {
    std::optional<net::time_point> at;
    for (const auto& [name, t] : all_)
        if (!t.told && (!at || t.tell_at < *at)) at = t.tell_at;
    return at;
}

}  // namespace kafkawire::client_detail
