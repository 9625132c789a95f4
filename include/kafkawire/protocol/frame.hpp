// What stands around a message on a connection: int32 size, header, body.
#pragma once
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/headers.hpp>

namespace kafkawire::protocol {

/// The version of the request header for a version of an API: 2 where the request is flexible, else 1; 0 for ControlledShutdown v0.
/// -1 if there is no such API.
[[nodiscard]] KAFKAWIRE_API std::int16_t request_header_version(std::int16_t api_key, std::int16_t api_version) noexcept;
/// The version of the response header: 1 where the response is flexible, else 0; always 0 for ApiVersions, so that a client can read the
/// answer of a broker that does not know the version it asked with (KIP-511). -1 if there is no such API.
[[nodiscard]] KAFKAWIRE_API std::int16_t response_header_version(std::int16_t api_key, std::int16_t api_version) noexcept;

/// Appends a whole request frame (size, header, body) to `to`, which must be empty. Records stay where they lie.
KAFKAWIRE_API wire_error encode_request(const message_schema& schema, const void* request, std::int16_t version, std::int32_t correlation_id,
                                        std::optional<std::string_view> client_id, scatter& to);
template <class Request>
wire_error encode_request(const Request& request, std::int16_t version, std::int32_t correlation_id, std::optional<std::string_view> client_id,
                          scatter& to) {
    return encode_request(schema_of<Request>(), &request, version, correlation_id, client_id, to);
}

/// The same for a response, as a broker sends it.
KAFKAWIRE_API wire_error encode_response(const message_schema& schema, const void* response, std::int16_t version, std::int32_t correlation_id,
                                         scatter& to);
template <class Response>
wire_error encode_response(const Response& response, std::int16_t version, std::int32_t correlation_id, scatter& to) {
    return encode_response(schema_of<Response>(), &response, version, correlation_id, to);
}

/// Decodes the header of a request frame (without the size prefix), whichever version it has, and says where the body begins.
KAFKAWIRE_API wire_error decode_request_header(messages::request_header& to, bytes_view frame, std::size_t& body_at);
/// Decodes the header of a response frame (without the size prefix) to a request of that API and version.
KAFKAWIRE_API wire_error decode_response_header(messages::response_header& to, bytes_view frame, std::int16_t api_key, std::int16_t api_version,
                                                std::size_t& body_at);

}  // namespace kafkawire::protocol
