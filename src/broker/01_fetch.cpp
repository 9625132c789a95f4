// Fetch: record batches from some partitions, from an offset on each; waits until min_bytes are there or max_wait_ms have passed.
// Behaviour, as in Kafka: max_bytes is shared by the partitions in the order of the request (sessions turn it, so that none starves); batches come
// as they lie in the log, the last one cut where a limit is, but the first one whole whatever its size. Consumers see what lies before the high
// watermark, with isolation_level 1 before the last stable offset, and then get the aborted transactions of that range. A partition that fares badly ends the
// waiting; one that is not there (UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID) does not. Fetch sessions (KIP-227): session_id 0 and epoch 0
// ask for one; later requests name what changed, and answers have what is news; FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH and
// FETCH_SESSION_TOPIC_ID_ERROR end it for the client. With replica.selector.class set to Kafka's RackAwareReplicaSelector, clients are sent to a replica in
// their rack (KIP-392). Nodes of this cluster do not fetch from each other, so a replica_id is NOT_LEADER_OR_FOLLOWER.
// Versions: from 4 on batches of format 2 and isolation levels; 5 tells the log's start; 7 has sessions; 9 knows leader epochs; from 10 on zstd
// topics can be read; 11 takes a rack; 12 is flexible and tells where logs diverge (KIP-595); 13 names topics by id; 15 moves the replica's id;
// 16 tells the leader (KIP-951); 17 and 18 add what replicas say.
#include <kafkawire/protocol/messages/01_fetch.hpp>

#include "broker/error_code.hpp"
#include "broker/fetch_session.hpp"
#include "broker/handlers.hpp"
#include "broker/leader_hint.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::fetch_request;
using protocol::messages::fetch_response;
using data = fetch_response::partition_data;
using e = broker_errc;

// What the request says for all partitions.
struct terms {
    std::int32_t node = 0;
    std::int16_t version = 0;
    std::int32_t replica = -1;
    bool committed_only = false;
    std::size_t max_bytes = 0, min_bytes = 0;
    std::string rack;
};

data failed(std::int32_t index, e why) {
    data d;
    d.partition_index = index;
    d.error_code = code_of(why);
    d.high_watermark = -1;
    return d;
}

// One look at one partition.
struct reading {
    data answer;
    log::slice slice;
    bool ends_wait = false;
};

e check_place(const partition& p, const fetch_wish& w, const terms& by) {
    const auto& nodes = p.replicas();
    if (std::find(nodes.begin(), nodes.end(), by.node) == nodes.end()) return e::not_leader_or_follower;
    if (w.current_leader_epoch >= 0 && w.current_leader_epoch != p.leader_epoch())
        return w.current_leader_epoch < p.leader_epoch() ? e::fenced_leader_epoch : e::unknown_leader_epoch;
    if (by.replica >= 0) return e::not_leader_or_follower;
    if (p.leader() != by.node && (by.version < 11 || p.leader() < 0 || !p.is_up(by.node))) return e::not_leader_or_follower;
    return e::none;
}

// A replica that is nearer to the client; -1: the leader itself.
std::int32_t nearer_replica(cluster_state& cluster, const partition& p, const terms& by) {
    if (by.version < 11 || by.rack.empty() || p.leader() != by.node) return -1;
    if (cluster.config("replica.selector.class").find("RackAwareReplicaSelector") == std::string::npos) return -1;
    const auto rack_of = [&](std::int32_t node) {
        const auto* n = cluster.find_node(node);
        return n && n->rack ? *n->rack : std::string{};
    };
    if (rack_of(p.leader()) == by.rack) return -1;
    const auto at = std::find_if(p.isr().begin(), p.isr().end(), [&](std::int32_t node) { return p.is_up(node) && rack_of(node) == by.rack; });
    return at == p.isr().end() ? -1 : *at;
}

void add_aborted(const partition& p, reading& r, std::int64_t from) {
    auto& list = r.answer.aborted_transactions.emplace();
    if (r.slice.data.empty()) return;
    for (const auto& t : p.producers().aborted(from, p.log().offset_behind(from, r.slice.data.size()))) list.push_back({t.producer_id, t.first_offset, {}});
}

