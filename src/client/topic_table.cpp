#include "client/topic_table.hpp"

#include <algorithm>
#include <utility>

namespace kafkawire::client_detail {

namespace {

constexpr std::size_t most_former = 8;

// The letters that Kafka allows; "." and ".." would be directories.
bool possible(std::string_view name) noexcept {
    if (name.empty() || name.size() > topic_table::longest_name || name == "." || name == "..") return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

template <class T, class U>
bool set(T& at, U&& to) {
    if (at == to) return false;
    at = std::forward<U>(to);
    return true;
}

}  // namespace

topic_info& topic_table::want(std::string_view name, bool may_create) {
    auto at = topics_.find(name);
    if (at == topics_.end()) {
        at = topics_.emplace(std::string{name}, record{}).first;
        auto& r = at->second;
        r.info.name = at->first;
        if (!possible(name)) {
            r.impossible = true;
            r.info.error = broker_errc::invalid_topic_exception;
            ++r.info.changes;
        }
    }
    at->second.may_create |= may_create;
    return at->second.info;
}

topic_info* topic_table::find(std::string_view name) noexcept {
    const auto at = topics_.find(name);
    return at == topics_.end() ? nullptr : &at->second.info;
}

// A question that may create topics names none but those that are missing, so that it cannot bring back one that somebody has just deleted and
// that may not be created by us.
protocol::messages::metadata_request topic_table::request() const {
    protocol::messages::metadata_request m;
    m.allow_auto_topic_creation = creation_due_;
    for (const auto& [name, r] : topics_) {
        if (r.impossible) continue;
        if (creation_due_ && !(r.may_create && r.info.error == broker_errc::unknown_topic_or_partition)) continue;
        m.topics->emplace_back().name = name;
    }
    return m;
}

bool topic_table::merge(const protocol::messages::metadata_response& m, const protocol::messages::metadata_request* question, net::time_point now) {
    bool changed = false;
    for (const auto& t : m.topics) {
        if (!t.name) continue;
        const auto at = topics_.find(*t.name);
        if (at != topics_.end() && !at->second.impossible && merge(at->second, t, now)) changed = true;
    }
    if (!question || !question->topics) return changed;
    for (const auto& asked : *question->topics) {
        const auto at = topics_.find(asked.name.value_or(""));
        if (at == topics_.end()) continue;
        const bool told = std::any_of(m.topics.begin(), m.topics.end(), [&](const answered_topic& t) { return t.name == asked.name; });
        if (!told && set(at->second.info.error, make_error_code(broker_errc::unknown_topic_or_partition))) {
            ++at->second.info.changes;
            changed = true;
        }
    }
    const bool created = question->allow_auto_topic_creation;
    creation_due_ = false;
    for (const auto& [name, r] : topics_)
        if (!created && r.may_create && r.info.error == broker_errc::unknown_topic_or_partition) creation_due_ = true;
    return changed;
}

bool topic_table::merge(record& r, const answered_topic& t, net::time_point now) {
    auto& i = r.info;
    if (t.topic_id == i.id) r.id_doubted.reset();
    if (const auto former = std::find(r.former.begin(), r.former.end(), t.topic_id); !t.topic_id.is_zero() && former != r.former.end()) {
        // A node that lags; unless nobody says anything else: then it was the other id that a broker made up.
        if (!r.id_doubted) {
            r.id_doubted = now;
            r.id_doubts = 0;
        }
        ++r.id_doubts;
        if (now - *r.id_doubted < id_doubt || r.id_doubts < id_answers) return false;
        r.former.erase(former);
        r.id_doubted.reset();
    }
    bool changed = false;
    if (t.error_code != 0) {
        const auto code = make_error_code(static_cast<broker_errc>(t.error_code));
        if (code == broker_errc::unknown_topic_or_partition && i.id.is_zero()) r.start_afresh = true;
        changed = set(i.error, code);
    } else if (!t.partitions.empty()) {
        changed = set(i.error, std::error_code{});
        if (set(i.known, true)) changed = true;
        if (!t.topic_id.is_zero() && i.id != t.topic_id) {
            if (!i.id.is_zero()) {
                if (r.former.size() == most_former) r.former.erase(r.former.begin());
                r.former.push_back(i.id);
                r.start_afresh = true;
            }
            i.id = t.topic_id;
            changed = true;
        }
        if (merge_partitions(r, t, now)) changed = true;
    }
    if (changed) ++i.changes;
    return changed;
}

// Partitions are numbered from 0 without gaps, so an index beyond their count is nothing that a cluster says; a topic never loses any,
// and a broker that knows fewer lags: unless nobody has known of more for a while.
bool topic_table::merge_partitions(record& r, const answered_topic& t, net::time_point now) {
    auto& known = r.info.partitions;
    bool changed = false;
    if (std::exchange(r.start_afresh, false)) {
        known.clear();
        r.doubted.clear();
        changed = true;
    }
    const auto count = t.partitions.size();
    bool fewer = count < known.size();
    if (!fewer) r.fewer_since.reset();
    else if (!r.fewer_since) r.fewer_since = now;
    if (fewer && (r.info.id.is_zero() || now - *r.fewer_since >= doubt)) {
        r.fewer_since.reset();
        fewer = false;
    }
    if (count != known.size() && !fewer) {
        known.resize(count);
        changed = true;
    }
    r.doubted.resize(known.size());
    for (const auto& p : t.partitions) {
        if (p.partition_index < 0 || static_cast<std::size_t>(p.partition_index) >= count) continue;
        const auto index = static_cast<std::size_t>(p.partition_index);
        auto& have = known[index];
        auto& doubted = r.doubted[index];
        const bool older = p.leader_epoch >= 0 && p.leader_epoch < have.leader_epoch;
        // At the same epoch there is the same leader: a node that sees none has only not heard of that broker yet.
        const bool knows_less = p.leader_epoch >= 0 && p.leader_epoch == have.leader_epoch && p.leader_id < 0 && have.leader >= 0;
        if (older || knows_less) {
            if (!doubted) doubted = now;
            if (now - *doubted < doubt) continue;
        }
        doubted.reset();
        const auto leader = std::max(p.leader_id, -1);
        changed |= set(have.leader, leader);
        changed |= set(have.replicas, p.replica_nodes);
        changed |= set(have.leader_epoch, std::max(p.leader_epoch, -1));
        changed |= set(have.error, leader >= 0 ? broker_errc{} : p.error_code != 0 ? static_cast<broker_errc>(p.error_code) : broker_errc::leader_not_available);
    }
    return changed;
}

bool topic_table::hint(topic_info& t, std::int32_t partition, std::int32_t leader, std::int32_t leader_epoch) noexcept {
    if (partition < 0 || static_cast<std::size_t>(partition) >= t.partitions.size() || leader < 0 || leader_epoch < 0) return false;
    auto& have = t.partitions[static_cast<std::size_t>(partition)];
    if (leader_epoch < have.leader_epoch || (leader_epoch == have.leader_epoch && have.leader >= 0)) return false;
    have.leader = leader;
    have.leader_epoch = leader_epoch;
    have.error = {};
    ++t.changes;
    return true;
}

// What Metadata says of a topic for good, until somebody changes that. A code that it has no business with says nothing of the topic, and is asked about again.
static bool lasts(std::error_code e) noexcept {
    return e == broker_errc::topic_authorization_failed || e == broker_errc::invalid_topic_exception;
}

bool topic_table::settled() const noexcept {
    return std::all_of(topics_.begin(), topics_.end(), [](const auto& named) {
        const auto& i = named.second.info;
        if (i.error) return named.second.impossible || lasts(i.error);
        if (!i.known) return false;
        return std::all_of(i.partitions.begin(), i.partitions.end(), [](const partition_info& p) { return p.leader >= 0; });
    });
}

}  // namespace kafkawire::client_detail
