// Asking a handler from inside: the cluster puts a question to itself, without a connection, and has the answer at once.
// Only for handlers that always answer before they return: an exchange that was kept would find nobody to give its answer to.
#pragma once
#include "broker/handlers.hpp"

namespace kafkawire::broker {

/// The answer to `asked` of one node, in its highest version; nothing if there is no such handler.
template <class Request>
[[nodiscard]] std::optional<typename Request::response> ask_inside(cluster_state& cluster, std::int32_t node, const Request& asked) {
    struct catcher final : answer_sink {
        void answer(exchange&, const protocol::message_schema&, const void* message, std::int16_t, owners) override {
            caught = *static_cast<const typename Request::response*>(message);
        }
        void finish_without_answer(exchange&) override {}
        void close_connection(connection_id) override {}
        [[nodiscard]] bool is_open(connection_id) const override { return true; }
        std::optional<typename Request::response> caught;
    } sink;
    const auto* h = find_handler(Request::key);
    if (!h) return {};
    h->handle(cluster, exchange{sink, 0, node, {Request::key, offered_versions(cluster, Request::key).highest, 0, {}}, "/127.0.0.1", cluster.now()}, &asked);
    return std::move(sink.caught);
}

}  // namespace kafkawire::broker
