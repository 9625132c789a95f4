// What passes between an embedded cluster and its clients, as those see it who watch.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/protocol/codec.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kafkawire::broker {

/// Time as the cluster knows it: steady for waiting, wall for timestamps in records and answers. The two may drift apart (see control).
struct moment {
    net::time_point steady;
    net::wall_time wall;

    /// Milliseconds since 1970, as the wire has it.
    [[nodiscard]] std::int64_t wall_ms() const noexcept {
        return std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
    }
};

/// Names a client's connection: 1, 2, 3 ... in the order in which the cluster took them, over all nodes.
using connection_id = std::uint64_t;

/// One request when it has been decoded, or one answer before it goes out. It, and all that it points to, is valid during the call only.
struct passing {
    enum class direction : std::uint8_t { request, response };

    direction way;
    moment at;
    std::int32_t node;
    connection_id connection;
    std::int16_t api_key;
    std::int16_t version;                          ///< of the message
    std::int32_t correlation_id;
    std::string_view client_id;                    ///< empty if the client does not say
    const protocol::message_schema* schema;
    const void* message;                           ///< an object of the schema's struct
    std::size_t bytes;                             ///< of the frame, its size prefix included
    std::chrono::nanoseconds took;                 ///< of an answer: since the request had come; of a request: 0

    /// The message as its type, or null if it is another.
    template <class Message>
    [[nodiscard]] const Message* as() const noexcept {
        return schema == &protocol::schema_of<Message>() ? static_cast<const Message*>(message) : nullptr;
    }
};

/// Must not call the cluster back.
using watcher = unique_function<void(const passing&)>;

/// A request or an answer that has passed, from the cluster's history. Owns all of it.
struct passed {
    passing::direction way = passing::direction::request;
    moment at;
    std::int32_t node = 0;
    connection_id connection = 0;
    std::int16_t api_key = 0;
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;
    std::string client_id;
    const protocol::message_schema* schema = nullptr;
    std::size_t bytes = 0;                         ///< of the frame, its size prefix included
    std::chrono::nanoseconds took{0};
    protocol::bytes body;                          ///< the message without its header; empty if it was too long to be kept

    /// Whether the body was kept: frames up to 16 KiB are.
    [[nodiscard]] bool kept() const noexcept { return !body.empty() || bytes <= 64; }
    /// The message as Kafka's own JSON converters write it; "{}" if it was not kept.
    [[nodiscard]] KAFKAWIRE_API std::string json() const;
    /// "node 1 #3 my-client > Metadata v13 5 {...}": one line, without a line end.
    [[nodiscard]] KAFKAWIRE_API std::string line() const;
    /// The message as its type; nothing if it is another, or was not kept. Record data in it points into this object.
    template <class Message>
    [[nodiscard]] std::optional<Message> as() const {
        std::optional<Message> message;
        if (schema != &protocol::schema_of<Message>() || !kept()) return message;
        if (protocol::decode(message.emplace(), body, version)) message.reset();
        return message;
    }
};

/// What has passed so far, of one API.
struct api_traffic {
    std::int16_t api_key = 0;
    std::uint64_t requests = 0, answers = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

}  // namespace kafkawire::broker