reading read(cluster_state& cluster, const partition& p, const fetch_wish& w, const terms& by, std::size_t bytes_left, bool first_whole) {
    reading r;
    const auto refuse = [&](e why) {
        r.answer = failed(p.index(), why);
        r.answer.aborted_transactions.reset();
        r.ends_wait = true;
        return std::move(r);
    };
    if (const auto wrong = check_place(p, w, by); wrong != e::none) return refuse(wrong);
    const auto& l = p.log();
    auto& d = r.answer;
    d.partition_index = p.index();
    d.high_watermark = p.high_watermark();
    d.last_stable_offset = p.last_stable_offset();
    d.log_start_offset = l.start_offset();
    d.aborted_transactions.reset();
    if (w.last_fetched_epoch >= 0) {
        const auto end = l.end_of_epoch(w.last_fetched_epoch);
        if (end.epoch < 0) return refuse(e::offset_out_of_range);
        if (end.epoch < w.last_fetched_epoch || end.offset < w.offset) {
            d.diverging_epoch.epoch = end.epoch;
            d.diverging_epoch.end_offset = end.offset;
            r.ends_wait = true;
            return r;
        }
    }
    if (w.offset < l.start_offset() || w.offset > l.end_offset()) return refuse(e::offset_out_of_range);
    if (const auto nearer = nearer_replica(cluster, p, by); nearer >= 0) {
        d.preferred_read_replica = nearer;
        r.ends_wait = true;
        return r;
    }
    const auto most = std::min(bytes_left, static_cast<std::size_t>(std::max(w.max_bytes, 0)));
    if (most > 0 || first_whole) r.slice = l.read(w.offset, by.committed_only ? p.last_stable_offset() : p.high_watermark(), most, first_whole);
    d.records = protocol::raw_records{r.slice.data};
    if (by.committed_only) add_aborted(p, r, w.offset);
    return r;
}

// One request from its arrival to its answer.
class fetching : public std::enable_shared_from_this<fetching> {
public:
    fetching(cluster_state& cluster, exchange from, terms by) : cluster_{cluster}, from_{std::move(from)}, by_{std::move(by)} {}
    fetching(const fetching&) = delete;
    fetching& operator=(const fetching&) = delete;

    void begin(std::vector<fetch_wish> wishes, std::int32_t session_id, std::int32_t session_epoch, bool wants_session) {
        session_id_ = session_id;
        session_epoch_ = session_epoch;
        wants_session_ = wants_session;
        wishes_ = std::move(wishes);
    }
    void run(std::int32_t max_wait_ms) {
        std::size_t bytes = 0;
        bool nothing_to_wait_for = true;
        for (auto& w : wishes_) {
            auto* p = find(w);
            if (!p) continue;
            nothing_to_wait_for = false;
            const auto r = read(cluster_, *p, w, by_, by_.max_bytes, bytes == 0);
            if (r.ends_wait) return answer();
            bytes += r.slice.data.size();
        }
        if (nothing_to_wait_for || max_wait_ms <= 0 || bytes >= by_.min_bytes) return answer();
        wait(max_wait_ms);
    }

private:
    struct waiting_for {
        std::size_t wish;
        partition::watch_id id;
        std::size_t bytes;
    };

    // By the name or the id that the request has; a name that is known now is kept.
    [[nodiscard]] partition* find(fetch_wish& w) {
        auto* t = by_.version >= 13 ? cluster_.find_topic(w.what.topic_id) : cluster_.find_topic(w.what.topic);
        if (!t) return nullptr;
        if (w.what.topic.empty()) {
            w.what.topic = t->name;
            if (auto* s = session_id_ ? cluster_.fetch_sessions_of(by_.node).find(session_id_) : nullptr) s->resolve(w.what, t->name);
        }
        return t->find(w.what.partition);
    }

