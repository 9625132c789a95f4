// The driver of cluster_fsm: sockets and one timer of the environment. No decisions.
#pragma once
#include <kafkawire/broker.hpp>
#include <kafkawire/detail/tls_server.hpp>

#include <deque>

#include "broker/cluster_fsm.hpp"

namespace kafkawire::broker {

class cluster::driver : public std::enable_shared_from_this<cluster::driver> {
public:
    driver(std::vector<std::shared_ptr<net::environment>> of_nodes, broker::options o)
        : environments_{std::move(of_nodes)}, machine_{seeded(o, *environments_.front()), now_of(*environments_.front()), open_folder(o)} {
        if (!has_tls(o.security.protocol)) return;
        error why;
        tls_ = net::make_tls_listener({o.security.certificate, o.security.key, o.security.client_ca}, why);
        if (!tls_) throw system_error{std::move(why)};
    }

    std::error_code start() {
        if (const auto ec = machine_.state().storage_error()) return ec;
        timer_ = environments_.front()->make_timer([this] {
            timer_set_.reset();
            machine_.tick(now());
            carry_out();
        });
        for (auto& n : machine_.state().nodes())
            if (n.is != node::status::down && !acceptors_.count(n.id))
                if (auto ec = listen(n)) return close(), ec;
        carry_out();
        return {};
    }
    void close() {
        closed_ = true;
        timer_.reset();
        timer_set_.reset();
        for (auto& [id, c] : connections_) c->socket->close();
        connections_.clear();
        acceptors_.clear();
    }
    void watch(watcher what) { machine_.watch(std::move(what)); }
    [[nodiscard]] cluster_fsm& machine() noexcept { return machine_; }
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    /// For controls: an event of their own, and what is to be done after it.
    template <class F>
    auto step(F event) {
        auto result = event(machine_, now());
        carry_out();
        return result;
    }
    [[nodiscard]] std::string bootstrap() {
        std::string list;
        for (const auto& n : machine_.state().nodes()) {
            if (!list.empty()) list += ',';
            list += n.host + ':' + std::to_string(n.port);
        }
        return list;
    }

private:
    struct connection {
        std::unique_ptr<net::stream> socket;
        bool reading = false;
        bool writing = false;
        bool closing = false;                                   // once what is queued has been written
        std::deque<write_bytes> queue;                          // the first one is being written
        std::vector<protocol::bytes_view> parts;
    };

    static broker::options seeded(broker::options o, net::environment& env) {
        while (o.seed == 0) o.seed = env.random();
        return o;
    }
    static std::shared_ptr<storage> open_folder(const broker::options& o) {
        if (o.folder.empty()) return nullptr;
        std::error_code ec;
        auto files = make_file_storage(o.folder, ec);
        if (ec) throw system_error{error{.code = errc::bad_configuration, .text = "the folder " + o.folder + " cannot be used: " + ec.message()}};
        return files;
    }
    static moment now_of(net::environment& env) { return {env.now(), env.wall_now()}; }
    [[nodiscard]] moment now() { return now_of(*environments_.front()); }
    [[nodiscard]] const std::shared_ptr<net::environment>& environment_of(std::int32_t node) {
        const auto place = static_cast<std::size_t>(node - machine_.state().options().first_node_id);
        return environments_[place < environments_.size() ? place : 0];
    }

