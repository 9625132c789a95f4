// What `broker --trace` prints: every request and answer in one line.
#pragma once
#include <kafkawire/broker/observing.hpp>

#include <string>

namespace kafkawire::cli {

/// "12:00:00.123 node 1 #3 console-producer > Produce v13 17 {...}": the time, the node, the connection, the client, the direction, the message,
/// its correlation id and its fields. Long values (records above all) are told by their length. Ends with a line end.
[[nodiscard]] std::string trace_line(const broker::passing& p);

/// {"t","conn","node","bytes","latency_us","header":{type, api, apiKey, apiVersion, correlationId, clientId},"payload":{...}}: header and payload
/// in the form of Kafka's own JSON converters, as kroxylicious' ProtocolLogger writes them; latency_us stands with answers only.
[[nodiscard]] std::string trace_json(const broker::passing& p);

}  // namespace kafkawire::cli
