// A message's fields, flattened to rows: what `explain` shows and compares.
#pragma once
#include <kafkawire/protocol/schema.hpp>

#include <string>
#include <vector>

namespace kafkawire::cli {

struct schema_row {
    std::string path;   ///< "topics.partitions.leaderId"
    int depth = 0;
    std::string name;
    std::string type;   ///< "int32", "[]string", "[]topic"
    std::string fallback;  ///< the default, as JSON would say it; empty for a structure
    std::string meaning;   ///< may be empty
    protocol::field_options options;
    protocol::version_range in;  ///< the versions of the message that really have it: its own cut with those of the structs around it
};

/// In wire order, each structure followed by its fields.
[[nodiscard]] std::vector<schema_row> schema_rows(const protocol::message_schema& message);

/// "0-4", "5+" (up to the message's highest), "3", "-" for none.
[[nodiscard]] std::string to_text(protocol::version_range r, protocol::version_range of_message);

/// A message by what a user calls it: "Metadata" (its request or response), "MetadataRequest", "3", "ConsumerProtocolSubscription".
/// With an API, `request` and `response` are set; else `data`. Raises a usage failure with the nearest name.
struct named_message {
    const protocol::message_schema* request = nullptr;
    const protocol::message_schema* response = nullptr;
    const protocol::message_schema* data = nullptr;
};
[[nodiscard]] named_message find_message(const std::string& name);

/// "MetadataRequest", "MetadataResponse", "ConsumerProtocolSubscription".
[[nodiscard]] std::string full_name(const protocol::message_schema& m);

}  // namespace kafkawire::cli
