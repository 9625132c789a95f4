#include "broker/fault_rules.hpp"

#include <algorithm>
#include <limits>

#include "broker/cluster_state.hpp"
#include "broker/fault_messages.hpp"

namespace kafkawire::broker {

std::optional<std::string> fault_rules::refuse(const fault& f) {
    if (!(f.chance >= 0 && f.chance <= 1)) return "a chance is 0 to 1";
    if (f.after < 0 || f.count < -1) return "after and count are not negative (-1: all)";
    if (f.delay.count() < 0 || f.reply_delay.count() < 0 || f.throttle.count() < 0 || f.trickle_every.count() < 0) return "a time is not negative";
    if (f.throttle.count() > std::numeric_limits<std::int32_t>::max()) return "throttle_time_ms has 31 bits";
    const int ends = int{f.close} + int{f.drop_request} + int{f.error && !f.carry_out};
    if (ends > 1) return "of close, drop_request and an error without carry_out only one can happen";
    const bool answered = f.throttle.count() > 0 || f.reply_delay.count() > 0 || f.drop_reply || f.garbage != garbage::none || f.cut || f.trickle > 0;
    if ((f.close || f.drop_request) && (answered || f.error)) return "what is dropped or closed has no answer to do something with";
    if (f.drop_reply && (f.cut || f.trickle > 0 || f.garbage != garbage::none || f.throttle.count() > 0)) return "a reply that is dropped cannot be changed";
    if (f.carry_out && !f.error) return "carry_out belongs to an error";
    if (ends == 0 && !answered && !f.error && f.delay.count() == 0) return "nothing would happen";
    return {};
}

fault_id fault_rules::add(fault f) {
    rules_.push_back({++last_, std::move(f)});
    return last_;
}

bool fault_rules::remove(fault_id id) {
    return std::erase_if(rules_, [&](const rule& r) { return r.id == id; }) != 0;
}

bool fault_rules::applies(const fault& f, const request_facts& of) {
    if (f.api && *f.api != of.api_key) return false;
    if (f.versions && !f.versions->contains(of.version)) return false;
    if (f.node && *f.node != of.node) return false;
    if (f.connection && *f.connection != of.connection) return false;
    if (!f.client_id.empty() && f.client_id != of.client_id) return false;
    if (!f.topic.empty()) {
        const auto* t = of.cluster ? of.cluster->find_topic(f.topic) : nullptr;
        if (!names_topic(*of.schema, of.message, f.topic, t ? t->id : protocol::uuid{})) return false;
    }
    if (f.chance >= 1) return true;
    // 53 bits make the same double everywhere.
    return static_cast<double>(random_.next() >> 11) * 0x1p-53 < f.chance;
}

const fault* fault_rules::take(const request_facts& of) {
    for (auto& r : rules_) {
        if (r.spent() || !applies(r.what, of)) continue;
        if (++r.matched <= r.what.after) continue;
        ++r.hits;
        return &r.what;
    }
    return nullptr;
}

std::vector<fault_count> fault_rules::counts() const {
    std::vector<fault_count> all;
    for (const auto& r : rules_) all.push_back({r.id, r.what.name, r.matched, r.hits, r.spent()});
    return all;
}

}  // namespace kafkawire::broker
