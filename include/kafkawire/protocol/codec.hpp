// Messages to bytes and back. Everything here walks the field list of schema.hpp; nothing does I/O.
//
// Common to all: pure functions, thread-safe; `version` must be one of the message's versions (else errc::unsupported_version); bytes are
// the message body alone, without length prefix and header (see frame.hpp); wrong input is reported, never thrown (std::bad_alloc aside).
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/schema.hpp>

#include <utility>

namespace kafkawire::protocol {

/// What is wrong with a message, and where. Converts to true if something is.
struct [[nodiscard]] wire_error {
    errc code{};
    std::size_t offset = 0;  ///< bytes into the message
    std::string path;        ///< "topics[3].name"; empty: the message itself
    std::string detail;      ///< what was read and what would be right

    explicit operator bool() const noexcept { return code != errc{}; }
    /// "truncated at byte 17, in topics[3].name: 40 bytes announced, 3 left"
    [[nodiscard]] KAFKAWIRE_API std::string message() const;
};

/// Bytes that lie in several places: `own` with foreign pieces (record batches) spliced in, so that these are never copied.
/// The foreign bytes belong to whoever made them and must outlive the scatter.
struct scatter {
    struct splice {
        std::size_t at;  ///< the foreign bytes come before own[at]
        bytes_view data;
    };
    bytes own;
    std::vector<splice> splices;  ///< by ascending `at`

    [[nodiscard]] KAFKAWIRE_API std::size_t size() const noexcept;
    /// The pieces in order, for a gathering write. Valid until the scatter changes.
    [[nodiscard]] KAFKAWIRE_API std::vector<bytes_view> parts() const;
};

/// Limits of a decoder; all of them keep a false claim from costing memory.
struct decode_limits {
    std::uint32_t max_tagged_fields = 10'000;  ///< unknown ones, per struct
};

// The erased forms; `message` is an object of the schema's struct.
KAFKAWIRE_API wire_error decode(const message_schema& schema, void* message, bytes_view from, std::int16_t version);
/// As decode(), but leaves what follows the message and says how much was used: for headers, which are followed by a body.
KAFKAWIRE_API wire_error decode_prefix(const message_schema& schema, void* message, bytes_view from, std::int16_t version, std::size_t& used);
KAFKAWIRE_API wire_error encode(const message_schema& schema, const void* message, std::int16_t version, bytes& to);
KAFKAWIRE_API wire_error encode(const message_schema& schema, const void* message, std::int16_t version, scatter& to);
KAFKAWIRE_API wire_error measure(const message_schema& schema, const void* message, std::int16_t version, std::size_t& size);
KAFKAWIRE_API wire_error write_json(const message_schema& schema, const void* message, std::int16_t version, std::string& to);

/// Decodes `from` into `to`, which should be fresh: fields that the version lacks keep their values. All bytes must be used. Strings and
/// bytes are copied; raw_records point into `from`, which must outlive them. On an error `to` holds what was read so far.
///
/// Memory: a count is believed only after count * smallest element <= bytes left; an array that would take more than 4 KiB is walked once
/// without allocating before room for it is made. So no input costs more than max_expansion() times its size plus 64 KiB.
template <class Message>
wire_error decode(Message& to, bytes_view from, std::int16_t version) {
    return decode(schema_of<Message>(), &to, from, version);
}

/// Appends the message to `to`; on an error `to` is as it was. Refused: null where the version has no null, a value other than the default
/// in a field that the version lacks and that is not ignorable, lengths beyond the wire's integers.
template <class Message>
wire_error encode(const Message& message, std::int16_t version, bytes& to) {
    return encode(schema_of<Message>(), &message, version, to);
}

/// The same; raw_records are spliced in where they lie instead of being copied.
template <class Message>
wire_error encode(const Message& message, std::int16_t version, scatter& to) {
    return encode(schema_of<Message>(), &message, version, to);
}

/// The exact number of bytes that encode() will append.
template <class Message>
wire_error measure(const Message& message, std::int16_t version, std::size_t& size) {
    return measure(schema_of<Message>(), &message, version, size);
}

/// Appends the message as Kafka's own JSON converters write it: the fields of that version only, tagged ones only if not the default,
/// bytes and records as base64, UUIDs in their text form. Unknown tags are not part of it. Bytes of strings that are not UTF-8 become U+FFFD.
template <class Message>
wire_error write_json(const Message& message, std::int16_t version, std::string& to) {
    return write_json(schema_of<Message>(), &message, version, to);
}

/// The largest ratio, over all arrays of all messages and versions, of an element's size in memory to its smallest size on the wire.
[[nodiscard]] KAFKAWIRE_API std::size_t max_expansion();

/// An erased message that owns its object. Movable; empty after a move.
class KAFKAWIRE_API any_message {
public:
    explicit any_message(const message_schema& schema) : schema_{&schema}, object_{schema.create()} {}
    any_message(any_message&& other) noexcept : schema_{other.schema_}, object_{other.object_} { other.object_ = nullptr; }
    any_message& operator=(any_message&& other) noexcept {
        std::swap(schema_, other.schema_);
        std::swap(object_, other.object_);
        return *this;
    }
    ~any_message() {
        if (object_) schema_->destroy(object_);
    }
    [[nodiscard]] const message_schema& schema() const noexcept { return *schema_; }
    [[nodiscard]] void* get() noexcept { return object_; }
    [[nodiscard]] const void* get() const noexcept { return object_; }

private:
    const message_schema* schema_;
    void* object_;
};

}  // namespace kafkawire::protocol
