// The bytes of a message, explained one value at a time.
#pragma once
#include <kafkawire/protocol/codec.hpp>

namespace kafkawire::protocol {

/// One value of the wire: `size` bytes at `offset`.
struct annotation {
    std::size_t offset;
    std::size_t size;
    std::string path;     ///< "topics[3].name"
    std::string type;     ///< as the specification calls it: "INT32", "COMPACT_STRING", "UNSIGNED_VARINT (count + 1)"
    std::string meaning;  ///< the value, and what it stands for where that is known: "3 UNKNOWN_TOPIC_OR_PARTITION"
};

/// Decodes like decode() and notes every value on the way. With an error the annotations end where it happened. Pure; thread-safe.
struct annotated {
    std::vector<annotation> values;
    wire_error error;
    std::size_t used = 0;
};
[[nodiscard]] KAFKAWIRE_API annotated annotate(const message_schema& schema, bytes_view from, std::int16_t version);

/// A table for people: offset, bytes in hex (at most 16, then "..."), path, type, meaning; a line per value. `base` is added to offsets.
[[nodiscard]] KAFKAWIRE_API std::string annotated_dump(const annotated& a, bytes_view from, std::size_t base = 0);

}  // namespace kafkawire::protocol
