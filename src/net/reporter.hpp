// reporter: what the parts of one client tell its observer through. Knows the client's name, keeps log lines from coming too often, and keeps what an
// observer throws away from those who tell. There is none where there is no observer.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/observer.hpp>

#include <array>
#include <map>

namespace kafkawire::net {

/// Which lines were written lately. Knows a limited number of them: the eldest are forgotten first.
class line_limit_fsm {
public:
    /// How many like it were left out since the last one was written; nothing: this one is to be left out too.
    [[nodiscard]] std::optional<std::uint64_t> take(std::string_view line, time_point now);

private:
    struct seen {
        time_point written;
        std::uint64_t left_out = 0;
    };
    std::map<std::string, seen, std::less<>> lines_;
};

class reporter {
public:
    reporter(std::shared_ptr<observer> to, std::string client, std::shared_ptr<environment> env)
        : to_{std::move(to)}, client_{std::move(client)}, env_{std::move(env)}, bytes_{to_->wants_bytes()} {}

    [[nodiscard]] bool wants_bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::string_view client() const noexcept { return client_; }

    /// The first field says what the line is about: lines of the same text about the same are one line.
    void log(log_level level, std::string_view component, std::string_view text, std::span<const log_field> fields = {}) noexcept;
    void log(log_level level, std::string_view component, std::string_view text, log_field about) noexcept { log(level, component, text, {&about, 1}); }
    // These fill in the client's name.
    void tell(request_seen r) noexcept;
    void tell(connection_seen r) noexcept;
    void tell(batch_seen r) noexcept;
    void tell(retry_seen r) noexcept;
    void tell(rebalance_seen r) noexcept;
    void tell(lag_seen r) noexcept;
    void failed(std::string_view component, const error& why, std::uint64_t count = 1) noexcept;

private:
    std::shared_ptr<observer> to_;
    const std::string client_;
    std::shared_ptr<environment> env_;
    line_limit_fsm limit_;
    const bool bytes_;
};

}  // namespace kafkawire::net
