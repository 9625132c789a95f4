#include "cli/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace kafkawire::cli {

namespace {

constexpr std::size_t piece = 64 * 1024;
bool quiet_notes = false;

std::size_t width_of(std::string_view s) {
    return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

output::output(int fd, bool unbuffered) : fd_{fd}, at_once_{unbuffered || ::isatty(fd) == 1} { buffer_.reserve(piece); }
output::~output() = default;

void output::write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= piece) flush();
}

void output::flush_point() {
    if (at_once_) flush();
}

void output::flush() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
        const auto n = ::write(fd_, rest.data(), rest.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) {  // a terminal that our own waiting for input made so
                pollfd p{fd_, POLLOUT, 0};
                (void)::poll(&p, 1, -1);
                continue;
            }
            buffer_.clear();
            if (errno == EPIPE) throw output_closed{};
            throw failure{status::failed, "output", std::string{"cannot write to standard output: "} + std::strerror(errno), "is the disk full?"};
        }
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
    buffer_.clear();
}

std::string table::text() const {
    std::vector<std::size_t> widths(heading.size());
    const auto measure = [&](const std::vector<std::string>& row) {
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    };
    measure(heading);
    for (const auto& r : rows) measure(r);
    std::string all;
    const auto line = [&](const std::vector<std::string>& row) {
        std::string one;
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            one += row[i];
            one.append(widths[i] - width_of(row[i]) + 2, ' ');
        }
        one.erase(one.find_last_not_of(' ') + 1);
        all += one + '\n';
    };
    line(heading);
    for (const auto& r : rows) line(r);
    return all;
}

std::string table::tsv() const {
    std::string all;
    for (const auto& r : rows) {
        for (std::size_t i = 0; i < r.size(); ++i) {
            if (i) all += '\t';
            auto cell = r[i].empty() ? std::string{"-"} : r[i];
            std::replace_if(cell.begin(), cell.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
            all += cell;
        }
        all += '\n';
    }
    return all;
}

void note(std::string_view line) {
    if (quiet_notes) return;
    std::string whole{line};
    whole += '\n';
    std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void set_quiet(bool quiet) noexcept { quiet_notes = quiet; }

}  // namespace kafkawire::cli
