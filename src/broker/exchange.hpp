// exchange: one request under way, and the way back to who asked.
// Owns: nothing but the right to answer. Must be answered, or told that there is no answer; destroyed without, it closes the connection, so
// that no client waits for ever because of a path that was forgotten here.
// A handler that cannot answer yet moves it away (into a waiting fetch, a joining member, a timer) and answers later. Until then the
// connection takes no further request, as in Kafka. When the connection goes, answers to it go nowhere; alive() tells.
#pragma once
#include <kafkawire/protocol/codec.hpp>

#include <memory>
#include <optional>
#include <string>

#include "broker/clock.hpp"

namespace kafkawire::broker {

/// What keeps record data alive until an answer has been written.
using owners = std::vector<std::shared_ptr<const void>>;

/// Where answers go; the machine's side.
class answer_sink {
public:
    virtual void answer(class exchange& to, const protocol::message_schema& schema, const void* response, std::int16_t version, owners keep) = 0;
    virtual void finish_without_answer(class exchange& of) = 0;
    virtual void close_connection(connection_id id) = 0;
    [[nodiscard]] virtual bool is_open(connection_id id) const = 0;

protected:
    ~answer_sink() = default;
};

class exchange {
public:
    struct header {
        std::int16_t api_key = 0;
        std::int16_t api_version = 0;
        std::int32_t correlation_id = 0;
        std::optional<std::string> client_id;
    };

    exchange(answer_sink& sink, connection_id connection, std::int32_t node, header h, std::string peer, moment arrived)
        : sink_{&sink}, connection_{connection}, node_{node}, header_{std::move(h)}, peer_{std::move(peer)}, arrived_{arrived} {}
    exchange(exchange&& other) noexcept { take(other); }
    exchange& operator=(exchange&& other) noexcept {
        if (this != &other) {
            abandon();
            take(other);
        }
        return *this;
    }
    ~exchange() { abandon(); }

    [[nodiscard]] std::int16_t api_key() const noexcept { return header_.api_key; }
    [[nodiscard]] std::int16_t version() const noexcept { return header_.api_version; }
    [[nodiscard]] std::int32_t correlation_id() const noexcept { return header_.correlation_id; }
    /// What the client calls itself; empty if it says nothing.
    [[nodiscard]] std::string_view client_id() const noexcept { return header_.client_id ? std::string_view{*header_.client_id} : std::string_view{}; }
    /// The client's address as Kafka prints it: "/127.0.0.1".
    [[nodiscard]] const std::string& client_host() const noexcept { return peer_; }
    /// The node that was asked.
    [[nodiscard]] std::int32_t node() const noexcept { return node_; }
    [[nodiscard]] connection_id connection() const noexcept { return connection_; }
    [[nodiscard]] const moment& arrived() const noexcept { return arrived_; }
    /// Not answered yet, and somebody is there to read it.
    [[nodiscard]] bool alive() const noexcept { return sink_ && sink_->is_open(connection_); }

    /// Answers, in the request's version. `keep` owns what raw_records in the response point to. Afterwards the exchange is empty.
    template <class Response>
    void answer(const Response& response, owners keep = {}) {
        answer_as(response, header_.api_version, std::move(keep));
    }
    /// The same in another version: for ApiVersions, which answers unknown versions in version 0.
    template <class Response>
    void answer_as(const Response& response, std::int16_t version, owners keep = {}) {
        answer_erased(protocol::schema_of<Response>(), &response, version, std::move(keep));
    }
    void answer_erased(const protocol::message_schema& schema, const void* response, std::int16_t version, owners keep = {}) {
        if (auto* sink = std::exchange(sink_, nullptr)) sink->answer(*this, schema, response, version, std::move(keep));
    }
    /// The request has no answer (Produce with acks=0); the next one may be taken.
    void no_answer() {
        if (auto* sink = std::exchange(sink_, nullptr)) sink->finish_without_answer(*this);
    }
    /// The request is never answered, and the connection stays as it is: what a broker that hangs does. For faults.
    void forget() noexcept { sink_ = nullptr; }
    /// Closes the connection instead of answering: what Kafka does with what it cannot read.
    void close() { abandon(); }

private:
    void abandon() {
        if (auto* sink = std::exchange(sink_, nullptr)) sink->close_connection(connection_);
    }
    void take(exchange& other) noexcept {
        sink_ = std::exchange(other.sink_, nullptr);
        connection_ = other.connection_;
        node_ = other.node_;
        header_ = std::move(other.header_);
        peer_ = std::move(other.peer_);
        arrived_ = other.arrived_;
    }

    answer_sink* sink_ = nullptr;
    connection_id connection_ = 0;
    std::int32_t node_ = 0;
    header header_;
    std::string peer_;
    moment arrived_;
};

}  // namespace kafkawire::broker
