// Lines from files and standard input, without keeping the event loop from its work.
#pragma once
#include <cli/session.hpp>

#include <string>
#include <vector>

namespace kafkawire::cli {

/// Reads the named files one after the other ("-": standard input; none: standard input). A line ends at a line feed, which is not part of
/// it, or at the file's end; a carriage return belongs to the line. Used by one coroutine at a time.
class line_source {
public:
    line_source(session& s, std::vector<std::string> files);
    ~line_source();
    line_source(const line_source&) = delete;
    line_source& operator=(const line_source&) = delete;

    /// The next line that is already here, valid until more() is called; false: more() is needed, or at_end().
    [[nodiscard]] bool next(std::string_view& line);
    /// Whether all has been given.
    [[nodiscard]] bool at_end() const noexcept { return files_done_ && at_ == buffer_.size(); }
    /// Whether more() would have to wait for somebody else.
    [[nodiscard]] bool would_wait() const noexcept;
    /// Gets more bytes; waits no longer than `patience`, then gives false. Raises a failure for a file that cannot be read.
    asio::awaitable<bool> more(std::chrono::milliseconds patience);
    /// No more bytes are read; what is here is the rest.
    void stop() noexcept;

private:
    void open_next();
    void close_current() noexcept;
    bool read_now();

    session& session_;
    std::vector<std::string> files_;
    std::size_t file_ = 0;
    int fd_ = -1;
    int flags_ = -1;            // of the open file, as it was given to us; -1: never changed
    std::unique_ptr<asio::posix::stream_descriptor> waiter_;  // of what can be waited for: pipes, terminals, sockets
    std::string buffer_;
    std::size_t at_ = 0;        // first byte not given yet
    std::size_t searched_ = 0;  // no line feed before this
    bool file_ended_ = false;
    bool files_done_ = false;
};

}  // namespace kafkawire::cli
