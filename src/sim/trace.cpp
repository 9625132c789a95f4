// The readable trace: Kafka messages put together from the bytes of each connection. For people; the hash does not depend on it.
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/simulation.hpp>

#include <deque>
#include <map>

namespace kafkawire::sim {

namespace {

std::uint32_t big_endian(std::span<const std::byte> b) {
    std::uint32_t v = 0;
    for (int i = 0; i < 4; ++i) v = v << 8 | std::to_integer<std::uint32_t>(b[static_cast<std::size_t>(i)]);
    return v;
}

// One direction of a connection, cut into frames.
struct frames {
    protocol::bytes open;
    template <class F>
    void take(std::span<const std::byte> data, F&& each) {
        open.insert(open.end(), data.begin(), data.end());
        std::size_t at = 0;
        while (open.size() - at >= 4) {
            const std::size_t size = big_endian(std::span{open}.subspan(at));
            if (open.size() - at - 4 < size) break;
            each(std::span<const std::byte>{open}.subspan(at + 4, size));
            at += 4 + size;
        }
        open.erase(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(at));
    }
};

struct question {
    std::int32_t correlation;
    std::int16_t key, version;
};

struct talk {
    frames to_server, to_client;
    std::deque<question> asked;
};

std::string shortened(std::string text) {
    constexpr std::size_t most = 400;
    if (text.size() > most) text = text.substr(0, most) + "... (" + std::to_string(text.size()) + " characters)";
    return text;
}

std::string body_of(const protocol::message_schema& schema, std::span<const std::byte> body, std::int16_t version) {
    protocol::any_message m{schema};
    if (auto e = protocol::decode(schema, m.get(), body, version)) return "unreadable: " + e.message();
    std::string json;
    if (auto e = protocol::write_json(schema, m.get(), version, json)) return "no JSON: " + e.message();
    return shortened(std::move(json));
}

std::string request_line(talk& t, std::span<const std::byte> frame) {
    protocol::messages::request_header h;
    std::size_t at = 0;
    if (auto e = protocol::decode_request_header(h, frame, at))
        return "a frame of " + std::to_string(frame.size()) + " bytes that is no request: " + e.message();
    t.asked.push_back({h.correlation_id, h.request_api_key, h.request_api_version});
    const auto* api = protocol::find_api(h.request_api_key);
    return std::string{api->name} + " v" + std::to_string(h.request_api_version) + " (" + std::to_string(h.correlation_id) + ") " +
           body_of(*api->request, frame.subspan(at), h.request_api_version);
}

std::string answer_line(talk& t, std::span<const std::byte> frame) {
    if (frame.size() < 4) return "a frame of " + std::to_string(frame.size()) + " bytes that is no answer";
    const auto correlation = static_cast<std::int32_t>(big_endian(frame));
    while (!t.asked.empty() && t.asked.front().correlation != correlation) t.asked.pop_front();  // acks=0 has no answer
    if (t.asked.empty()) return "an answer to nothing (" + std::to_string(correlation) + ")";
    const auto q = t.asked.front();
    t.asked.pop_front();
    const auto* api = protocol::find_api(q.key);
    protocol::messages::response_header h;
    std::size_t at = 0;
    if (auto e = protocol::decode_response_header(h, frame, q.key, q.version, at)) return "an unreadable answer: " + e.message();
    return std::string{api->name} + " v" + std::to_string(q.version) + " (" + std::to_string(correlation) + ") answered " +
           body_of(*api->response, frame.subspan(at), q.version);
}

std::string when(time_point at) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count() - 1'000'000'000;
    auto digits = std::to_string(us % 1'000'000);
    return "+" + std::to_string(us / 1'000'000) + "." + std::string(6 - digits.size(), '0') + digits + "s ";
}

}  // namespace

unique_function<void(const event&)> trace_lines(unique_function<void(std::string_view)> out) {
    return [talks = std::map<std::uint64_t, talk>{}, out = std::move(out)](const event& e) mutable {
        const auto way = std::string{e.from} + (e.from.empty() || e.to.empty() ? "" : " > ") + std::string{e.to} +
                         (e.connection ? " #" + std::to_string(e.connection) : "");
        const auto say = [&](const std::string& what) { out(when(e.at) + way + (way.empty() ? "" : ": ") + what); };
        switch (e.what) {
            case event::kind::connect: return say("connects");
            case event::kind::refused: return say("refused");
            case event::kind::accept: return say("accepts");
            case event::kind::end: return say("ends");
            case event::kind::reset: return say("reset");
            case event::kind::host:
            case event::kind::network:
            case event::kind::note: return say(std::string{e.text});
            case event::kind::name: return say("the name " + std::string{e.text} + " changes");
            case event::kind::bytes: break;
        }
        auto& t = talks[e.connection];
        if (e.from_client)
            t.to_server.take(e.data, [&](auto frame) { say(request_line(t, frame)); });
        else
            t.to_client.take(e.data, [&](auto frame) { say(answer_line(t, frame)); });
    };
}

}  // namespace kafkawire::sim
