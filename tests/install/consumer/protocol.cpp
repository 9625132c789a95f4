// A program that uses the protocol alone: one Metadata request to bytes, and back.
#include <cstdio>
#include <cstring>

#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#ifdef ASIO_STANDALONE
#error "kafkawire::protocol must not bring Asio along"
#endif

int main() {
    namespace protocol = kafkawire::protocol;
    protocol::messages::metadata_request request;
    request.topics->emplace_back().name = "orders";
    protocol::bytes wire;
    if (auto wrong = protocol::encode(request, 12, wire)) return std::puts(wrong.message().c_str()), 1;
    protocol::messages::metadata_request back;
    if (auto wrong = protocol::decode(back, wire, 12)) return std::puts(wrong.message().c_str()), 1;
    if (!(back == request)) return std::puts("the request came back changed"), 1;
    if (std::strcmp(kafkawire::version(), KAFKAWIRE_VERSION_STRING) != 0) return std::puts("headers and library differ"), 1;
    std::printf("kafkawire %s (%s): %zu bytes\n", kafkawire::version(), kafkawire::features(), wire.size());
}
