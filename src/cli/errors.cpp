// errors: Kafka's error codes, from the one table that the library has of them.
#include <kafkawire/error.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/command.hpp"
#include "cli/nearest.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

namespace {

std::string as_condition(std::int16_t code) {
    const auto ec = make_error_code(static_cast<broker_errc>(code));
    std::string words;
    const auto add = [&](condition c, std::string_view word) {
        if (ec == make_error_condition(c)) words += (words.empty() ? "" : ", ") + std::string{word};
    };
    add(condition::fenced, "fenced");
    add(condition::fatal, "fatal");
    add(condition::abortable, "abortable");
    return words;
}

std::vector<const broker_error_info*> chosen(const std::optional<std::string>& which) {
    std::vector<const broker_error_info*> rows;
    if (!which) {
        for (const auto& e : broker_errors()) rows.push_back(&e);
        return rows;
    }
    if (const auto code = number<std::int16_t>(*which)) {
        if (const auto* e = find_broker_error(*code)) return {e};
        throw usage_error(fmt::format("Kafka 4.3 has no error code {}", *code), fmt::format("codes go from {} to {}", broker_errors().front().code, broker_errors().back().code));
    }
    if (const auto* e = find_broker_error(std::string_view{*which})) return {e};
    std::vector<std::string> names;
    for (const auto& e : broker_errors()) names.emplace_back(e.name);
    throw usage_error(fmt::format("there is no error \"{}\"", *which), did_you_mean(*which, names, "`kafka-cli errors` lists them all"));
}

status errors(const std::optional<std::string>& which, context& c) {
    const auto rows = chosen(which);
    if (c.format == output_format::json) {
        auto list = nlohmann::ordered_json::array();
        for (const auto* e : rows) list.push_back({{"code", e->code}, {"name", e->name}, {"retriable", e->retriable}, {"text", e->text}});
        c.out->write(nlohmann::ordered_json{{"schema", "kafka-cli/errors/1"}, {"errors", list}}.dump() + "\n");
        return status::done;
    }
    table t{{"CODE", "NAME", "RETRIABLE", "REACTION", "TEXT"}, {}};
    for (const auto* e : rows) t.add({std::to_string(e->code), std::string{e->name}, e->retriable ? "yes" : "no", as_condition(e->code), std::string{e->text}});
    c.out->write(t.as(c.format));
    return status::done;
}

}  // namespace

void add_errors(command root) {
    auto sub = root.add("errors", "Kafka's error codes: name, whether to try again, what they mean");
    auto which = std::make_shared<std::optional<std::string>>();
    sub.word("CODE", *which, "A code or a name; none: all");
    sub.examples("  kafka-cli errors 6\n  kafka-cli errors NOT_ENOUGH_REPLICAS\n  kafka-cli errors --output tsv");
    sub.does([which](context& c) { return errors(*which, c); });
}

}  // namespace kafkawire::cli
