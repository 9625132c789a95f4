#include "cli/broker_socket.hpp"

#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <deque>
#include <list>

#include "cli/broker_trace.hpp"
#include "cli/broker_verbs.hpp"
#include "cli/failure.hpp"

namespace kafkawire::cli {

namespace {

using protocol_type = asio::local::stream_protocol;
using nlohmann::ordered_json;

constexpr std::size_t longest_line = 1u << 20;
constexpr std::size_t most_unread = 16u << 20;
constexpr auto between_looks = std::chrono::milliseconds{10};

std::string as_line(const ordered_json& j) { return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n"; }

ordered_json error_of(const failure& f) {
    ordered_json e{{"name", f.name}, {"message", f.message}};
    if (f.code != 0) e["code"] = f.code;
    if (!f.hint.empty()) e["hint"] = f.hint;
    return {{"error", e}};
}

// One client. Reads a line, answers it, reads the next; while it waits for something, or observes, it reads nothing.
class visitor : public std::enable_shared_from_this<visitor> {
public:
    visitor(protocol_type::socket s, broker::control c) : socket_{std::move(s)}, timer_{socket_.get_executor()}, control_{std::move(c)} {}

    void read() {
        asio::async_read_until(socket_, asio::dynamic_buffer(in_, longest_line), '\n', [self = shared_from_this()](std::error_code ec, std::size_t n) {
            if (ec) return self->close();
            const auto line = self->in_.substr(0, n);
            self->in_.erase(0, n);
            self->take(line);
        });
    }
    void tell(const broker::passing& p) {
        if (observes_ && observes_(p)) write(trace_json(p));
    }
    void close() {
        std::error_code ignored;
        socket_.close(ignored);
        timer_.cancel();
        observes_ = nullptr;
        closed_ = true;
    }
    [[nodiscard]] bool closed() const noexcept { return closed_; }

private:
    void take(const std::string& line) {
        try {
            auto r = do_verb(control_, ordered_json::parse(line, nullptr, false));
            if (r.observe) {
                observes_ = std::move(r.observe);
                write(as_line({{"ok", true}}));
                return watch_for_end();
            }
            if (r.until) {
                waits_ = std::make_shared<verb_result>(std::move(r));
                give_up_ = std::chrono::steady_clock::now() + waits_->timeout;
                return look();
            }
            write(as_line(r.answer));
        } catch (const failure& f) {
            write(as_line(error_of(f)));
        } catch (const std::exception& e) {
            write(as_line(error_of(failure{status::failed, "internal", e.what()})));
        }
        read();
    }
    void look() {
        if (closed_) return;
        ordered_json answer;
        const bool over = std::chrono::steady_clock::now() >= give_up_;
        if (waits_->until(answer)) {
            write(as_line(answer));
        } else if (over) {
            failure f{status::partial, "timeout", fmt::format("no {} within {} ms", waits_->awaited, waits_->timeout.count()), fmt::format("it is now {}", answer.dump())};
            write(as_line(error_of(f)));
        } else {
            timer_.expires_after(between_looks);
            return timer_.async_wait([self = shared_from_this()](std::error_code ec) {
                if (!ec) self->look();
            });
        }
        read();
    }
    // An observer says nothing more; its end is all that is waited for.
    void watch_for_end() {
        asio::async_read_until(socket_, asio::dynamic_buffer(in_, longest_line), '\n', [self = shared_from_this()](std::error_code, std::size_t) { self->close(); });
    }
    void write(std::string line) {
        if (closed_) return;
        unread_ += line.size();
        if (unread_ > most_unread) return close();
        out_.push_back(std::move(line));
        if (out_.size() == 1) write_next();
    }
    void write_next() {
        asio::async_write(socket_, asio::buffer(out_.front()), [self = shared_from_this()](std::error_code ec, std::size_t n) {
            if (ec) return self->close();
            self->unread_ -= n;
            self->out_.pop_front();
            if (!self->out_.empty()) self->write_next();
        });
    }

    protocol_type::socket socket_;
    asio::steady_timer timer_;
    broker::control control_;
    std::string in_;
    std::deque<std::string> out_;
    std::size_t unread_ = 0;
    std::function<bool(const broker::passing&)> observes_;
    std::shared_ptr<verb_result> waits_;
    std::chrono::steady_clock::time_point give_up_;
    bool closed_ = false;
};

}  // namespace

class broker_socket::listener : public std::enable_shared_from_this<listener> {
public:
    listener(asio::io_context& io, broker::cluster& of, std::string path) : acceptor_{io}, cluster_{of}, path_{std::move(path)} {
        std::error_code ec;
        if (path_.size() > 100) ec = std::make_error_code(std::errc::filename_too_long);
        if (!ec) remove_stale(io);
        if (!ec) acceptor_.open(protocol_type{}, ec);
        if (!ec) acceptor_.bind(protocol_type::endpoint{path_}, ec);
        if (!ec) acceptor_.listen(protocol_type::acceptor::max_listen_connections, ec);
        if (ec) throw failure{status::failed, "listen_failed", fmt::format("cannot listen on {}: {}", path_, ec.message()), "--control takes a path of at most 100 characters, of a file that is not there"};
    }
    void begin() {
        cluster_.watch([weak = weak_from_this()](const broker::passing& p) {
            if (const auto self = weak.lock())
                for (const auto& v : self->visitors_) v->tell(p);
        });
        accept();
    }
    void close() {
        std::error_code ignored;
        acceptor_.close(ignored);
        for (const auto& v : visitors_) v->close();
        ::unlink(path_.c_str());
    }

private:
    // A broker that was killed leaves its socket behind; one that lives answers.
    void remove_stale(asio::io_context& io) {
        std::error_code ec;
        protocol_type::socket probe{io};
        probe.connect(protocol_type::endpoint{path_}, ec);
        if (ec == std::errc::connection_refused) ::unlink(path_.c_str());
    }
    void accept() {
        acceptor_.async_accept([self = shared_from_this()](std::error_code ec, protocol_type::socket s) {
            if (!self->acceptor_.is_open()) return;
            if (!ec) {
                self->visitors_.remove_if([](const auto& v) { return v->closed(); });
                self->visitors_.push_back(std::make_shared<visitor>(std::move(s), self->cluster_.control()));
                self->visitors_.back()->read();
            }
            self->accept();
        });
    }

    protocol_type::acceptor acceptor_;
    broker::cluster& cluster_;
    std::string path_;
    std::list<std::shared_ptr<visitor>> visitors_;
};

broker_socket::broker_socket(asio::io_context& io, broker::cluster& of, std::string path) : listener_{std::make_shared<listener>(io, of, std::move(path))} { listener_->begin(); }
broker_socket::~broker_socket() { listener_->close(); }

}  // namespace kafkawire::cli
