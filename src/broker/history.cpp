#include "broker/history.hpp"

namespace kafkawire::broker {
namespace {

constexpr std::size_t longest_kept = 16u << 10;

}  // namespace

void history::keep(std::size_t messages) {
    limit_ = messages;
    while (last_.size() > limit_) last_.pop_front();
}

void history::add(const passing& p, std::span<const protocol::bytes_view> body) {
    const bool is_request = p.way == passing::direction::request;
    auto& t = traffic_[p.api_key];
    t.api_key = p.api_key;
    ++(is_request ? t.requests : t.answers);
    (is_request ? t.bytes_in : t.bytes_out) += p.bytes;
    if (limit_ == 0) return;
    if (last_.size() == limit_) last_.pop_front();
    auto& m = last_.emplace_back();
    m.way = p.way;
    m.at = p.at;
    m.node = p.node;
    m.connection = p.connection;
    m.api_key = p.api_key;
    m.version = p.version;
    m.correlation_id = p.correlation_id;
    m.client_id = p.client_id;
    m.schema = p.schema;
    m.bytes = p.bytes;
    m.took = p.took;
    if (p.bytes <= longest_kept)
        for (const auto part : body) m.body.insert(m.body.end(), part.begin(), part.end());
}

std::vector<api_traffic> history::traffic() const {
    std::vector<api_traffic> all;
    for (const auto& [key, t] : traffic_) all.push_back(t);
    return all;
}

std::string passed::json() const {
    std::string text;
    if (schema && kept()) {
        protocol::any_message message{*schema};
        if (!protocol::decode(*schema, message.get(), body, version) && !protocol::write_json(*schema, message.get(), version, text)) return text;
    }
    return "{}";
}

std::string passed::line() const {
    std::string to = "node " + std::to_string(node) + " #" + std::to_string(connection) + ' ' + (client_id.empty() ? "-" : client_id);
    to += way == passing::direction::request ? " > " : " < ";
    to += std::string{schema ? schema->name : std::string_view{"?"}} + " v" + std::to_string(version) + ' ' + std::to_string(correlation_id) + ' ';
    return to + (kept() ? json() : std::to_string(bytes) + " bytes");
}

}  // namespace kafkawire::broker
