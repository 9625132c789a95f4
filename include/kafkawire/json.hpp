// JSON into messages: the way back from write_json(). A tools target (kafkawire_json), because it needs nlohmann-json; the core does not.
#pragma once
#include <kafkawire/protocol/codec.hpp>

#include <deque>
#include <nlohmann/json_fwd.hpp>

namespace kafkawire::json {

/// Owns bytes that messages only view: raw_records read from JSON point in here. What it has once kept does not move until it is destroyed.
/// Movable; for one thread at a time.
class byte_store {
public:
    protocol::bytes_view keep(protocol::bytes data) { return kept_.emplace_back(std::move(data)); }

private:
    std::deque<protocol::bytes> kept_;
};

/// Fills `message`, a fresh object of the schema's struct, from the JSON that write_json() and Kafka's own converters write: integers as
/// numbers, float64 also as "NaN", "Infinity" and "-Infinity", bytes and records as base64, UUIDs in 22 characters. A field that is absent
/// keeps its default. Records are decoded into `store`, which must outlive the message's use.
/// Errors (errc::bad_json, with the path): a member that the schema or this version does not have (the nearest name is told), a value of the
/// wrong type or out of range, null where the version has none. The message then holds what was read so far. Never throws on wrong JSON.
KAFKAWIRE_API protocol::wire_error read_json(const protocol::message_schema& schema, void* message, std::int16_t version, const nlohmann::json& from,
                                             byte_store& store);
template <class Message>
protocol::wire_error read_json(Message& message, std::int16_t version, const nlohmann::json& from, byte_store& store) {
    return read_json(protocol::schema_of<Message>(), &message, version, from, store);
}

/// Adds an unknown tagged field to the struct at `path` ("" is the message itself, "responses[0].partitions[1]" one inside), in its place by
/// ascending tag. errc::bad_json if there is no such struct in the message.
KAFKAWIRE_API protocol::wire_error add_unknown_tag(const protocol::message_schema& schema, void* message, std::string_view path, std::uint32_t tag,
                                                   protocol::bytes data);

/// All unknown tagged fields of a message as [{"path", "tag", "hex"}], in the order of the wire.
KAFKAWIRE_API nlohmann::json unknown_tags(const protocol::message_schema& schema, const void* message);

/// The bytes of lower- or upper-case hexadecimal; nothing if it is not that.
[[nodiscard]] KAFKAWIRE_API std::optional<protocol::bytes> from_hex(std::string_view text);
[[nodiscard]] KAFKAWIRE_API std::string to_hex(protocol::bytes_view data);
/// The bytes of standard base64 with padding; nothing if it is not that.
[[nodiscard]] KAFKAWIRE_API std::optional<protocol::bytes> from_base64(std::string_view text);

/// The candidate closest to `name` by edits, if any is close enough to be a slip of the pen; else empty.
[[nodiscard]] KAFKAWIRE_API std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace kafkawire::json
