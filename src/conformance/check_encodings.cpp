// Hashes, checksums and varints.
#include <kafkawire/protocol/crc32c.hpp>
#include <kafkawire/protocol/murmur2.hpp>
#include <kafkawire/protocol/varint.hpp>

#include "conformance/checks.hpp"

namespace kafkawire::conformance {

using namespace protocol;

namespace {

// Reads the line's bytes and writes its value with one kind of varint.
template <class T, class Read, class Write, class Size>
std::string check_varint_as(const nlohmann::json& line, Read read, Write write, Size size) {
    const auto wire = hex_member(line, "hex");
    T value{};
    const auto* end = read(wire.data(), wire.data() + wire.size(), value);
    if (line.value("invalid", false)) return end ? "read as " + std::to_string(value) + "; it must be refused" : std::string{};
    if (!end) return "refused";
    if (end != wire.data() + wire.size()) return "only " + std::to_string(end - wire.data()) + " of its bytes are read";
    if (value != line.at("value").get<T>()) return "read as " + std::to_string(value);
    std::array<std::byte, max_varlong_size> made;
    const auto made_size = static_cast<std::size_t>(write(made.data(), value) - made.data());
    if (size(value) != made_size) return "its size is said to be " + std::to_string(size(value));
    return difference(bytes_view{wire}, bytes_view{made}.first(made_size));
}

}  // namespace

std::string check_varint(const nlohmann::json& line) {
    const auto& kind = line.at("kind");
    if (kind == "varint") return check_varint_as<std::int32_t>(line, read_varint, write_varint, varint_size);
    if (kind == "varlong") return check_varint_as<std::int64_t>(line, read_varlong, write_varlong, varlong_size);
    if (kind == "unsignedVarint") return check_varint_as<std::uint32_t>(line, read_unsigned_varint, write_unsigned_varint, unsigned_varint_size);
    if (kind == "unsignedVarlong") return check_varint_as<std::uint64_t>(line, read_unsigned_varlong, write_unsigned_varlong, unsigned_varlong_size);
    return "no such kind";
}

std::string check_crc32c(const nlohmann::json& line) {
    const auto data = hex_member(line, "hex");
    const bytes_view all{data};
    const auto wanted = line.at("crc32c").get<std::uint32_t>();
    if (const auto made = crc32c(all); made != wanted) return std::to_string(made) + " made";
    // The form without the CPU's help, and the checksum of two halves.
    if (const auto made = detail::crc32c_table(all); made != wanted) return std::to_string(made) + " made by the tables";
    const auto first = all.first(all.size() / 2), second = all.subspan(all.size() / 2);
    if (crc32c(second, crc32c(first)) != wanted) return "wrong when made in two halves";
    return crc32c_combine(crc32c(first), crc32c(second), second.size()) == wanted ? std::string{} : "wrong when two halves are combined";
}

std::string check_murmur2(const nlohmann::json& line) {
    const auto key = hex_member(line, "hex");
    const auto hash = murmur2(key);
    nlohmann::json ours{{"hex", line.at("hex")}, {"murmur2", hash}, {"positive", hash & 0x7fffffff}};
    for (const auto& [count, partition] : line.at("partition").items()) ours["partition"][count] = partition_of(key, std::stoi(count));
    return json_difference(line, ours);
}

}  // namespace kafkawire::conformance
