#include "conformance/vectors.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <zlib.h>

namespace kafkawire::conformance {

bool is_vector_file(const std::filesystem::path& file) {
    const auto name = file.filename().string();
    return name.ends_with(".jsonl") || name.ends_with(".jsonl.gz");
}

std::string read_file(const std::filesystem::path& file) {
    // gzopen() also reads files that are not compressed.
    gzFile in = gzopen(file.c_str(), "rb");
    if (!in) throw std::runtime_error{"cannot open " + file.string()};
    std::string content;
    std::vector<char> piece(1 << 18);
    int n = 0;
    while ((n = gzread(in, piece.data(), static_cast<unsigned>(piece.size()))) > 0) content.append(piece.data(), static_cast<std::size_t>(n));
    // A gzip file that is cut shows only when it is closed.
    if (gzclose_r(in) != Z_OK || n < 0) throw std::runtime_error{file.string() + " is damaged or cut"};
    return content;
}

std::vector<std::string_view> lines_of(std::string_view content) {
    std::vector<std::string_view> lines;
    while (!content.empty()) {
        const auto end = std::min(content.find('\n'), content.size());
        if (end > 0) lines.push_back(content.substr(0, end));
        content.remove_prefix(std::min(end + 1, content.size()));
    }
    return lines;
}

std::vector<std::filesystem::path> vector_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{folder})
        if (entry.is_regular_file() && is_vector_file(entry.path())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace kafkawire::conformance
