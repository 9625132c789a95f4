// One request on its way through a connection: what it says, how long it may take, who is told.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/codec.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace kafkawire::net {

/// A response as it came, without its size prefix: header, then body. Handed on and never copied: record views will point into it.
struct response {
    std::shared_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    [[nodiscard]] std::span<const std::byte> view() const noexcept { return {bytes.get(), size}; }
};

/// What became of a call. Exactly one of these is given to it.
struct outcome {
    error why;                     ///< empty: `answer` is there (and empty if no reply was to be expected)
    response answer;
    std::int16_t version = -1;     ///< the one that was sent; -1: none was
    bool maybe_processed = false;  ///< with an error: the broker may have got it
    bool connection_failed = false;  ///< the error is the connection's, not the request's own
};

/// A request in the connection's hands. It is encoded when the connection takes it, with the version that both sides speak; until then it
/// costs no bytes. The connection holds it until the answer or the socket's end, so whatever it owns outlives every write.
class call {
public:
    std::int16_t api_key = 0;
    protocol::version_range speaks;  ///< what the sender can say; the broker's range is cut with it and the highest is taken
    time_point started{};            ///< when the sender asked
    time_point deadline{};
    std::chrono::milliseconds may_wait{0};  ///< how long the broker may rightly keep the answer back (a Fetch's max wait, a join): no silence before
    bool expects_reply = true;       ///< a Produce with acks=0 has no reply

    virtual ~call() = default;
    /// Appends the whole frame, size prefix included. Records may be spliced in if the call owns them.
    [[nodiscard]] virtual protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) = 0;
    /// Called once, from the driver, never while it is in the middle of something. May start other calls.
    virtual void done(outcome result) = 0;
};

}  // namespace kafkawire::net
