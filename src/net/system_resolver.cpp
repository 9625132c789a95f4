#include "net/system_resolver.hpp"

#include <kafkawire/error.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "net/resolver_fsm.hpp"

namespace kafkawire::net {

namespace {

constexpr std::size_t max_file = 1u << 20;

std::string read_text(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    std::string text(max_file, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    return text;
}

// Known without asking anybody: hands the answer over, soon.
class known final : public resolver::lookup {
public:
    known(environment& env, std::vector<ip_address> addresses, resolver::handler done) : alive_{std::make_shared<bool>(true)} {
        env.post([alive = alive_, done = std::move(done), addresses = std::move(addresses)]() mutable {
            if (*alive) done({{}, {}, std::move(addresses)});
        });
    }
    ~known() override { *alive_ = false; }

private:
    std::shared_ptr<bool> alive_;
};

// Asks name servers. The lookup's handle owns it through `asking`; what is under way keeps it until its buffers are free.
class dns_lookup : public std::enable_shared_from_this<dns_lookup> {
public:
    dns_lookup(environment& env, std::string host, resolv_conf conf, resolver::handler done)
        : env_{env}, machine_{std::move(host), std::move(conf), env.random()}, done_{std::move(done)} {
        timer_ = env_.make_timer([this] { step(resolving_host::tick{}); });
    }
    void step(const resolving_host::event& e) {
        if (!done_) return;  // taken back; the environment may be gone
        const auto self = shared_from_this();
        resolving_host::actions todo;
        machine_.step(e, env_.now(), todo);
        for (auto& a : todo) std::visit([this](auto& what) { carry_out(what); }, a);
        if (const auto at = machine_.next_wakeup()) timer_->set(*at);
        else timer_->clear();
    }
    void stop() {
        done_ = nullptr;
        open_.clear();
        timer_->clear();
    }

private:
    struct conversation {
        std::unique_ptr<datagram_socket> datagrams;
        std::unique_ptr<stream> connection;
    };
    struct buffer {
        std::vector<std::byte> bytes;
        std::size_t have = 0;
        std::vector<std::span<const std::byte>> parts;
    };

    void carry_out(resolving_host::ask& a) {
        auto& c = open_[a.query];
        if (a.tcp) return ask_stream(c, a);
        c.datagrams = env_.make_datagram_socket();
        auto ec = c.datagrams->connect(a.server);
        if (!ec) ec = c.datagrams->send(a.message);
        if (ec) return fail(a.query, ec);
        auto room = std::make_shared<buffer>();
        room->bytes.resize(4096);
        receive(a.query, std::move(room));
    }
    void carry_out(resolving_host::drop& a) { open_.erase(a.query); }
    void carry_out(resolving_host::finish& a) {
        open_.clear();
        // Not inline: a name that cannot be asked for ends before async_resolve() returns.
        env_.post([self = shared_from_this(), what = std::move(a.what)]() mutable {
            if (auto done = std::exchange(self->done_, nullptr)) done(std::move(what));
        });
    }

    // Not inline: the machine is in the middle of its actions.
    void fail(int query, std::error_code ec) {
        env_.post([self = shared_from_this(), query, ec] { self->step(resolving_host::query_failed{query, ec.message()}); });
    }
    void receive(int query, std::shared_ptr<buffer> room) {
        const auto c = open_.find(query);
        if (c == open_.end()) return;
        const auto into = std::span{room->bytes};
        c->second.datagrams->async_receive(into, [self = shared_from_this(), query, room](std::error_code ec, std::size_t n) mutable {
            if (ec) return self->step(resolving_host::query_failed{query, ec.message()});
            self->step(resolving_host::got_reply{query, std::span<const std::byte>{room->bytes}.first(n)});
            self->receive(query, std::move(room));  // a forged or late datagram does not end the wait for the true one
        });
    }
    // Over a stream, query and reply have a length of two bytes in front.
    void ask_stream(conversation& c, resolving_host::ask& a) {
        c.connection = env_.make_stream();
        auto out = std::make_shared<buffer>();
        out->bytes.resize(2 + a.message.size());
        out->bytes[0] = static_cast<std::byte>(a.message.size() >> 8);
        out->bytes[1] = static_cast<std::byte>(a.message.size());
        std::copy(a.message.begin(), a.message.end(), out->bytes.begin() + 2);
        out->parts.emplace_back(out->bytes);
        c.connection->async_connect(a.server, [self = shared_from_this(), query = a.query, out](std::error_code ec) {
            if (ec) return self->step(resolving_host::query_failed{query, ec.message()});
            auto& s = *self->open_.at(query).connection;
            s.async_write(out->parts, [self, query, out](std::error_code failed) {
                if (failed) return self->step(resolving_host::query_failed{query, failed.message()});
                auto in = std::make_shared<buffer>();
                in->bytes.resize(2);
                self->read(query, std::move(in));
            });
        });
    }
    void read(int query, std::shared_ptr<buffer> in) {
        const auto c = open_.find(query);
        if (c == open_.end()) return;
        const auto into = std::span{in->bytes}.subspan(in->have);
        c->second.connection->async_read_some(into, [self = shared_from_this(), query, in](std::error_code ec, std::size_t n) {
            if (ec) return self->step(resolving_host::query_failed{query, ec.message()});
            in->have += n;
            if (in->have == 2 && in->bytes.size() == 2) {
                const auto size = std::to_integer<std::size_t>(in->bytes[0]) << 8 | std::to_integer<std::size_t>(in->bytes[1]);
                in->bytes.resize(2 + size);
                if (size == 0) return self->step(resolving_host::query_failed{query, "an empty answer"});
            }
            if (in->have < in->bytes.size()) return self->read(query, in);
            self->step(resolving_host::got_reply{query, std::span<const std::byte>{in->bytes}.subspan(2)});
        });
    }

    environment& env_;
    resolver_fsm machine_;
    resolver::handler done_;
    std::unique_ptr<timer> timer_;
    std::map<int, conversation> open_;
};

class asking final : public resolver::lookup {
public:
    explicit asking(std::shared_ptr<dns_lookup> what) : what_{std::move(what)} { what_->step(resolving_host::begin{}); }
    ~asking() override { what_->stop(); }

private:
    std::shared_ptr<dns_lookup> what_;
};

bool is_localhost(std::string_view host) {
    if (!host.empty() && host.back() == '.') host.remove_suffix(1);
    return host == "localhost" || host.ends_with(".localhost");  // RFC 6761: never asked for in the DNS
}

}  // namespace

std::unique_ptr<resolver::lookup> system_resolver::async_resolve(std::string_view host, handler done) {
    if (const auto address = ip_address::parse(host)) return std::make_unique<known>(env_, std::vector{*address}, std::move(done));
    auto listed = find_in_hosts(read_text(files_.hosts), host);
    if (listed.empty() && is_localhost(host)) listed = {*ip_address::parse("127.0.0.1"), *ip_address::parse("::1")};
    if (!listed.empty()) return std::make_unique<known>(env_, std::move(listed), std::move(done));
    auto conf = parse_resolv_conf(read_text(files_.resolv_conf));
    for (auto& s : conf.servers) s.port = files_.port;
    return std::make_unique<asking>(std::make_shared<dns_lookup>(env_, std::string{host}, std::move(conf), std::move(done)));
}

}  // namespace kafkawire::net
