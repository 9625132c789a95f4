#include <kafkawire/protocol/frame.hpp>

#include <kafkawire/protocol/api.hpp>

#include "protocol/reader.hpp"

namespace kafkawire::protocol {

namespace {

constexpr std::int16_t api_versions_key = 18;
constexpr std::int16_t controlled_shutdown_key = 7;

// Puts the size in front of what was encoded behind it.
wire_error finish(scatter& to) {
    const auto size = to.size() - 4;
    if (size > 0x7fffffff) return {errc::bad_length, 0, {}, "a frame of " + std::to_string(size) + " bytes; the wire can say 2147483647"};
    for (int i = 0; i < 4; ++i) to.own[static_cast<std::size_t>(i)] = static_cast<std::byte>(size >> (24 - 8 * i));
    return {};
}

wire_error encode_frame(const message_schema& header_schema, const void* header, std::int16_t header_version, const message_schema& schema, const void* body,
                        std::int16_t version, scatter& to) {
    to.own.resize(4);
    auto error = encode(header_schema, header, header_version, to);
    if (!error) error = encode(schema, body, version, to);
    return error ? error : finish(to);
}

}  // namespace

std::int16_t request_header_version(std::int16_t api_key, std::int16_t api_version) noexcept {
    const auto* api = find_api(api_key);
    if (!api) return -1;
    if (api_key == controlled_shutdown_key && api_version == 0) return 0;
    return api->request->flexible.contains(api_version) ? 2 : 1;
}

std::int16_t response_header_version(std::int16_t api_key, std::int16_t api_version) noexcept {
    const auto* api = find_api(api_key);
    if (!api) return -1;
    if (api_key == api_versions_key) return 0;
    return api->response->flexible.contains(api_version) ? 1 : 0;
}

wire_error encode_request(const message_schema& schema, const void* request, std::int16_t version, std::int32_t correlation_id,
                          std::optional<std::string_view> client_id, scatter& to) {
    messages::request_header header;
    header.request_api_key = schema.key;
    header.request_api_version = version;
    header.correlation_id = correlation_id;
    const auto header_version = request_header_version(schema.key, version);
    if (header_version < 0) return {errc::unknown_api, 0, {}, "no API has the key " + std::to_string(schema.key)};
    if (client_id) header.client_id = std::string{*client_id};
    else header.client_id.reset();
    if (header_version == 0) header.client_id.emplace();
    return encode_frame(schema_of<messages::request_header>(), &header, header_version, schema, request, version, to);
}

wire_error encode_response(const message_schema& schema, const void* response, std::int16_t version, std::int32_t correlation_id, scatter& to) {
    messages::response_header header;
    header.correlation_id = correlation_id;
    const auto header_version = response_header_version(schema.key, version);
    if (header_version < 0) return {errc::unknown_api, 0, {}, "no API has the key " + std::to_string(schema.key)};
    return encode_frame(schema_of<messages::response_header>(), &header, header_version, schema, response, version, to);
}

wire_error decode_request_header(messages::request_header& to, bytes_view frame, std::size_t& body_at) {
    reader in{frame};
    const auto key = in.fixed<std::int16_t>();
    const auto version = in.fixed<std::int16_t>();
    if (in.failed()) return in.error();
    const auto* api = find_api(key);
    if (!api) return {errc::unknown_api, 0, "requestApiKey", "no API has the key " + std::to_string(key)};
    return decode_prefix(schema_of<messages::request_header>(), &to, frame, request_header_version(key, version), body_at);
}

wire_error decode_response_header(messages::response_header& to, bytes_view frame, std::int16_t api_key, std::int16_t api_version, std::size_t& body_at) {
    const auto version = response_header_version(api_key, api_version);
    if (version < 0) return {errc::unknown_api, 0, {}, "no API has the key " + std::to_string(api_key)};
    return decode_prefix(schema_of<messages::response_header>(), &to, frame, version, body_at);
}

}  // namespace kafkawire::protocol
