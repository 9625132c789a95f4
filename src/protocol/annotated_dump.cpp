#include <kafkawire/protocol/annotate.hpp>

#include <algorithm>
#include <cstdio>

namespace kafkawire::protocol {

std::string annotated_dump(const annotated& a, bytes_view from, std::size_t base) {
    constexpr std::size_t most_bytes = 16;
    std::size_t path_width = 4, type_width = 4;
    for (const auto& v : a.values) {
        path_width = std::min<std::size_t>(48, std::max(path_width, v.path.size()));
        type_width = std::max(type_width, v.type.size());
    }
    std::string text;
    const auto line = [&](std::string_view offset, std::string_view hex, std::string_view path, std::string_view type, std::string_view meaning) {
        const auto pad = [&](std::string_view s, std::size_t width) {
            text += s;
            text.append(s.size() < width ? width - s.size() + 2 : 2, ' ');
        };
        pad(offset, 8);
        pad(hex, 3 * most_bytes + 2);
        pad(path, path_width);
        pad(type, type_width);
        text += meaning;
        text += '\n';
    };
    line("OFFSET", "BYTES", "FIELD", "TYPE", "MEANING");
    for (const auto& v : a.values) {
        char offset[24];
        std::snprintf(offset, sizeof offset, "%08zx", base + v.offset);
        std::string hex;
        for (std::size_t i = 0; i < std::min(v.size, most_bytes) && v.offset + i < from.size(); ++i) {
            char two[4];
            std::snprintf(two, sizeof two, "%02x ", static_cast<unsigned>(from[v.offset + i]));
            hex += two;
        }
        if (v.size > most_bytes) hex += "...";
        else if (!hex.empty()) hex.pop_back();
        line(offset, hex, v.path, v.type, v.meaning);
    }
    if (a.error) text += "error: " + a.error.message() + "\n";
    return text;
}

}  // namespace kafkawire::protocol
