#include "broker/config_rules.hpp"

#include <charconv>

namespace kafkawire::broker {
namespace {

std::string_view java_name(config_type type) {
    switch (type) {
        case config_type::boolean: return "BOOLEAN";
        case config_type::int_number: return "INT";
        case config_type::short_number: return "SHORT";
        case config_type::long_number: return "LONG";
        case config_type::double_number: return "DOUBLE";
        case config_type::list: return "LIST";
        case config_type::class_name: return "CLASS";
        case config_type::password: return "PASSWORD";
        case config_type::string: break;
    }
    return "STRING";
}

bool whole_number(std::string_view text, std::int64_t lowest, std::int64_t highest, std::int64_t& value) {
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc{} && end == text.data() + text.size() && value >= lowest && value <= highest;
}

std::optional<std::string> unfit_number(config_type type, std::string_view text, std::int64_t lowest) {
    const auto not_a_number = "Not a number of type " + std::string{java_name(type)};
    if (type == config_type::double_number) {
        double d = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), d);
        if (ec != std::errc{} || end != text.data() + text.size()) return not_a_number;
        if (d < 0) return "Value must be at least 0";
        if (d > 1) return "Value must be no more than 1";
        return {};
    }
    const auto bits = type == config_type::short_number ? 15 : type == config_type::int_number ? 31 : 63;
    const auto highest = static_cast<std::int64_t>((std::uint64_t{1} << bits) - 1);
    std::int64_t value = 0;
    if (!whole_number(text, -highest - 1, highest, value)) return not_a_number;
    if (value < lowest) return "Value must be at least " + std::to_string(lowest);
    return {};
}

bool is_one_of(std::string_view word, std::string_view choices) {
    while (!choices.empty()) {
        const auto comma = choices.find(", ");
        if (word == choices.substr(0, comma)) return true;
        choices = comma == std::string_view::npos ? std::string_view{} : choices.substr(comma + 2);
    }
    return false;
}

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

}  // namespace

std::optional<std::string> unfit(config_type type, std::string_view value, std::int64_t lowest, std::string_view choices) {
    value = trimmed(value);
    switch (type) {
        case config_type::boolean: {
            std::string lower{value};
            for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            if (lower != "true" && lower != "false") return "Expected value to be either true or false";
            return {};
        }
        case config_type::int_number:
        case config_type::short_number:
        case config_type::long_number:
        case config_type::double_number: return unfit_number(type, value, lowest);
        case config_type::list:
            for (auto rest = value; !choices.empty() && !rest.empty();) {
                const auto comma = rest.find(',');
                if (!is_one_of(trimmed(rest.substr(0, comma)), choices)) return "String must be one of: " + std::string{choices};
                rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            }
            return {};
        case config_type::string:
            if (!choices.empty() && !is_one_of(value, choices)) return "String must be one of: " + std::string{choices};
            return {};
        case config_type::class_name:
        case config_type::password: break;
    }
    return {};
}

std::optional<std::string> refuse_topic_configs(const std::map<std::string, std::string>& configs) {
    for (const auto& [name, value] : configs)
        if (!find_topic_config(name)) return "Unknown topic config name: " + name;
    for (const auto& [name, value] : configs) {
        const auto& entry = *find_topic_config(name);
        if (const auto why = unfit(entry.type, value, entry.lowest, entry.choices)) return "Invalid value " + value + " for configuration " + name + ": " + *why;
    }
    return {};
}

std::optional<std::string> refuse_broker_config(const broker_config& entry, std::string_view value) {
    if (const auto why = unfit(entry.type, value, no_lowest, {})) return "Invalid value " + std::string{value} + " for configuration " + std::string{entry.name} + ": " + *why;
    return {};
}

}  // namespace kafkawire::broker
