// coordinator_call: one request to a coordinator, of several kinds that a machine asks for, on its way there and back.
#pragma once
#include <kafkawire/protocol/frame.hpp>

#include <variant>

#include "client/core.hpp"
#include "client/read_answer.hpp"
#include "client/throttling.hpp"
#include "net/call.hpp"
#include "net/texts.hpp"

namespace kafkawire::client_detail {

/// "host:port (id 3)".
[[nodiscard]] inline std::string broker_name(core& c, std::int32_t broker) {
    const auto id = "id " + std::to_string(broker);
    const auto at = c.brokers().find(broker);
    if (!at) return id;
    const auto& e = c.brokers().entries()[*at];
    return net::host_and_port(e.host, e.port) + " (" + id + ')';
}

template <class Requests>
struct responses_of;
template <class... Requests>
struct responses_of<std::variant<Requests...>> {
    using type = std::variant<typename Requests::response...>;
};

/// `Message`: a std::variant of requests. `Driver` has `core& client()`, and is not kept alive: without it nothing is told. One that has
/// `contain(f)` reads and is told inside it.
template <class Driver, class Message>
class coordinator_call final : public net::call {
public:
    using responses = typename responses_of<Message>::type;
    /// What a version cannot say is said in its way. Called for each connection that takes the request.
    using fitter = void (*)(Message& m, std::int16_t version);
    struct reply {
        error why;                                          ///< empty: there is an answer
        bool maybe_processed = false;                       ///< with an error: the broker may have got it
        std::int16_t version = -1;
        responses* what = nullptr;                          ///< the answer, to be moved from; null with an error
    };
    /// Called once.
    using listener = unique_function<void(Driver& to, reply r)>;

    coordinator_call(std::weak_ptr<Driver> of, std::int32_t broker, lane on, Message what, fitter fit, listener tell)
        : of_{std::move(of)}, broker_{broker}, on_{on}, what_{std::move(what)}, fit_{fit}, tell_{std::move(tell)} {
        std::visit(
            [this](const auto& m) {
                using request = std::decay_t<decltype(m)>;
                api_key = request::key;
                speaks = request::versions;
            },
            what_);
    }
    protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) override {
        fit_(what_, version);
        return std::visit(
            [&](const auto& m) {
                return protocol::encode_request(protocol::schema_of<std::decay_t<decltype(m)>>(), &m, version, correlation_id, client_id, to);
            },
            what_);
    }
    void done(net::outcome result) override {
        const auto of = of_.lock();
        if (!of) return;
        const auto take = [&] {
            if (result.why) return tell_(*of, {std::move(result.why), result.maybe_processed, result.version, nullptr});
            std::visit([&](const auto& m) { read<typename std::decay_t<decltype(m)>::response>(*of, result); }, what_);
        };
        if constexpr (requires { of->contain(take); }) of->contain(take);
        else take();
    }

private:
    template <class Response>
    void read(Driver& of, net::outcome& result) {
        responses all{std::in_place_type<Response>};
        auto& m = std::get<Response>(all);
        if (const auto wrong = read_answer(m, api_key, result)) {
            error why;
            why.code = wrong.code;
            why.in = phase::request;
            why.broker = broker_name(of.client(), broker_);
            why.api_key = api_key;
            why.api_version = result.version;
            why.text = "the answer cannot be read: " + wrong.message();
            return tell_(of, {std::move(why), true, result.version, nullptr});
        }
        if (const auto pause = throttle_of(protocol::schema_of<Response>(), &m, result.version); pause.count() > 0) of.client().throttle(broker_, pause, on_);
        tell_(of, {{}, false, result.version, &all});
    }

    std::weak_ptr<Driver> of_;
    std::int32_t broker_;
    lane on_;
    Message what_;
    fitter fit_;
    listener tell_;
};

}  // namespace kafkawire::client_detail
