#include "cli/failure.hpp"

#include <kafkawire/protocol/api.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kafkawire::cli {

failure usage_error(std::string message, std::string hint) { return {status::usage, "usage", std::move(message), std::move(hint)}; }

namespace {

std::string name_of(const std::error_code& code) {
    if (code.category() == broker_category())
        if (const auto* e = find_broker_error(static_cast<std::int16_t>(code.value()))) return std::string{e->name};
    if (code == make_error_code(errc::no_broker_available)) return "no_broker_available";
    if (code == make_error_code(errc::resolve_failed)) return "resolve_failed";
    if (code == make_error_code(errc::request_timed_out)) return "request_timed_out";
    if (code == make_error_code(errc::connect_failed)) return "connect_failed";
    return fmt::format("{}:{}", code.category().name(), code.value());
}

std::string_view hint_for(std::int16_t code) {
    switch (static_cast<broker_errc>(code)) {
        case broker_errc::unknown_topic_or_partition: return "`kafka-cli topics list` shows the topics; `kafka-cli topics create` makes one";
        case broker_errc::topic_already_exists: return "`kafka-cli topics describe` shows what is there";
        case broker_errc::invalid_topic_exception: return "a topic name has at most 249 letters, digits, '.', '_' and '-'";
        case broker_errc::invalid_replication_factor: return "there must be at least as many brokers as replicas; try --replicas 1";
        case broker_errc::message_too_large: return "the topic's max.message.bytes is the limit";
        case broker_errc::not_enough_replicas: return "too few replicas are in sync for acks=all; see min.insync.replicas";
        case broker_errc::offset_out_of_range: return "-o start reads from the first offset that is still there";
        case broker_errc::topic_authorization_failed:
        case broker_errc::group_authorization_failed:
        case broker_errc::cluster_authorization_failed: return "this user lacks the right; ask for an ACL";
        case broker_errc::topic_deletion_disabled: return "the brokers run with delete.topic.enable=false";
        default: return {};
    }
}

}  // namespace

std::string with_flags(std::string hint) {
    static constexpr std::pair<std::string_view, std::string_view> flags[] = {{"security_protocol", "--security-protocol"}, {"tls_ca_file", "--tls-ca"},
                                                                              {"tls_certificate_file", "--tls-cert"},       {"tls_key_file", "--tls-key"},
                                                                              {"sasl_mechanism", "--sasl-mechanism"},       {"sasl_username", "--sasl-username"}};
    for (const auto& [option, flag] : flags) {
        const auto at = hint.find(option);
        if (at != hint.npos && hint.find(flag) == hint.npos) hint.insert(at + option.size(), fmt::format(" ({})", flag));
    }
    return hint;
}

failure from_error(const error& e, std::string_view doing) {
    const auto told = e.text.empty() ? e.code.message() : e.text;
    failure f{status::failed, name_of(e.code), doing.empty() ? with_flags(told) : fmt::format("{}: {}", doing, told), e.hint};
    f.code = e.code.value();
    f.retriable = e.code == condition::retriable;
    f.broker = e.broker;
    if (const auto* api = protocol::find_api(e.api_key))
        f.api = e.api_version >= 0 ? fmt::format("{} v{}", api->name, e.api_version) : std::string{api->name};
    if (e.cause) f.cause = e.cause->message();
    if (f.hint.empty() && e.code.category() == broker_category()) f.hint = hint_for(static_cast<std::int16_t>(e.code.value()));
    if (f.hint.empty() && e.cause) f.hint = e.cause->hint;
    if (f.hint.empty() && f.name == "no_broker_available") f.hint = "is a broker running at the address given with --brokers (-b)?";
    f.hint = with_flags(std::move(f.hint));
    return f;
}

bool may_pass(std::int16_t code) noexcept { return code != 0 && make_error_code(static_cast<broker_errc>(code)) == condition::retriable; }

failure from_broker_code(std::int16_t code, std::string_view about) {
    const auto ec = make_error_code(static_cast<broker_errc>(code));
    failure f{status::failed, name_of(ec), fmt::format("{}: {}", about, ec.message()), std::string{hint_for(code)}};
    f.code = code;
    f.retriable = ec == condition::retriable;
    return f;
}

std::string to_text(const failure& f) {
    auto text = "kafka-cli: " + f.message;
    if (!f.broker.empty() && f.message.find(f.broker) == std::string::npos) text += fmt::format(" ({})", f.broker);
    text += '\n';
    // A cause of which the sentence already ends with all but the first word ("connect") tells nothing new.
    if (!f.cause.empty() && !f.message.ends_with(f.cause.substr(f.cause.find(' ') + 1))) text += "cause: " + f.cause + '\n';
    if (!f.hint.empty()) text += "hint: " + f.hint + '\n';
    return text;
}

std::string to_json(const failure& f) {
    const auto or_null = [](const std::string& s) { return s.empty() ? nlohmann::ordered_json{} : nlohmann::ordered_json(s); };
    nlohmann::ordered_json inner;
    inner["code"] = f.code;
    inner["name"] = f.name;
    inner["message"] = f.message;
    inner["hint"] = or_null(f.hint);
    inner["broker"] = or_null(f.broker);
    inner["api"] = or_null(f.api);
    inner["cause"] = or_null(f.cause);
    nlohmann::ordered_json outer;
    outer["error"] = std::move(inner);
    // Messages may quote what the user typed, which need not be UTF-8; the JSON must be valid all the same.
    return outer.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace kafkawire::cli
