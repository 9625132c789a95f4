// The scripts of the differential test: requests as people write them down. README.md beside this file shows the form.
#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace differential {

using document = nlohmann::ordered_json;  // keeps the order of the fields, so that recordings read like the specification

/// A mistake in a script, with file and line.
struct script_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What a line asks for.
enum class verb { request, send, receive, raw, silent, close, settle, gone, sleep };

/// One indented line below a request: `let pid = producerId`.
struct directive {
    std::string name, path, value;
};

/// One entry of a script.
struct entry {
    std::size_t line = 0;
    verb does = verb::request;
    std::string connection = "main";
    std::string api;                     ///< request, send
    std::vector<std::int16_t> versions;  ///< request, send: one request for each
    std::string text;                    ///< the body as written; the hex of `raw`; the topic of `settle` and `gone`
    document body = document::object();
    std::int64_t number = 0;  ///< milliseconds; the partitions of `settle`
    std::vector<directive> directives;
};

struct script {
    std::filesystem::path file;
    std::vector<entry> entries;
};

/// Reads a script. Throws script_error.
script read_script(const std::filesystem::path& file);

/// The JSON of a relaxed text: names need no quotes, `{name: a, ids: [$x]}`. Throws nlohmann's parse_error.
document relaxed_json(std::string_view text);

}  // namespace differential
