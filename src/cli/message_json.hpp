// Messages and JSON documents, and the lines of golden files.
#pragma once
#include <cli/frame_reading.hpp>

#include <nlohmann/json.hpp>

#include <functional>

namespace kafkawire::cli {

using ordered_json = nlohmann::ordered_json;

/// The message as Kafka's JSON converters write it, as a document.
[[nodiscard]] ordered_json message_json(const protocol::message_schema& schema, const void* message, std::int16_t version);

/// {"header":{type, apiKey, apiVersion, correlationId, clientId},"payload":{...}}. The reading must have a header and no error.
[[nodiscard]] ordered_json frame_json(const outcome& o);

/// Which message a golden line is of: by "api", "type" and "version". Raises a usage failure.
[[nodiscard]] std::pair<const protocol::message_schema*, std::int16_t> golden_message(const ordered_json& line);

/// Calls `f` with number and document of each line that is not blank. Raises a failure for a line that is no JSON object.
void for_each_line(const std::string& text, const std::function<void(std::size_t, const ordered_json&)>& f);

}  // namespace kafkawire::cli
