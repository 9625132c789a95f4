#include "net/reporter.hpp"

#include <algorithm>
#include <array>

namespace kafkawire::inline v0_1 {

std::string_view to_string(log_level l) noexcept {
    constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
    return names[static_cast<std::size_t>(l) % names.size()];
}

std::string_view to_string(rebalance_seen::step s) noexcept {
    constexpr std::array<std::string_view, 3> names = {"assigned", "revoked", "lost"};
    return names[static_cast<std::size_t>(s) % names.size()];
}

std::string to_string(const log_line& l) {
    auto s = std::string{to_string(l.level)} + ' ' + std::string{l.component} + ": " + std::string{l.text};
    std::string behind;
    for (const auto& f : l.fields) behind += (behind.empty() ? "" : ", ") + std::string{f.name} + '=' + std::string{f.value};
    if (l.left_out > 0) behind += (behind.empty() ? "" : "; ") + std::to_string(l.left_out) + " more were left out";
    if (!behind.empty()) s += " (" + behind + ')';
    std::replace(s.begin(), s.end(), '\n', ' ');
    return s;
}

}  // namespace kafkawire::inline v0_1

namespace kafkawire::net {

namespace {

constexpr std::size_t most_lines = 200;

template <class F>
void unharmed(F f) noexcept {
    try {
        f();
    } catch (...) {  // an observer's trouble is its own
    }
}

}  // namespace

std::optional<std::uint64_t> line_limit_fsm::take(std::string_view line, time_point now) {
    if (const auto before = lines_.find(line); before != lines_.end()) {
        auto& s = before->second;
        if (now - s.written < log_pause) {
            ++s.left_out;
            return {};
        }
        s.written = now;
        return std::exchange(s.left_out, 0);
    }
    if (lines_.size() >= most_lines) lines_.erase(std::min_element(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) { return a.second.written < b.second.written; }));
    lines_.emplace(line, seen{now});
    return 0;
}

void reporter::log(log_level level, std::string_view component, std::string_view text, std::span<const log_field> fields) noexcept {
    unharmed([&] {
        auto line = std::string{component} + '\n' + std::string{text};
        if (!fields.empty()) line += '\n' + std::string{fields[0].value};
        const auto left_out = limit_.take(line, env_->now());
        if (left_out) to_->on_log({level, client_, component, text, fields, *left_out});
    });
}

void reporter::tell(request_seen r) noexcept {
    r.client = client_;
    unharmed([&] { to_->on_request(r); });
}

void reporter::tell(connection_seen r) noexcept {
    r.client = client_;
    unharmed([&] { to_->on_connection(r); });
}

void reporter::tell(batch_seen r) noexcept {
    r.client = client_;
    unharmed([&] { to_->on_batch(r); });
}

void reporter::tell(retry_seen r) noexcept {
    r.client = client_;
    unharmed([&] { to_->on_retry(r); });
}

void reporter::tell(rebalance_seen r) noexcept {
    r.client = client_;
    unharmed([&] { to_->on_rebalance(r); });
}

void reporter::tell(lag_seen r) noexcept {
    r.client = client_;
    unharmed([&] { to_->on_lag(r); });
}

void reporter::failed(std::string_view component, const error& why, std::uint64_t count) noexcept {
    unharmed([&] { to_->on_error({client_, component, why, count}); });
}

}  // namespace kafkawire::net
