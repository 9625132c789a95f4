#include "cli/broker_faults.hpp"

#include <kafkawire/protocol/api.hpp>

#include <fmt/format.h>

#include <functional>
#include <map>

#include "broker/fault_rules.hpp"
#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/message_json.hpp"
#include "cli/nearest.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

namespace {

using broker::fault;
using value = nlohmann::ordered_json;

failure wrong(const std::string& name, const value& v, const char* right) {
    return usage_error(fmt::format("{}: {} is not {}", name, v.dump(-1, ' ', false, value::error_handler_t::replace), right));
}

bool flag_of(const value& v, const std::string& name) {
    if (!v.is_boolean()) throw wrong(name, v, "true or false");
    return v.get<bool>();
}

template <class T>
T in_range(const value& v, const std::string& name) {
    const auto n = number_of(v, name);
    if (!std::in_range<T>(n)) throw wrong(name, v, "in range");
    return static_cast<T>(n);
}

broker_errc error_of(const value& v) {
    if (v.is_number_integer()) {
        const auto code = in_range<std::int16_t>(v, "error");
        if (find_broker_error(code)) return static_cast<broker_errc>(code);
        throw usage_error(fmt::format("error: Kafka has no code {}", code), "`kafka-cli errors` lists them");
    }
    const auto name = text_of(v, "error");
    if (const auto* e = find_broker_error(std::string_view{name})) return static_cast<broker_errc>(e->code);
    std::vector<std::string> names;
    for (const auto& e : broker_errors()) names.emplace_back(e.name);
    throw usage_error(fmt::format("error: there is no \"{}\"", name), did_you_mean(name, names, "`kafka-cli errors` lists them"));
}

protocol::version_range versions_of(const value& v) {
    if (v.is_number_integer()) return protocol::only(in_range<std::int16_t>(v, "versions"));
    const auto text = text_of(v, "versions");
    const auto dash = text.find('-');
    const auto low = number<std::int16_t>(text.substr(0, text.ends_with('+') ? text.size() - 1 : dash));
    const auto high = text.ends_with('+') ? std::optional{protocol::no_upper_version} : dash == text.npos ? low : number<std::int16_t>(std::string_view{text}.substr(dash + 1));
    if (!low || !high || *low < 0 || *high < *low) throw usage_error(fmt::format("versions: \"{}\" is no range", text), "write 9, 0-9 or 9+");
    return protocol::between(*low, *high);
}

template <class Enum>
Enum one_of(const value& v, const std::string& name, const std::map<std::string, Enum>& words) {
    const auto word = text_of(v, name);
    if (const auto at = words.find(word); at != words.end()) return at->second;
    std::vector<std::string> names;
    for (const auto& [w, e] : words) names.push_back(w);
    throw usage_error(fmt::format("{}: there is no \"{}\"", name, word), did_you_mean(word, names, fmt::format("one of {}", fmt::join(names, ", "))));
}

using setter = std::function<void(fault&, const value&, const std::string&)>;

const std::map<std::string, setter>& members() {
    static const std::map<std::string, setter> all{
        {"name", [](fault& f, const value& v, const std::string& n) { f.name = text_of(v, n); }},
        {"api", [](fault& f, const value& v, const std::string&) { f.api = api_of(v); }},
        {"versions", [](fault& f, const value& v, const std::string&) { f.versions = versions_of(v); }},
        {"node", [](fault& f, const value& v, const std::string& n) { f.node = in_range<std::int32_t>(v, n); }},
        {"connection", [](fault& f, const value& v, const std::string& n) { f.connection = in_range<std::uint64_t>(v, n); }},
        {"client_id", [](fault& f, const value& v, const std::string& n) { f.client_id = text_of(v, n); }},
        {"topic", [](fault& f, const value& v, const std::string& n) { f.topic = text_of(v, n); }},
        {"chance", [](fault& f, const value& v, const std::string& n) { f.chance = v.is_number() ? v.get<double>() : throw wrong(n, v, "a number"); }},
        {"after", [](fault& f, const value& v, const std::string& n) { f.after = number_of(v, n); }},
        {"count", [](fault& f, const value& v, const std::string& n) { f.count = number_of(v, n); }},
        {"delay", [](fault& f, const value& v, const std::string& n) { f.delay = time_of(v, n); }},
        {"close", [](fault& f, const value& v, const std::string& n) { f.close = flag_of(v, n); }},
        {"drop_request", [](fault& f, const value& v, const std::string& n) { f.drop_request = flag_of(v, n); }},
        {"error", [](fault& f, const value& v, const std::string&) { f.error = error_of(v); }},
        {"carry_out", [](fault& f, const value& v, const std::string& n) { f.carry_out = flag_of(v, n); }},
        {"error_at",
         [](fault& f, const value& v, const std::string& n) {
             using place = broker::error_place;
             f.error_at = one_of<place>(v, n, {{"everywhere", place::everywhere}, {"top", place::top}, {"items", place::items}});
         }},
        {"throttle", [](fault& f, const value& v, const std::string& n) { f.throttle = std::chrono::duration_cast<std::chrono::milliseconds>(time_of(v, n)); }},
        {"reply_delay", [](fault& f, const value& v, const std::string& n) { f.reply_delay = time_of(v, n); }},
        {"drop_reply", [](fault& f, const value& v, const std::string& n) { f.drop_reply = flag_of(v, n); }},
        {"garbage",
         [](fault& f, const value& v, const std::string& n) { f.garbage = one_of<broker::garbage>(v, n, {{"body", broker::garbage::body}, {"frame", broker::garbage::frame}}); }},
        {"cut", [](fault& f, const value& v, const std::string& n) { f.cut = in_range<std::uint32_t>(v, n); }},
        {"trickle", [](fault& f, const value& v, const std::string& n) { f.trickle = in_range<std::uint32_t>(v, n); }},
        {"trickle_every", [](fault& f, const value& v, const std::string& n) { f.trickle_every = time_of(v, n); }},
    };
    return all;
}

}  // namespace