    std::error_code listen(node& n) {
        const auto address = net::ip_address::parse(n.host);
        if (!address) return errc::bad_configuration;
        auto a = environment_of(n.id)->make_acceptor();
        if (auto ec = a->listen({*address, n.port})) return ec;
        n.port = a->local().port;
        acceptors_[n.id] = std::move(a);
        accept(n.id);
        return {};
    }
    void accept(std::int32_t id) {
        acceptors_.at(id)->async_accept([weak = weak_from_this(), id](std::error_code ec, std::unique_ptr<net::stream> s, net::endpoint peer) {
            const auto self = weak.lock();
            if (!self || self->closed_ || !self->acceptors_.count(id)) return;
            if (!ec) self->accepted(id, std::move(s), peer);
            self->accept(id);
        });
    }
    void accepted(std::int32_t node, std::unique_ptr<net::stream> s, const net::endpoint& peer) {
        const auto id = machine_.connected(node, '/' + peer.address.to_string(), now());
        auto c = std::make_shared<connection>();
        c->socket = tls_ ? net::accept_tls(environment_of(node), std::move(s), tls_) : std::move(s);
        connections_.emplace(id, std::move(c));
        carry_out();
        read(id);
    }
    void read(connection_id id) {
        const auto found = connections_.find(id);
        if (found == connections_.end() || found->second->reading || found->second->closing) return;
        auto room = machine_.prepare(id);
        if (room.where.empty()) return;
        found->second->reading = true;
        found->second->socket->async_read_some(room.where, [weak = weak_from_this(), id, keep = std::move(room.owner)](std::error_code ec, std::size_t n) {
            if (const auto self = weak.lock()) self->was_read(id, ec, n);
        });
    }
    void was_read(connection_id id, std::error_code ec, std::size_t n) {
        const auto found = connections_.find(id);
        if (found == connections_.end()) return;
        found->second->reading = false;
        if (ec) return drop(id);
        machine_.received(id, n, now());
        carry_out();
        read(id);
    }
    void drop(connection_id id) {
        if (const auto found = connections_.find(id); found != connections_.end()) {
            found->second->socket->close();
            connections_.erase(found);
        }
        machine_.disconnected(id, now());
        carry_out();
    }
    void write(connection_id id, const std::shared_ptr<connection>& c) {
        if (c->writing || c->queue.empty()) return;
        c->writing = true;
        c->parts = c->queue.front().content.parts();
        c->socket->async_write(c->parts, [weak = weak_from_this(), id, c](std::error_code ec) {
            c->writing = false;
            const auto self = weak.lock();
            if (!self || !self->connections_.count(id)) return;
            if (ec) return self->drop(id);
            c->queue.pop_front();
            if (c->queue.empty() && c->closing) return self->drop(id);
            self->write(id, c);
            self->machine_.written(id, self->now());
            self->carry_out();
            self->read(id);
        });
    }

    void carry_out() {
        if (carrying_out_) return;
        carrying_out_ = true;
        for (machine_.take_actions(actions_); !actions_.empty(); machine_.take_actions(actions_))
            for (auto& a : actions_) std::visit([this](auto& what) { act(what); }, a);
        carrying_out_ = false;
        if (closed_ || !timer_) return;
        const auto next = machine_.next_wakeup();
        if (next == timer_set_) return;
        timer_set_ = next;
        if (next) timer_->set(*next);
        else timer_->clear();
    }
    void act(write_bytes& what) {
        const auto found = connections_.find(what.to);
        if (found == connections_.end()) return;
        const auto c = found->second;
        c->queue.push_back(std::move(what));
        write(what.to, c);
    }
    void act(close_connection& what) {
        const auto found = connections_.find(what.which);
        if (found == connections_.end()) return;
        found->second->closing = true;
        if (found->second->queue.empty()) drop(what.which);
    }
    void act(stop_listening& what) { acceptors_.erase(what.node); }
    void act(resume_reading& what) { read(what.which); }
    void act(start_listening& what) {
        if (auto* n = machine_.state().find_node(what.node); timer_ && n && !acceptors_.count(what.node)) static_cast<void>(listen(*n));
    }

    std::vector<std::shared_ptr<net::environment>> environments_;
    cluster_fsm machine_;
    std::shared_ptr<const net::tls_context> tls_;           // null: plain text
    std::unique_ptr<net::timer> timer_;
    std::optional<net::time_point> timer_set_;
    std::map<std::int32_t, std::unique_ptr<net::acceptor>> acceptors_;
    std::map<connection_id, std::shared_ptr<connection>> connections_;
    std::vector<action> actions_;
    bool carrying_out_ = false;
    bool closed_ = false;
};

}  // namespace kafkawire::broker