    void wait(std::int32_t max_wait_ms) {
        for (std::size_t i = 0; i < wishes_.size(); ++i) {
            auto* p = find(wishes_[i]);
            if (!p) continue;
            const auto id = p->watch([self = shared_from_this(), at = waits_.size()] { self->woken(at); });
            waits_.push_back({i, id, available(*p, wishes_[i]).first});
        }
        timer_ = cluster_.timers().set(cluster_.now().steady + std::chrono::milliseconds{max_wait_ms}, [self = shared_from_this()] {
            self->timer_ = {};
            self->answer();
        });
    }
    // How many bytes one partition would give now, and whether it ends the waiting anyway.
    [[nodiscard]] std::pair<std::size_t, bool> available(const partition& p, const fetch_wish& w) const {
        const auto r = read(cluster_, p, w, by_, by_.max_bytes, true);
        return {r.slice.data.size(), r.ends_wait};
    }
    void woken(std::size_t at) {
        if (answered_) return;
        const auto self = shared_from_this();  // answering takes this call's own function away
        auto& w = waits_[at];
        auto* p = find(wishes_[w.wish]);
        bool enough = true;
        if (p) std::tie(w.bytes, enough) = available(*p, wishes_[w.wish]);
        std::size_t sum = 0;
        for (const auto& each : waits_) sum += each.bytes;
        // A connection that is gone has nobody to wait for.
        if (enough || sum >= by_.min_bytes || !from_.alive()) answer();
    }
    void stop_waiting() {
        if (timer_) cluster_.timers().cancel(timer_);
        for (auto& w : waits_)
            if (auto* p = find(wishes_[w.wish])) p->unwatch(w.id);
        waits_.clear();
    }

    void answer() {
        answered_ = true;
        const auto self = shared_from_this();
        stop_waiting();
        fetch_response to;
        owners keep;
        auto left = by_.max_bytes;
        bool first_whole = true;
        std::vector<std::pair<const fetch_wish*, data>> good, not_there;
        for (auto& w : wishes_) {
            auto* p = find(w);
            if (!p) {
                not_there.emplace_back(&w, failed(w.what.partition, by_.version >= 13 && w.what.topic.empty() ? e::unknown_topic_id : e::unknown_topic_or_partition));
                continue;
            }
            auto r = read(cluster_, *p, w, by_, left, first_whole);
            if (!r.slice.data.empty()) {
                first_whole = false;
                left -= std::min(left, r.slice.data.size());
                if (by_.version < 10 && cluster_.config(*cluster_.find_topic(w.what.topic), "compression.type") == "zstd")
                    r.answer = failed(w.what.partition, e::unsupported_compression_type);
                else keep.push_back(std::move(r.slice.keep));
            }
            const auto error = r.answer.error_code;
            if (by_.version >= 16 && (error == code_of(e::not_leader_or_follower) || error == code_of(e::fenced_leader_epoch)))
                hint_leader(cluster_, *p, r.answer.current_leader, to.node_endpoints);
            good.emplace_back(&w, std::move(r.answer));
        }
        for (auto& n : not_there) good.push_back(std::move(n));
        tell_session(good, to);
        for (auto& [w, d] : good) put(to, *w, std::move(d));
        from_.answer(to, std::move(keep));
    }
    // In sessions only what is news stays.
    void tell_session(std::vector<std::pair<const fetch_wish*, data>>& all, fetch_response& to) {
        auto& sessions = cluster_.fetch_sessions_of(by_.node);
        fetch_session* s = nullptr;
        if (session_id_) {
            s = sessions.find(session_id_);
            to.session_id = session_id_;
            if (!s || s->epoch() != session_epoch_) {
                to.error_code = code_of(e::invalid_fetch_session_epoch);
                return all.clear();
            }
        } else if (wants_session_ && !all.empty() && (s = sessions.make(all.size(), by_.version >= 13, cluster_.now().steady, cluster_.random()))) {
            to.session_id = s->id();
            for (const auto& [w, d] : all) s->put(*w);
        }
        if (!s) return;
        std::erase_if(all, [&](const auto& one) {
            const auto& d = one.second;
            const auto is_news = s->tell(one.first->what, {d.high_watermark, d.log_start_offset, d.records && !d.records->data.empty(), d.error_code != 0,
                                                          d.preferred_read_replica >= 0 || d.diverging_epoch.end_offset >= 0});
            return session_id_ && !is_news;
        });
    }
    static void put(fetch_response& to, const fetch_wish& w, data d) {
        auto& topics = to.responses;
        // Neighbours of one topic stand together; a topic that comes again later is named again, as in Kafka.
        const bool same = !topics.empty() && topics.back().topic_id == w.what.topic_id && topics.back().topic == w.what.topic;
        if (!same) topics.push_back({w.what.topic, w.what.topic_id, {}, {}});
        topics.back().partitions.push_back(std::move(d));
    }

