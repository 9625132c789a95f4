// Standard output: data only, written in large pieces; and tables for people and for scripts.
#pragma once
#include <cli/failure.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::cli {

/// How results are written: aligned text, one JSON object (streams: one a line), or tab-separated values without a heading.
enum class output_format { text, json, tsv };

/// Standard output. Collects 64 KB; flushed after each flush_point() when it is a terminal, or always with `unbuffered`. One per program,
/// used by one thread. A reader that went away raises output_closed, any other error of writing a failure.
class output {
public:
    explicit output(int fd = 1, bool unbuffered = false);
    output(const output&) = delete;
    output& operator=(const output&) = delete;
    ~output();  ///< does not write: what matters is flushed before

    void write(std::string_view text);
    void flush_point();  ///< a record or a line is whole
    void flush();

private:
    int fd_;
    bool at_once_;
    std::string buffer_;
};

/// A table: a heading without blanks and rows of cells.
struct table {
    std::vector<std::string> heading;
    std::vector<std::vector<std::string>> rows;

    void add(std::vector<std::string> row) { rows.push_back(std::move(row)); }
    /// Columns padded to their widest cell (counted in UTF-8 characters), two blanks between; no blanks at a line's end.
    [[nodiscard]] std::string text() const;
    /// Tab-separated, no heading; an empty cell is "-"; tabs and line ends inside cells become blanks.
    [[nodiscard]] std::string tsv() const;
    [[nodiscard]] std::string as(output_format f) const { return f == output_format::tsv ? tsv() : text(); }
};

/// A line for people on standard error; nothing with --quiet.
void note(std::string_view line);
void set_quiet(bool quiet) noexcept;

}  // namespace kafkawire::cli
