#include "client/fetch_session.hpp"

#include <kafkawire/error.hpp>

#include <limits>

namespace kafkawire::client_detail {

using protocol::messages::fetch_request;

bool is_of_session(std::int16_t error_code) noexcept {
    switch (static_cast<broker_errc>(error_code)) {
        case broker_errc::fetch_session_id_not_found:       // it was evicted, or the broker has restarted
        case broker_errc::invalid_fetch_session_epoch:      // an answer was lost on the way
        case broker_errc::fetch_session_topic_id_error:     // names first, ids now, or the other way round
        case broker_errc::inconsistent_topic_id: return true;
        default: return false;
    }
}

void fetch_session::name(const fetch_wish& w, fetch_request& m) const {
    // Partitions of a topic that follow each other share its entry.
    if (m.topics.empty() || m.topics.back().topic != *w.topic || m.topics.back().topic_id != w.topic_id) {
        auto& t = m.topics.emplace_back();
        t.topic = *w.topic;
        t.topic_id = w.topic_id;
    }
    auto& p = m.topics.back().partitions.emplace_back();
    p.partition = w.partition;
    p.current_leader_epoch = w.leader_epoch;
    p.fetch_offset = w.offset;
    p.partition_max_bytes = w.max_bytes;
}

void fetch_session::forget(const told& t, fetch_request& m) const {
    auto& list = m.forgotten_topics_data;
    if (list.empty() || list.back().topic != *t.topic || list.back().topic_id != t.topic_id) {
        auto& f = list.emplace_back();
        f.topic = *t.topic;
        f.topic_id = t.topic_id;
    }
    list.back().partitions.push_back(t.partition);
}

void fetch_session::fill(const std::vector<fetch_wish>& wishes, fetch_request& m) {
    incremental_ = state_ == state::open;
    m.session_id = id_;
    m.session_epoch = sent_epoch_ = incremental_ ? next_epoch_ : 0;
    if (!incremental_) {
        told_.clear();
        state_ = state::asking;
    }
    for (auto& [where, t] : told_) t.wanted = false;
    for (const auto& w : wishes) {
        auto [at, is_new] = told_.try_emplace({*w.topic, w.partition}, told{w.topic, w.topic_id, w.partition, w.number, w.offset, w.leader_epoch, w.max_bytes, true});
        auto& t = at->second;
        t.wanted = true;
        if (!is_new) {
            // A topic that was made again is another one: the former is forgotten, the new one named (KIP-516).
            if (t.topic_id != w.topic_id) forget(t, m);
            else if (t.number == w.number && t.offset == w.offset && t.leader_epoch == w.leader_epoch && t.max_bytes == w.max_bytes) continue;
            t.topic_id = w.topic_id;
            t.number = w.number;
            t.offset = w.offset;
            t.leader_epoch = w.leader_epoch;
            t.max_bytes = w.max_bytes;
        }
        name(w, m);
    }
    for (auto at = told_.begin(); at != told_.end();) {
        if (at->second.wanted) {
            ++at;
            continue;
        }
        forget(at->second, m);
        at = told_.erase(at);
    }
}

void fetch_session::answered(std::int16_t error_code, std::int32_t session_id) {
    if (error_code != 0) {
        state_ = state::none;
        // The broker has no session of that id any more; of the other errors nobody knows.
        if (static_cast<broker_errc>(error_code) == broker_errc::fetch_session_id_not_found) id_ = 0;
        return;
    }
    if (session_id == 0) {
        state_ = state::none;
        id_ = 0;
        return;
    }
    if (incremental_ && session_id != id_) {
        state_ = state::none;                               // not our session: nothing is certain
        return;
    }
    id_ = session_id;
    state_ = state::open;
    next_epoch_ = sent_epoch_ == std::numeric_limits<std::int32_t>::max() ? 1 : sent_epoch_ + 1;
}

bool fetch_session::fill_last(fetch_request& m) {
    if (id_ == 0) return false;
    m.session_id = id_;
    m.session_epoch = sent_epoch_ = -1;
    told_.clear();
    state_ = state::none;
    id_ = 0;
    return true;
}

}  // namespace kafkawire::client_detail