    cluster_state& cluster_;
    exchange from_;
    terms by_;
    std::vector<fetch_wish> wishes_;
    std::int32_t session_id_ = 0, session_epoch_ = 0;
    bool wants_session_ = false;
    std::vector<waiting_for> waits_;
    timers::id timer_;
    bool answered_ = false;
};

// What the request names, each partition once: the last wish counts.
std::vector<fetch_wish> wishes_of(const fetch_request& asked) {
    std::vector<fetch_wish> wishes;
    std::map<std::pair<std::pair<std::string_view, protocol::uuid>, std::int32_t>, std::size_t> places;
    for (const auto& t : asked.topics)
        for (const auto& p : t.partitions) {
            fetch_wish w{{t.topic, t.topic_id, p.partition}, p.current_leader_epoch, p.fetch_offset, p.last_fetched_epoch, p.partition_max_bytes};
            const auto [at, is_new] = places.try_emplace({{t.topic, t.topic_id}, p.partition}, wishes.size());
            if (is_new) wishes.push_back(std::move(w));
            else wishes[at->second] = std::move(w);
        }
    return wishes;
}

e update_session(fetch_session* s, const fetch_request& asked, std::int16_t version, net::time_point now) {
    if (!s) return e::fetch_session_id_not_found;
    if (s->epoch() != asked.session_epoch) return e::invalid_fetch_session_epoch;
    if (s->by_id() != (version >= 13)) return e::fetch_session_topic_id_error;
    for (const auto& w : wishes_of(asked)) s->put(w);
    for (const auto& t : asked.forgotten_topics_data)
        for (const auto p : t.partitions) s->forget({t.topic, t.topic_id, p});
    s->used(now);
    s->next_epoch();
    return e::none;
}

void refuse(exchange from, e why) {
    fetch_response answer;
    answer.error_code = code_of(why);
    from.answer(answer);
}

}  // namespace

void fetch(cluster_state& cluster, exchange from, const fetch_request& asked) {
    const auto version = from.version();
    terms by{from.node(), version, version >= 15 ? asked.replica_state.replica_id : asked.replica_id, asked.isolation_level == 1, 0, 0, asked.rack_id};
    by.max_bytes = static_cast<std::size_t>(std::max<std::int64_t>(std::min<std::int64_t>(asked.max_bytes, cluster.config_number("fetch.max.bytes")), 0));
    by.min_bytes = std::min(static_cast<std::size_t>(std::max(asked.min_bytes, 0)), by.max_bytes);
    auto& sessions = cluster.fetch_sessions_of(from.node());
    auto wishes = std::vector<fetch_wish>{};
    std::int32_t session_id = 0, session_epoch = 0;
    bool wants_session = false;
    if (version < 7 || asked.session_epoch <= 0) {
        if (version >= 7 && asked.session_id != 0) sessions.remove(asked.session_id);
        wishes = wishes_of(asked);
        wants_session = version >= 7 && asked.session_epoch == 0;
    } else {
        auto* s = sessions.find(asked.session_id);
        if (const auto wrong = update_session(s, asked, version, cluster.now().steady); wrong != e::none) return refuse(std::move(from), wrong);
        wishes = s->wishes();
        if (wishes.empty()) {
            sessions.remove(s->id());
        } else {
            session_id = s->id();
            session_epoch = s->epoch();
        }
    }
    const auto one = std::make_shared<fetching>(cluster, std::move(from), std::move(by));
    one->begin(std::move(wishes), session_id, session_epoch, wants_session);
    one->run(asked.max_wait_ms);
}

}  // namespace kafkawire::broker
