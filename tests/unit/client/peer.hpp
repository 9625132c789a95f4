// Peers for tests of the client: in-process, on loopback, on the test's own io_context, so that nothing needs a thread.
#pragma once
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace peers {

using kafkawire::protocol::bytes;
using kafkawire::protocol::bytes_view;

// One accepted connection. `send` and `hang_up` are carried out in order.
struct session : std::enable_shared_from_this<session> {
    explicit session(asio::ip::tcp::socket s) : socket{std::move(s)} {}
    asio::ip::tcp::socket socket;
    bytes frame = bytes(4);

    void send(bytes what) {
        auto owned = std::make_shared<bytes>(std::move(what));
        asio::error_code ignored;  // the few bytes of a test fit into the socket's buffer
        asio::write(socket, asio::buffer(*owned), ignored);
    }
    void send(std::string_view text) { send(bytes{reinterpret_cast<const std::byte*>(text.data()), reinterpret_cast<const std::byte*>(text.data()) + text.size()}); }
    void hang_up() {
        asio::error_code ignored;
        socket.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
        socket.close(ignored);
    }
    // Calls `f` with every frame that arrives, without its size.
    void each_frame(std::function<void(session&, bytes_view)> f) {
        frame.resize(4);
        asio::async_read(socket, asio::buffer(frame), [self = shared_from_this(), f = std::move(f)](asio::error_code ec, std::size_t) mutable {
            if (ec) return;
            std::size_t size = 0;
            for (const auto b : self->frame) size = size << 8 | std::to_integer<std::size_t>(b);
            self->frame.resize(size);
            asio::async_read(self->socket, asio::buffer(self->frame), [self, f = std::move(f)](asio::error_code failed, std::size_t) mutable {
                if (failed) return;
                f(*self, self->frame);
                if (self->socket.is_open()) self->each_frame(std::move(f));
            });
        });
    }
};

// Listens on a free port of 127.0.0.1 and hands every connection to `on_connect`.
class server {
public:
    server(asio::io_context& io, std::function<void(session&)> on_connect)
        : acceptor_{io, {asio::ip::make_address("127.0.0.1"), 0}}, on_connect_{std::move(on_connect)} {
        accept();
    }
    [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
    void stop() {
        acceptor_.close();
        for (auto& s : sessions_)
            if (auto alive = s.lock()) alive->hang_up();
    }
    int connections = 0;

private:
    void accept() {
        acceptor_.async_accept([this](asio::error_code ec, asio::ip::tcp::socket s) {
            if (ec) return;
            ++connections;
            auto one = std::make_shared<session>(std::move(s));
            sessions_.push_back(one);
            kept_.push_back(one);
            on_connect_(*one);
            accept();
        });
    }
    asio::ip::tcp::acceptor acceptor_;
    std::function<void(session&)> on_connect_;
    std::vector<std::weak_ptr<session>> sessions_;
    std::vector<std::shared_ptr<session>> kept_;
};

// A broker that knows ApiVersions and Metadata. Tests put their own handler in front.
class broker {
public:
    // Returns true if it has dealt with the request (answered it, or on purpose not).
    using hook = std::function<bool(session&, const kafkawire::protocol::messages::request_header&)>;

    explicit broker(asio::io_context& io, std::int32_t id = 1) : id_{id}, server_{io, [this](session& s) { s.each_frame([this](session& t, bytes_view f) { serve(t, f); }); }} {}
    [[nodiscard]] std::string address() const { return server_.address(); }
    [[nodiscard]] unsigned short port() const { return server_.port(); }
    void stop() { server_.stop(); }
    [[nodiscard]] int connections() const { return server_.connections; }

    hook first;
    std::vector<std::pair<std::int32_t, unsigned short>> cluster;  // what its metadata says; empty: itself
    std::vector<std::pair<std::int16_t, std::int16_t>> served;     // key and version of every request
    std::int16_t highest_metadata = 12;

    void serve(session& s, bytes_view frame) {
        using namespace kafkawire::protocol;
        messages::request_header header;
        std::size_t body_at = 0;
        if (auto e = decode_request_header(header, frame, body_at)) return s.hang_up();
        served.emplace_back(header.request_api_key, header.request_api_version);
        if (first && first(s, header)) return;
        if (header.request_api_key == messages::api_versions_request::key) {
            messages::api_versions_response r;
            r.api_keys.resize(3);
            r.api_keys[0].api_key = 0;
            r.api_keys[0].max_version = 9;
            r.api_keys[1].api_key = 3;
            r.api_keys[1].max_version = highest_metadata;
            r.api_keys[2].api_key = 18;
            r.api_keys[2].max_version = 4;
            answer(s, r, header);
        } else if (header.request_api_key == messages::metadata_request::key) {
            messages::metadata_response r;
            const auto add = [&](std::int32_t id, unsigned short port) {
                r.brokers.emplace_back();
                r.brokers.back().node_id = id;
                r.brokers.back().host = "127.0.0.1";
                r.brokers.back().port = port;
            };
            for (const auto& [id, port] : cluster) add(id, port);
            if (cluster.empty()) add(id_, port());
            answer(s, r, header);
        }
    }
    template <class Response>
    static void answer(session& s, const Response& r, const kafkawire::protocol::messages::request_header& to) {
        kafkawire::protocol::scatter out;
        if (!kafkawire::protocol::encode_response(r, to.request_api_version, to.correlation_id, out)) s.send(std::move(out.own));
    }

private:
    std::int32_t id_;
    server server_;
};

}  // namespace peers
