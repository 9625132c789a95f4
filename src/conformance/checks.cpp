#include "conformance/checks.hpp"

#include <stdexcept>

namespace kafkawire::conformance {

namespace {

bool has(const nlohmann::json& line, std::initializer_list<const char*> members) {
    for (const auto* m : members)
        if (!line.contains(m)) return false;
    return true;
}

}  // namespace

check find_check(const nlohmann::json& line) {
    if (!line.is_object()) return nullptr;
    if (has(line, {"api", "type", "version", "hex", "json"})) return check_message;
    if (has(line, {"api", "key", "removed"})) return check_api;
    if (has(line, {"code", "name", "retriable"})) return check_broker_error;
    if (has(line, {"hex", "murmur2"})) return check_murmur2;
    if (has(line, {"hex", "crc32c"})) return check_crc32c;
    if (has(line, {"hex", "kind", "value"})) return check_varint;
    if (has(line, {"hex", "batches"})) return check_batches;
    if (has(line, {"hex", "fault"})) return check_invalid_batches;
    if (has(line, {"assignor", "topics", "members", "assignment"})) return check_assignor;
    if (has(line, {"mechanism", "clientFirst", "serverFirst", "clientFinal"})) return check_scram;
    return nullptr;
}

std::string name_of(const nlohmann::json& line) {
    std::string name;
    for (const auto* member : {"api", "name", "type", "assignor", "mechanism", "kind"})
        if (const auto at = line.find(member); at != line.end() && at->is_string()) (name += name.empty() ? "" : " ") += at->get<std::string>();
    if (const auto at = line.find("version"); at != line.end()) name += " v" + at->dump();
    for (const auto* member : {"case", "code", "value"})
        if (const auto at = line.find(member); at != line.end()) name += std::string{" "} + member + " " + at->dump();
    return name;
}

protocol::bytes hex_member(const nlohmann::json& line, const char* name) {
    auto data = json::from_hex(line.at(name).get_ref<const std::string&>());
    if (!data) throw std::runtime_error{std::string{"the line's "} + name + " is not hexadecimal"};
    return std::move(*data);
}

std::string difference(protocol::bytes_view wanted, protocol::bytes_view made) {
    const auto both = std::min(wanted.size(), made.size());
    for (std::size_t i = 0; i < both; ++i)
        if (wanted[i] != made[i])
            return "byte " + std::to_string(i) + ": " + json::to_hex(wanted.subspan(i, 1)) + " wanted, " + json::to_hex(made.subspan(i, 1)) + " made";
    if (wanted.size() != made.size()) return std::to_string(wanted.size()) + " bytes wanted, " + std::to_string(made.size()) + " made";
    return {};
}

std::string json_difference(const nlohmann::json& wanted, const nlohmann::json& made) {
    if (wanted == made) return {};
    const auto steps = nlohmann::json::diff(wanted, made);
    const auto& step = steps.at(0);
    const nlohmann::json::json_pointer where{step.at("path").get<std::string>()};
    const auto shown = [&](const nlohmann::json& all) {
        if (!all.contains(where)) return std::string{"nothing"};
        auto text = all.at(where).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        return text.size() > 120 ? text.substr(0, 120) + "..." : text;
    };
    return where.to_string() + ": " + shown(wanted) + " wanted, " + shown(made) + " made";
}

}  // namespace kafkawire::conformance
