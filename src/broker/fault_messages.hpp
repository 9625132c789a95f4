// Messages as faults see them: through their field lists, whatever the API. Pure functions.
#pragma once
#include <kafkawire/broker/faults.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/codec.hpp>

#include <string_view>

#include "broker/exchange.hpp"

namespace kafkawire::broker {

/// Whether the message names the topic, at any depth, or (unless it is zero) its id.
[[nodiscard]] bool names_topic(const protocol::message_schema& schema, const void* message, std::string_view name, const protocol::uuid& id);

/// The answer to a request that nobody has looked at: the topics, partitions, groups and so on that the request names, and nothing about them.
[[nodiscard]] protocol::any_message blank_answer(const protocol::api_info& api, const void* request, std::int16_t version);

/// Puts the code where the version has an errorCode; returns in how many places.
int set_error_codes(const protocol::message_schema& schema, void* response, std::int16_t version, std::int16_t code, error_place where);

/// False: the version has no throttleTimeMs.
bool set_throttle_time(const protocol::message_schema& schema, void* response, std::int16_t version, std::int32_t milliseconds);

/// The answer with what the fault says in it: codes and the throttle time; nothing: it stays as it is. Record data in it is kept by `keep`.
[[nodiscard]] std::optional<protocol::any_message> change_answer(const fault& f, const protocol::message_schema& schema, const void* response, std::int16_t version,
                                                                 owners& keep);

/// A copy, by way of the bytes; record data in it points into `bytes`. Nothing: the message cannot be said in this version.
[[nodiscard]] std::optional<protocol::any_message> copy_of(const protocol::message_schema& schema, const void* message, std::int16_t version, protocol::bytes& bytes);

/// Whether a client waits for an answer: a Produce with acks=0 has none.
[[nodiscard]] bool has_answer(const protocol::message_schema& request, const void* message);

}  // namespace kafkawire::broker
