// The table of APIs: every key with its messages, versions and purpose; and the messages that have no key.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol {

/// Who answers an API in Kafka 4.3.
struct listeners {
    bool broker = false;
    bool controller = false;
};

/// One API. Constant data.
struct api_info {
    std::int16_t key;
    std::string_view name;                  ///< "Metadata"
    std::string_view summary;               ///< one sentence
    const message_schema* request;          ///< its `versions` are all that we speak
    const message_schema* response;
    version_range kafka_4_3;                ///< the versions that Kafka 4.3.0 has; empty for an API that it removed
    std::int16_t latest_stable;             ///< a higher one is still in the making there; -1: none is stable
    listeners in;
};

/// By ascending key. Made at first use; thread-safe; lives as long as the program.
[[nodiscard]] KAFKAWIRE_API std::span<const api_info> apis();
/// The API of a key, or null.
[[nodiscard]] KAFKAWIRE_API const api_info* find_api(std::int16_t key) noexcept;
/// The API of a name, any case, "Metadata" or "metadata"; or null.
[[nodiscard]] KAFKAWIRE_API const api_info* find_api(std::string_view name) noexcept;

/// Every message: requests, responses, headers and the data messages.
[[nodiscard]] KAFKAWIRE_API std::span<const message_schema* const> messages_list();
/// A message without an API key by its name in the schema files ("ConsumerProtocolSubscription"), or null.
[[nodiscard]] KAFKAWIRE_API const message_schema* find_data_message(std::string_view name) noexcept;

/// The answer that belongs to a request, as a type.
template <class Request>
struct response_of {
    using type = typename Request::response;
};
template <class Request>
using response_of_t = typename response_of<Request>::type;

}  // namespace kafkawire::protocol
