// Bytes to messages: a body, a whole frame, or bytes of which nothing is known.
#pragma once
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/headers.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kafkawire::cli {

/// What bytes are taken for.
struct reading {
    const protocol::message_schema* schema = nullptr;
    std::int16_t version = 0;
    bool size_prefix = false;                      ///< four bytes of size come first
    const protocol::message_schema* header = nullptr;  ///< RequestHeader or ResponseHeader, or null: the body alone
    std::int16_t header_version = 0;
};

/// What came of it. The message may point into the bytes.
struct outcome {
    reading as;
    std::unique_ptr<protocol::any_message> header, body;
    std::size_t body_at = 0;     ///< where the body begins
    protocol::wire_error error;  ///< offsets count from the first byte given
    bool in_header = false;      ///< the error is in the size or the header
};

/// Reads `bytes` as `r` says; the header of a request decides nothing here, it is only read.
[[nodiscard]] outcome read(const reading& r, protocol::bytes_view bytes);

/// Every way in which the bytes are a whole request frame: with or without size prefix; the header names API and version.
[[nodiscard]] std::vector<reading> guess_request(protocol::bytes_view bytes);
/// Every API and version whose response the bytes could be, size prefix or not; only ways that use up all bytes. Likely ones first.
[[nodiscard]] std::vector<reading> guess_response(protocol::bytes_view bytes);

/// The reading of a frame of that message, with the header version that Kafka uses for it.
[[nodiscard]] reading frame_of(const protocol::message_schema& m, std::int16_t version, bool size_prefix);

/// Whether the first four bytes say how many follow.
[[nodiscard]] bool has_size_prefix(protocol::bytes_view bytes) noexcept;

/// "Metadata response v12, with size prefix and response header v1".
[[nodiscard]] std::string to_text(const reading& r);

}  // namespace kafkawire::cli
