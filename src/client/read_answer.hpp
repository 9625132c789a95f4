// The body of an answer, as its API and version have it.
#pragma once
#include <kafkawire/protocol/frame.hpp>

#include "net/call.hpp"

namespace kafkawire::client_detail {

/// What is wrong with it; none: `to` holds it, whose views are into the answer's bytes.
template <class Message>
[[nodiscard]] protocol::wire_error read_answer(Message& to, std::int16_t api_key, const net::outcome& of) {
    protocol::messages::response_header header;
    std::size_t body_at = 0;
    auto wrong = protocol::decode_response_header(header, of.answer.view(), api_key, of.version, body_at);
    if (!wrong) wrong = protocol::decode(to, of.answer.view().subspan(body_at), of.version);
    return wrong;
}

}  // namespace kafkawire::client_detail
