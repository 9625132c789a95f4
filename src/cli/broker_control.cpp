// broker-control: says a verb to a running `kafka-cli broker`, and prints what it answers.
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/broker_verbs.hpp"
#include "cli/command.hpp"

namespace kafkawire::cli {

namespace {

using nlohmann::ordered_json;

struct broker_control_arguments {
    std::string socket, verb;
    std::vector<std::string> members;
};

// What JSON would take for a value that is no text is one: 3, true, null; everything else is a text.
ordered_json value_of(const std::string& word) {
    auto v = ordered_json::parse(word, nullptr, false);
    return v.is_number() || v.is_boolean() ? v : ordered_json(word);
}

ordered_json message_of(const broker_control_arguments& a) {
    ordered_json message{{"verb", a.verb}};
    for (const auto& m : a.members) {
        const auto at = m.find('=');
        if (at == 0 || at == m.npos) throw usage_error(fmt::format("\"{}\" says nothing", m), "write NAME=VALUE");
        const auto name = m.substr(0, at);
        if (message.contains(name)) throw usage_error(fmt::format("{} is said twice", name));
        message[name] = value_of(m.substr(at + 1));
    }
    return message;
}

[[noreturn]] void fail(const ordered_json& e) {
    const auto text = [&](const char* name) { return e.contains(name) && e[name].is_string() ? e[name].get<std::string>() : std::string{}; };
    const auto name = text("name");
    failure f{name == "usage" ? status::usage : name == "timeout" ? status::partial : status::failed, name, text("message"), text("hint")};
    if (e.contains("code") && e["code"].is_number_integer()) f.code = e["code"].get<int>();
    throw f;
}

status say(context& c, const broker_control_arguments& a) {
    asio::io_context io{1};
    asio::local::stream_protocol::socket s{io};
    std::error_code ec;
    const auto message = message_of(a);
    if (a.socket.size() <= 100) s.connect(asio::local::stream_protocol::endpoint{a.socket}, ec);
    else ec = std::make_error_code(std::errc::filename_too_long);
    if (!ec) asio::write(s, asio::buffer(message.dump() + "\n"), ec);
    if (ec) throw failure{status::failed, "no_broker", fmt::format("cannot reach a broker at {}: {}", a.socket, ec.message()), "it is started with `kafka-cli broker --control SOCKET`"};
    std::string in;
    for (bool first = true;; first = false) {
        const auto n = asio::read_until(s, asio::dynamic_buffer(in), '\n', ec);
        if (ec) {
            if (!first && a.verb == "observe") return status::done;  // the broker has ended
            throw failure{status::failed, "no_answer", fmt::format("the broker closed the connection: {}", ec.message())};
        }
        const auto line = in.substr(0, n);
        in.erase(0, n);
        const auto doc = ordered_json::parse(line, nullptr, false);
        if (doc.is_object() && doc.contains("error") && doc["error"].is_object()) fail(doc["error"]);
        if (a.verb == "observe" && first) continue;
        c.out->write(line);
        c.out->flush();
        if (a.verb != "observe") return status::done;
    }
}

}  // namespace

void add_broker_control(command root) {
    auto sub = root.add("broker-control", "Faults, nodes, leaders and clocks of a running `kafka-cli broker`");
    auto a = std::make_shared<broker_control_arguments>();
    sub.word("SOCKET", a->socket, "What the broker's --control was given");
    sub.word("VERB", a->verb, "What to do; see below");
    sub.words("MEMBERS", a->members, "NAME=VALUE each", false);
    std::string verbs = "Verbs:\n";
    for (const auto& [form, text] : verb_table()) verbs += fmt::format("  {:<58} {}\n", form, text);
    sub.examples("  kafka-cli broker-control /tmp/k fault api=Produce count=2 error=NOT_LEADER_OR_FOLLOWER name=once\n"
                 "  kafka-cli broker-control /tmp/k wait fault=once hits=2 timeout=10s\n"
                 "  kafka-cli broker-control /tmp/k node-killed node=2\n"
                 "  kafka-cli broker-control /tmp/k observe api=Fetch topic=orders\n\n" +
                 verbs);
    sub.does([a](context& c) { return say(c, *a); });
}

}  // namespace kafkawire::cli
