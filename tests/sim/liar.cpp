#include "liar.hpp"

#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <cstring>
#include <deque>
#include <vector>

namespace schedules {

namespace {

namespace messages = kw::protocol::messages;
using answer = messages::metadata_response;

constexpr std::int32_t own_id = 4;

// What an honest node says now.
answer truth(cluster_world& w, const kw::sim::host& self) {
    answer m;
    const auto v = w.cluster->control().view();
    m.cluster_id = v.cluster_id;
    m.controller_id = v.controller;
    for (const auto& n : v.nodes)
        if (n.status != kw::broker::node_status::down) {
            auto& b = m.brokers.emplace_back();
            b.node_id = n.id;
            b.host = n.host;
            b.port = n.port;
        }
    auto& me = m.brokers.emplace_back();
    me.node_id = own_id;
    me.host = self.address().to_string();
    me.port = 9092;
    if (const auto* t = v.find_topic(topic)) {
        auto& to = m.topics.emplace_back();
        to.name = topic;
        to.topic_id = kw::protocol::uuid::from_string(t->id).value_or(kw::protocol::uuid{});
        for (const auto& p : t->partitions) {
            auto& q = to.partitions.emplace_back();
            q.partition_index = p.index;
            q.leader_id = p.leader;
            q.leader_epoch = p.leader_epoch;
            q.replica_nodes = p.replicas;
            q.isr_nodes = p.in_sync;
        }
    }
    return m;
}

void lie_about_brokers(answer& m, kw::sim::random_source& r) {
    if (m.brokers.empty()) return;
    auto& b = m.brokers[r.below(m.brokers.size())];
    switch (r.below(7)) {
        case 0: b.host = std::string(100'000, 'h'); break;
        case 1: {
            constexpr std::int32_t ports[] = {-1, 0, 65536, 2'147'483'647, 1};
            b.port = ports[r.below(std::size(ports))];
            break;
        }
        case 2:  // one number, two addresses
            m.brokers.push_back(b);
            m.brokers.back().host = m.brokers.front().host;
            break;
        case 3: b.node_id = static_cast<std::int32_t>(r.between(std::int64_t{-2}, std::int64_t{5})); break;
        case 4:
            for (int i = 0; i < 2000; ++i) {
                auto another = m.brokers.front();
                another.node_id = 100 + i;
                another.port = 1 + i;
                m.brokers.push_back(std::move(another));
            }
            break;
        case 5: m.brokers.clear(); break;
        case 6:  // each at the next one's address
            for (std::size_t i = 0; i < m.brokers.size(); ++i) std::swap(m.brokers[i].host, m.brokers[(i + 1) % m.brokers.size()].host);
            break;
    }
    m.controller_id = static_cast<std::int32_t>(r.between(std::int64_t{-7}, std::int64_t{7}));
}

void lie_about_partitions(answer::topic& t, kw::sim::random_source& r) {
    if (t.partitions.empty()) return;
    auto& p = t.partitions[r.below(t.partitions.size())];
    switch (r.below(8)) {
        case 0:
            for (auto& q : t.partitions) q.leader_id = own_id;
            break;
        case 1:
            for (auto& q : t.partitions) q.leader_id = 1 + q.leader_id % 3;
            break;
        case 2: p.leader_id = r.chance(500'000) ? -1 : 2'147'483'647; break;
        case 3: p.leader_epoch = r.chance(500'000) ? 2'147'483'647 : -5; break;
        case 4: p.partition_index = r.chance(500'000) ? -1 : 2'147'483'647; break;
        case 5: t.partitions.push_back(p); break;
        case 6: {
            const auto one = p;
            for (std::int32_t i = static_cast<std::int32_t>(t.partitions.size()); i < 1000; ++i) {
                t.partitions.push_back(one);
                t.partitions.back().partition_index = i;
            }
            break;
        }
        case 7: t.partitions.resize(1 + r.below(t.partitions.size())); break;
    }
}

void lie_about_topics(answer& m, kw::sim::random_source& r) {
    if (m.topics.empty()) return;
    auto& t = m.topics.front();
    switch (r.below(7)) {
        case 0: t.topic_id = kw::protocol::uuid{{static_cast<std::uint8_t>(1 + r.below(3))}}; break;
        case 1: t.topic_id = {}; break;
        case 2: t.error_code = static_cast<std::int16_t>(r.between(std::int64_t{-1}, std::int64_t{120})); break;
        case 3: m.topics.clear(); break;
        case 4: {
            auto again = t;
            if (!again.partitions.empty()) again.partitions.pop_back();
            m.topics.push_back(std::move(again));
            break;
        }
        case 5:
            for (int i = 0; i < 3000; ++i) m.topics.emplace_back().name = "other-" + std::to_string(i);
            break;
        case 6: t.partitions.clear(); break;
    }
}

}  // namespace

struct liar::inside : std::enable_shared_from_this<liar::inside> {
    struct session : std::enable_shared_from_this<session> {
        std::weak_ptr<inside> of;
        std::unique_ptr<kw::net::stream> socket;
        std::vector<std::byte> in, chunk = std::vector<std::byte>(4096);
        std::deque<kw::protocol::bytes> out;
        std::span<const std::byte> part;
        bool deaf = false;

        void read() {
            if (!socket) return;
            socket->async_read_some(chunk, [self = shared_from_this()](std::error_code ec, std::size_t n) {
                if (ec || !self->socket) return self->end();
                self->in.insert(self->in.end(), self->chunk.begin(), self->chunk.begin() + static_cast<std::ptrdiff_t>(n));
                self->take_frames();
                self->read();
            });
        }
        void end() { socket.reset(); }
        void take_frames() {
            while (in.size() >= 4 && socket && !deaf) {
                std::size_t size = 0;
                for (int i = 0; i < 4; ++i) size = size << 8 | std::to_integer<std::size_t>(in[static_cast<std::size_t>(i)]);
                if (in.size() < 4 + size) return;
                const std::vector<std::byte> frame(in.begin() + 4, in.begin() + 4 + static_cast<std::ptrdiff_t>(size));
                in.erase(in.begin(), in.begin() + 4 + static_cast<std::ptrdiff_t>(size));
                const auto whole = of.lock();
                if (!whole) return end();
                whole->serve(*this, frame);
            }
        }
        void send(kw::protocol::bytes what) {
            out.push_back(std::move(what));
            if (out.size() == 1) write();
        }
        void write() {
            part = out.front();
            socket->async_write({&part, 1}, [self = shared_from_this()](std::error_code ec) {
                if (ec || !self->socket) return self->end();
                self->out.pop_front();
                if (!self->out.empty()) self->write();
            });
        }
    };

    explicit inside(cluster_world& world, std::uint32_t part) : w{world}, host{world.world.add_host("liar")}, random{world.world.random().fork()}, of_a_million{part} {}

    void begin() {
        door = host.environment()->make_acceptor();
        if (auto ec = door->listen({host.address(), 9092})) throw std::system_error{ec, "the liar does not listen"};
        accept();
    }
    void accept() {
        door->async_accept([self = weak_from_this()](std::error_code ec, std::unique_ptr<kw::net::stream> s, kw::net::endpoint) {
            const auto alive = self.lock();
            if (!alive || !alive->door) return;
            if (!ec) {
                auto one = std::make_shared<session>();
                one->of = self;
                one->socket = std::move(s);
                alive->sessions.push_back(one);
                one->read();
            }
            alive->accept();
        });
    }
    template <class Response>
    void reply(session& s, const Response& r, const messages::request_header& to) {
        kw::protocol::scatter out;
        if (kw::protocol::encode_response(r, to.request_api_version, to.correlation_id, out)) return s.end();
        s.send(std::move(out.own));
    }
    void serve(session& s, kw::protocol::bytes_view frame) {
        messages::request_header header;
        std::size_t body_at = 0;
        if (kw::protocol::decode_request_header(header, frame, body_at)) return s.end();
        if (header.request_api_key == messages::api_versions_request::key) {
            messages::api_versions_response a;
            constexpr std::int16_t highest[][2] = {{0, 11}, {1, 13}, {3, 13}, {10, 4}, {18, 3}, {22, 5}};
            for (const auto& [key, version] : highest) {
                auto& k = a.api_keys.emplace_back();
                k.api_key = key;
                k.max_version = version;
            }
            return reply(s, a, header);
        }
        if (header.request_api_key != messages::metadata_request::key) {
            if (random.chance(700'000)) s.end();
            else s.deaf = true;
            return;
        }
        auto m = truth(w, host);
        if (random.chance(of_a_million)) {
            ++lies;
            for (auto n = 1 + random.below(3); n > 0; --n) switch (random.below(3)) {
                    case 0: lie_about_brokers(m, random); break;
                    case 1:
                        if (!m.topics.empty()) lie_about_partitions(m.topics.front(), random);
                        break;
                    case 2: lie_about_topics(m, random); break;
                }
        }
        reply(s, m, header);
    }

    cluster_world& w;
    kw::sim::host& host;
    kw::sim::random_source random;
    std::uint32_t of_a_million;
    std::uint64_t lies = 0;
    std::unique_ptr<kw::net::acceptor> door;
    std::vector<std::weak_ptr<session>> sessions;
};

liar::liar(cluster_world& w, std::uint32_t part) : inside_{std::make_shared<inside>(w, part)} { inside_->begin(); }
liar::~liar() { leave(); }

void liar::leave() {
    inside_->door.reset();
    for (auto& s : inside_->sessions)
        if (const auto alive = s.lock()) alive->end();
    inside_->sessions.clear();
}

std::uint64_t liar::lies() const noexcept { return inside_->lies; }

}  // namespace schedules
