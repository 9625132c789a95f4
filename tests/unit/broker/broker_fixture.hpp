// A cluster machine and one connection to it, called by hand: requests go in as messages, answers come out as messages, time is a number.
#pragma once
#include <kafkawire/protocol/frame.hpp>

#include "broker/cluster_fsm.hpp"
#include "catch.hpp"

#include <cstring>
#include <deque>
#include <map>

namespace kafkawire::broker::test {

struct harness {
    explicit harness(options o = {}, std::shared_ptr<storage> files = nullptr) : machine{seeded(std::move(o)), now(), std::move(files)} {}

    static options seeded(options o) {
        if (o.seed == 0) o.seed = 1;
        return o;
    }
    [[nodiscard]] moment now() const { return {net::time_point{elapsed}, net::wall_time{std::chrono::hours{24 * 365 * 50}} + elapsed}; }
    void advance(std::chrono::milliseconds by) {
        const auto until = elapsed + by;
        while (machine.next_wakeup() && *machine.next_wakeup() <= net::time_point{until}) {
            elapsed = std::max<std::chrono::nanoseconds>(elapsed, machine.next_wakeup()->time_since_epoch());
            machine.tick(now());
            collect();
        }
        elapsed = until;
        machine.tick(now());
        collect();
    }
    connection_id connect(std::int32_t node = 1) {
        const auto id = machine.connected(node, "/127.0.0.1", now());
        collect();
        return id;
    }
    void send_bytes(connection_id to, protocol::bytes_view data) {
        while (!data.empty()) {
            const auto room = machine.prepare(to);
            if (room.where.empty()) return;
            const auto n = std::min(room.where.size(), data.size());
            std::memcpy(room.where.data(), data.data(), n);
            machine.received(to, n, now());
            data = data.subspan(n);
            collect();
        }
    }
    template <class Request>
    void send(connection_id to, const Request& request, std::int16_t version, std::string_view client_id = "test") {
        protocol::scatter frame;
        const auto wrong = protocol::encode_request(request, version, ++correlation, client_id, frame);
        INFO(wrong.message());
        REQUIRE(!wrong);
        protocol::bytes flat;
        for (const auto part : frame.parts()) flat.insert(flat.end(), part.begin(), part.end());
        send_bytes(to, flat);
    }
    /// The next answer on the connection; raw_records in it live as long as the harness.
    template <class Response>
    Response take(connection_id from, std::int16_t version) {
        auto& waiting = answers[from];
        REQUIRE(!waiting.empty());
        kept.push_back(std::move(waiting.front()));
        waiting.pop_front();
        const auto frame = protocol::bytes_view{kept.back()}.subspan(4);
        protocol::messages::response_header header;
        std::size_t body_at = 0;
        REQUIRE(!protocol::decode_response_header(header, frame, Response::key, version, body_at));
        Response response;
        const auto wrong = protocol::decode(response, frame.subspan(body_at), version);
        INFO(wrong.message());
        REQUIRE(!wrong);
        return response;
    }
    /// Sends, and takes the answer that must be there at once.
    template <class Request>
    typename Request::response ask(connection_id to, const Request& request, std::int16_t version) {
        send(to, request, version);
        return take<typename Request::response>(to, version);
    }
    [[nodiscard]] bool has_answer(connection_id from) { return !answers[from].empty(); }
    [[nodiscard]] bool is_closed(connection_id id) const { return closed.count(id) != 0; }

    void collect() {
        std::vector<action> actions;
        for (machine.take_actions(actions); !actions.empty(); machine.take_actions(actions))
            for (auto& a : actions) {
                if (auto* w = std::get_if<write_bytes>(&a)) {
                    protocol::bytes flat;
                    for (const auto part : w->content.parts()) flat.insert(flat.end(), part.begin(), part.end());
                    answers[w->to].push_back(std::move(flat));
                    machine.written(w->to, now());
                } else if (auto* c = std::get_if<close_connection>(&a)) {
                    closed[c->which] = true;
                }
            }
    }

    std::chrono::nanoseconds elapsed{std::chrono::hours{1}};
    std::int32_t correlation = 0;
    std::map<connection_id, std::deque<protocol::bytes>> answers;
    std::map<connection_id, bool> closed;
    std::deque<protocol::bytes> kept;
    cluster_fsm machine;
};

}  // namespace kafkawire::broker::test
