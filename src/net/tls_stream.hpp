// tls_stream: a stream whose bytes go through TLS on top of another one. Connects like that; then async_handshake() before anything is read or written.
// Owns: the stream below, the session, a buffer for each direction. Never: gives a plain byte to anybody before the handshake is done.
#pragma once
#include <kafkawire/environment.hpp>

#include "net/tls_session.hpp"

namespace kafkawire::net {

class tls_stream final : public stream {
public:
    using handshake_handler = unique_function<void(error why)>;

    tls_stream(std::shared_ptr<environment> env, std::unique_ptr<stream> below, std::shared_ptr<const tls_context> with, std::string_view host);
    ~tls_stream() override;

    void async_connect(const endpoint& to, connect_handler done) override;
    /// Once, after the stream below is connected. The story is empty if all is well; see tls_session::why().
    void async_handshake(handshake_handler done);
    void async_read_some(std::span<std::byte> into, read_handler done) override;
    void async_write(std::span<const std::span<const std::byte>> parts, write_handler done) override;
    /// Says goodbye to the peer, if there is room for it at once.
    void close() noexcept override;
    void reset() noexcept override;

    [[nodiscard]] const tls_session& session() const noexcept;

private:
    void stop_waiting() noexcept;

    struct pump;
    std::shared_ptr<pump> pump_;
};

}  // namespace kafkawire::net
