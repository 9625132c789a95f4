// One TCP connection that blocks with a limit, for frames that may be wrong on purpose.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <chrono>
#include <string>

namespace differential {

using namespace kafkawire::protocol;

/// Why there is no frame.
enum class no_frame { none, closed, silent };

/// A connection to "host:port". Throws std::runtime_error if there is none. Owns its socket; for one thread.
class connection {
public:
    explicit connection(const std::string& address);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Sends all bytes as they are. False if the other side has closed.
    bool send(bytes_view data);
    /// Reads the next frame, without its size, into `to`. Waits until the limit for its first byte, and then for the rest as long again.
    no_frame receive(bytes& to, std::chrono::milliseconds limit);

private:
    no_frame read_exactly(std::byte* to, std::size_t n, std::chrono::milliseconds limit);
    int fd_ = -1;
};

}  // namespace differential
