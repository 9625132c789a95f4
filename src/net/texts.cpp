#include "net/texts.hpp"

#include <kafkawire/protocol/api.hpp>

namespace kafkawire::net {

std::string host_and_port(std::string_view host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string_view::npos;
    return (v6 ? "[" + std::string{host} + "]" : std::string{host}) + ':' + std::to_string(port);
}

std::string text_of(std::chrono::milliseconds d) {
    const auto ms = d.count();
    if (ms < 1000) return std::to_string(ms) + " ms";
    auto text = std::to_string(ms / 1000);
    if (const auto tenths = ms % 1000 / 100) text += '.' + std::to_string(tenths);
    return text + " s";
}

std::string api_name(std::int16_t key) {
    const auto* api = protocol::find_api(key);
    return api ? std::string{api->name} : "API " + std::to_string(key);
}

std::string range_text(protocol::version_range r) {
    if (r.lowest == r.highest) return "only " + std::to_string(r.lowest);
    return std::to_string(r.lowest) + '-' + std::to_string(r.highest);
}

}  // namespace kafkawire::net