std::int64_t number_of(const value& v, const std::string& name) {
    if (!v.is_number_integer() || (v.is_number_unsigned() && !std::in_range<std::int64_t>(v.get<std::uint64_t>()))) throw wrong(name, v, "a whole number");
    return v.get<std::int64_t>();
}

std::string text_of(const value& v, const std::string& name) {
    // On the command line a topic may be called 42.
    if (v.is_number_integer()) return v.dump();
    if (!v.is_string()) throw wrong(name, v, "a text");
    return v.get<std::string>();
}

std::chrono::nanoseconds time_of(const value& v, const std::string& name, bool signed_too) {
    std::optional<std::chrono::milliseconds> t;
    if (v.is_number_integer()) {
        if (const auto n = number_of(v, name); std::abs(n) < 1'000'000'000'000) t = std::chrono::milliseconds{n};
    } else {
        const auto text = text_of(v, name);
        const bool minus = text.starts_with('-');
        t = parse_duration(std::string_view{text}.substr(minus ? 1 : 0));
        if (t && t->count() > 1'000'000'000'000) t.reset();
        if (t && minus) t = -*t;
    }
    if (!t || (!signed_too && t->count() < 0)) throw usage_error(fmt::format("{}: {} is no length of time", name, v.dump()), "write 300ms, 5s, 2m, or a number of milliseconds");
    return *t;
}

std::int16_t api_of(const value& v) {
    if (v.is_number_integer()) {
        const auto key = in_range<std::int16_t>(v, "api");
        if (protocol::find_api(key)) return key;
        throw usage_error(fmt::format("api: there is no API {}", key), "`kafka-cli explain` lists them");
    }
    const auto name = text_of(v, "api");
    if (const auto* api = protocol::find_api(std::string_view{name})) return api->key;
    std::vector<std::string> names;
    for (const auto& api : protocol::apis()) names.emplace_back(api.name);
    throw usage_error(fmt::format("api: there is no \"{}\"", name), did_you_mean(name, names, "`kafka-cli explain` lists them"));
}

void check_fault(const fault& f) {
    if (const auto why = broker::fault_rules::refuse(f)) throw usage_error(fmt::format("this fault cannot be: {}", *why));
}

fault parse_fault(const value& from) {
    if (!from.is_object()) throw usage_error("a fault is a JSON object", R"(as in {"api":"Produce","count":2,"error":"NOT_LEADER_OR_FOLLOWER"})");
    fault f;
    for (const auto& [name, v] : from.items()) {
        const auto at = members().find(name);
        if (at == members().end()) {
            std::vector<std::string> names;
            for (const auto& [n, set] : members()) names.push_back(n);
            throw usage_error(fmt::format("a fault has no member \"{}\"", name), did_you_mean(name, names, fmt::format("it has {}", fmt::join(names, ", "))));
        }
        at->second(f, v, name);
    }
    check_fault(f);
    return f;
}

std::vector<fault> read_faults(const std::string& path) {
    std::vector<fault> all;
    for_each_line(read_all(path), [&](std::size_t line, const ordered_json& doc) {
        try {
            all.push_back(parse_fault(doc));
        } catch (failure& f) {
            f.message = fmt::format("{}, line {}: {}", path, line, f.message);
            throw;
        }
    });
    return all;
}

}  // namespace kafkawire::cli
