// Frames from both sides. The first byte says which: an even one is a request frame without its size; an odd one a response frame to the
// request whose API key and version the next three bytes choose.
#include <kafkawire/protocol/frame.hpp>

#include "fuzz/common.hpp"

namespace {

using namespace kafkawire::protocol;
using namespace kafkawire::fuzzing;

void request_frame(bytes_view frame) {
    messages::request_header header;
    std::size_t body_at = 0;
    if (const auto error = decode_request_header(header, frame, body_at)) return;
    must(body_at <= frame.size(), "the body begins beyond the frame");
    const auto* api = find_api(header.request_api_key);
    must(api, "a header of an API that does not exist");
    const auto version = header.request_api_version;
    any_message body{*api->request};
    if (decode(*api->request, body.get(), frame.subspan(body_at), version)) return;
    scatter again;
    const auto client = header.client_id ? std::optional<std::string_view>{*header.client_id} : std::nullopt;
    must(!encode_request(*api->request, body.get(), version, header.correlation_id, client, again), "a decoded request does not encode");
    bytes together;
    for (const auto part : again.parts()) together.insert(together.end(), part.begin(), part.end());
    messages::request_header second;
    must(!decode_request_header(second, bytes_view{together}.subspan(4), body_at), "an encoded header does not decode");
    must(second.correlation_id == header.correlation_id && second.client_id == header.client_id, "a second round gives another header");
    any_message second_body{*api->request};
    must(!decode(*api->request, second_body.get(), bytes_view{together}.subspan(4 + body_at), version), "an encoded request does not decode");
}

void response_frame(bytes_view frame, std::int16_t key, std::int16_t version) {
    messages::response_header header;
    std::size_t body_at = 0;
    if (const auto error = decode_response_header(header, frame, key, version, body_at)) return;
    must(body_at <= frame.size(), "the body begins beyond the frame");
    const auto* api = find_api(key);
    must(api, "a header of an API that does not exist");
    (void)message(*api->response, frame.subspan(body_at), version);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const bytes_view rest{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
    if (data[0] % 2 == 0) {
        request_frame(rest);
    } else if (rest.size() >= 3) {
        response_frame(rest.subspan(3), static_cast<std::int16_t>(data[1] << 8 | data[2]), data[3]);
    }
    return 0;
}
