#include "cli/line_source.hpp"

#include <asio/post.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kafkawire::cli {

namespace {

constexpr std::size_t chunk = 256 * 1024;

failure unreadable(const std::string& file, int why) {
    return {status::failed, "unreadable_file", fmt::format("cannot read {}: {}", file == "-" ? "standard input" : file, std::strerror(why)), "check the path and its permissions"};
}

}  // namespace

line_source::line_source(session& s, std::vector<std::string> files) : session_{s}, files_{std::move(files)} {
    if (files_.empty()) files_.emplace_back("-");
    // A file that is missing is told before the first record is sent, not in the middle.
    for (const auto& f : files_)
        if (f != "-" && ::access(f.c_str(), R_OK) != 0) throw unreadable(f, errno);
    open_next();
}

line_source::~line_source() { close_current(); }

void line_source::close_current() noexcept {
    waiter_.reset();
    // Waiting makes the open file non-blocking, and that is shared with whoever gave it to us: the shell wants its terminal back as it was.
    if (flags_ >= 0 && fd_ >= 0) (void)::fcntl(fd_, F_SETFL, flags_);
    flags_ = -1;
    if (fd_ > 0) ::close(fd_);
    fd_ = -1;
}

void line_source::open_next() {
    close_current();
    file_ended_ = false;
    if (file_ == files_.size()) {
        files_done_ = true;
        return;
    }
    const auto& name = files_[file_++];
    fd_ = name == "-" ? 0 : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) throw unreadable(name, errno);
    struct stat info {};
    if (::fstat(fd_, &info) == 0 && S_ISDIR(info.st_mode)) throw unreadable(name, EISDIR);
    if (!S_ISFIFO(info.st_mode) && !S_ISSOCK(info.st_mode) && ::isatty(fd_) != 1) return;
    flags_ = ::fcntl(fd_, F_GETFL);
    waiter_ = std::make_unique<asio::posix::stream_descriptor>(session_.io(), ::dup(fd_));
}

bool line_source::next(std::string_view& line) {
    const auto feed = buffer_.find('\n', std::max(at_, searched_));
    if (feed != buffer_.npos) {
        line = std::string_view{buffer_}.substr(at_, feed - at_);
        at_ = searched_ = feed + 1;
        return true;
    }
    searched_ = buffer_.size();
    if (!file_ended_ && !files_done_) return false;
    if (at_ == buffer_.size()) return false;
    // The last line of a file needs no line feed.
    line = std::string_view{buffer_}.substr(at_);
    at_ = searched_ = buffer_.size();
    return true;
}

bool line_source::would_wait() const noexcept {
    if (!waiter_ || files_done_) return false;
    pollfd p{fd_, POLLIN, 0};
    return ::poll(&p, 1, 0) == 0;
}

bool line_source::read_now() {
    buffer_.erase(0, at_);
    searched_ -= at_;
    at_ = 0;
    const auto had = buffer_.size();
    buffer_.resize(had + chunk);
    ssize_t n = 0;
    do n = ::read(fd_, buffer_.data() + had, chunk);
    while (n < 0 && errno == EINTR && !session_.stopping());
    const int why = errno;
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    // Somebody else may have read what was there.
    if (n < 0 && (why == EAGAIN || why == EWOULDBLOCK)) return false;
    if (n < 0 && why != EINTR) throw unreadable(files_[file_ - 1], why);
    if (n <= 0) file_ended_ = true;
    return n > 0;
}

asio::awaitable<bool> line_source::more(std::chrono::milliseconds patience) {
    if (file_ended_) open_next();
    if (files_done_) co_return false;
    if (waiter_ && would_wait()) {
        bool late = false;
        asio::steady_timer timer{session_.io(), patience};
        timer.async_wait([this, &late](std::error_code ec) {
            if (ec) return;
            late = true;
            if (waiter_) waiter_->cancel();
        });
        // The event may be of bytes that were read long ago, so it is believed only if there is something to read.
        while (!late && !files_done_ && would_wait()) {
            std::error_code ec;
            co_await waiter_->async_wait(asio::posix::stream_descriptor::wait_read, asio::redirect_error(asio::use_awaitable, ec));
            if (ec) break;
        }
        timer.cancel();
        // The timer's handler looks at this frame: it must have run before the frame goes on.
        co_await asio::post(session_.io(), asio::use_awaitable);
        if (files_done_ || would_wait()) co_return false;
    } else {
        // A file is always ready; the network must have its turn all the same.
        co_await asio::post(session_.io(), asio::use_awaitable);
        if (files_done_) co_return false;
    }
    (void)read_now();
    co_return true;
}

void line_source::stop() noexcept {
    files_done_ = true;
    if (waiter_) {
        std::error_code ignored;
        waiter_->cancel(ignored);
    }
}

}  // namespace kafkawire::cli
