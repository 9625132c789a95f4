// Files of golden vectors: one JSON object a line, plain or gzip.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::conformance {

/// True for *.jsonl and *.jsonl.gz.
bool is_vector_file(const std::filesystem::path& file);
/// The content of a file, unpacked if it is gzip. Throws std::runtime_error if it cannot be read or is damaged.
std::string read_file(const std::filesystem::path& file);
/// The lines that are not empty; views into `content`.
std::vector<std::string_view> lines_of(std::string_view content);
/// The vector files of a folder, by name. Throws std::filesystem::filesystem_error if the folder cannot be read.
std::vector<std::filesystem::path> vector_files(const std::filesystem::path& folder);

}  // namespace kafkawire::conformance
