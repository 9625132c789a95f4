// Hashes, checksums and varints.
#include <kafkawire/protocol/murmur2.hpp>

#include "conformance/checks.hpp"

namespace kafkawire::conformance {

using namespace protocol;

std::string check_murmur2(const nlohmann::json& line) {
    const auto key = hex_member(line, "hex");
    const auto hash = murmur2(key);
    nlohmann::json ours{{"hex", line.at("hex")}, {"murmur2", hash}, {"positive", hash & 0x7fffffff}};
    for (const auto& [count, partition] : line.at("partition").items()) ours["partition"][count] = partition_of(key, std::stoi(count));
    return json_difference(line, ours);
}

}  // namespace kafkawire::conformance
