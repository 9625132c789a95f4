// The verbs of a running `kafka-cli broker`: what can be said over its control socket, as JSON objects. No I/O here.
#pragma once
#include <kafkawire/broker/control.hpp>

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kafkawire::cli {

/// What a verb comes to: an answer now, or something to wait for, or a stream of what passes.
struct verb_result {
    nlohmann::ordered_json answer;
    std::function<bool(nlohmann::ordered_json&)> until;  ///< wait: whether it is so now, and then the answer
    std::chrono::milliseconds timeout{30'000};           ///< ... and how long to wait
    std::string awaited;                                 ///< ... for what, in words
    std::function<bool(const broker::passing&)> observe; ///< observe: whether this one is to be told
};

/// Carries out {"verb":"node-down","node":2}. Raises a failure: of usage, with the nearest name, for what is no verb or no member of it; of
/// Kafka's code where the cluster refuses.
[[nodiscard]] verb_result do_verb(broker::control& of, const nlohmann::ordered_json& what);

/// Every verb with its members and what it does, for --help: "node-down node=N" and a sentence.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> verb_table();

}  // namespace kafkawire::cli
