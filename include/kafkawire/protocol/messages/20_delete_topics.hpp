// DeleteTopics (key 20): deletes topics by name or id.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct delete_topics_response;

struct delete_topics_request {
    using response = delete_topics_response;
    static constexpr std::int16_t key = 20;
    static constexpr version_range versions = between(0, 6), flexible = since(4);

    struct delete_topic_state {
        std::optional<std::string> name;
        uuid topic_id;
        tagged_fields unknown_tags;
        friend bool operator==(const delete_topic_state&, const delete_topic_state&) = default;
    };

    std::vector<delete_topic_state> topics;
    std::vector<std::string> topic_names;
    std::int32_t timeout_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_topics_request&, const delete_topics_request&) = default;
};

constexpr auto describe(type<delete_topics_request::delete_topic_state>) {
    using m = delete_topics_request::delete_topic_state;
    return fields(
        field<&m::name>("name", {.in = since(6), .nullable = since(6)}),
        field<&m::topic_id>("topicId", {.in = since(6)}));
}
constexpr auto describe(type<delete_topics_request>) {
    using m = delete_topics_request;
    return fields(
        field<&m::topics>("topics", {.in = since(6)}),
        field<&m::topic_names>("topicNames", {.in = between(0, 5), .ignorable = true}),
        field<&m::timeout_ms>("timeoutMs"));
}

struct delete_topics_response {
    static constexpr std::int16_t key = 20;
    static constexpr version_range versions = between(0, 6), flexible = since(4);

    struct deletable_topic_result {
        std::optional<std::string> name{std::in_place};
        uuid topic_id;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const deletable_topic_result&, const deletable_topic_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<deletable_topic_result> responses;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_topics_response&, const delete_topics_response&) = default;
};

constexpr auto describe(type<delete_topics_response::deletable_topic_result>) {
    using m = delete_topics_response::deletable_topic_result;
    return fields(
        field<&m::name>("name", {.nullable = since(6)}),
        field<&m::topic_id>("topicId", {.in = since(6), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.in = since(5), .nullable = since(5), .ignorable = true}));
}
constexpr auto describe(type<delete_topics_response>) {
    using m = delete_topics_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::responses>("responses"));
}

}  // namespace kafkawire::protocol::messages
