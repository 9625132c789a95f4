#include "broker/embedded_address.hpp"

#include <algorithm>
#include <charconv>

#include "broker/config_rules.hpp"
#include "broker/kafka_versions.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {
namespace {

template <class Integer>
bool number(std::string_view text, Integer lowest, Integer highest, Integer& to) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), to);
    return !text.empty() && ec == std::errc{} && end == text.data() + text.size() && to >= lowest && to <= highest;
}

// The next part of `list`, which loses it.
std::string_view next(std::string_view& list, char divider) {
    const auto end = std::min(list.find(divider), list.size());
    const auto one = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    return one;
}

std::string quoted(std::string_view text) { return '"' + std::string{text} + '"'; }

std::string add_topics(std::string_view list, options& o) {
    while (!list.empty()) {
        auto rest = next(list, ',');
        topic_spec t;
        t.name = next(rest, ':');
        if (const auto why = refuse_topic_name(t.name)) return "embedded: " + *why;
        if (!rest.empty() && !number<std::int32_t>(next(rest, ':'), 1, 100'000, t.partitions)) return "embedded: topic " + quoted(t.name) + " has 1 to 100000 partitions, as in topics=a:6";
        if (!rest.empty()) return "embedded: topic " + quoted(t.name) + " has more behind its partitions than can be said here";
        if (std::any_of(o.topics.begin(), o.topics.end(), [&](const auto& other) { return other.name == t.name; })) return "embedded: topic " + quoted(t.name) + " is there twice";
        o.topics.push_back(std::move(t));
    }
    return {};
}

struct listener_name {
    std::string_view name;
    std::string listener_words::*word;
};
constexpr listener_name listener_names[] = {
    {"security", &listener_words::protocol},     {"certificate", &listener_words::certificate}, {"key", &listener_words::key},
    {"client_ca", &listener_words::client_ca},   {"mechanisms", &listener_words::mechanisms},   {"users", &listener_words::users},
    {"session_lifetime", &listener_words::session_lifetime},
};

std::string set(std::string_view name, std::string_view value, embedded_address& to) {
    auto& o = to.options;
    for (const auto& n : listener_names)
        if (n.name == name) return to.listener.*n.word = value, "";
    if (name == "test_tokens") {
        to.listener.test_tokens = value == "true";
        return value == "true" || value == "false" ? "" : "embedded: test_tokens is true or false, not " + quoted(value);
    }
    if (name == "topics") return add_topics(value, o);
    if (name == "seed") return number<std::uint64_t>(value, 0, ~std::uint64_t{0}, o.seed) ? "" : "embedded: seed is a number, not " + quoted(value);
    if (name == "folder") return o.folder = value, "";
    if (name == "as_version") {
        o.as_version = value;
        return find_kafka_release(o.as_version) ? "" : "embedded: it cannot pass for Kafka " + quoted(value);
    }
    if (name.starts_with("config.")) {
        name.remove_prefix(7);
        const auto* entry = find_broker_config(name);
        if (!entry) return "embedded: the broker has no configuration " + quoted(name);
        if (const auto why = refuse_broker_config(*entry, value)) return "embedded: " + *why;
        o.configs[std::string{name}] = value;
        return {};
    }
    return "embedded: there is no " + quoted(name) + "; it takes topics, seed, as_version, folder, config.NAME, security, certificate, key, client_ca, mechanisms, users, test_tokens and session_lifetime";
}

}  // namespace

std::optional<embedded_address> parse_embedded_address(std::string_view rest, std::string& wrong) {
    embedded_address a;
    const auto nodes = next(rest, '?');
    if (!nodes.empty() && !number<std::int32_t>(nodes, 1, 1000, a.options.nodes)) {
        wrong = "embedded: 1 to 1000 nodes, not " + quoted(nodes) + "; as in embedded:3?topics=a:6";
        return {};
    }
    while (!rest.empty()) {
        auto value = next(rest, '&');
        const auto name = next(value, '=');
        wrong = set(name, value, a);
        if (!wrong.empty()) return {};
    }
    if (auto why = refuse_listener(a.listener); !why.empty()) {
        wrong = "embedded: " + why;
        return {};
    }
    return a;
}

}  // namespace kafkawire::broker
