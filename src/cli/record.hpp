// A record on its way out (views) and on its way in (owned), and its forms: JSON and formats.
#pragma once
#include <kafkawire/record.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::cli {

/// A record as it was fetched. Views into the fetched bytes; copy nothing, keep nothing.
struct shown_record {
    struct header {
        std::string_view key;
        std::optional<std::string_view> value;
    };
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int64_t timestamp = -1;
    bool log_append_time = false;
    std::optional<std::string_view> key, value;
    std::vector<header> headers;
    std::int32_t leader_epoch = -1;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    std::int32_t sequence = -1;
    bool transactional = false;
    std::string_view control;       ///< "commit", "abort", ...; empty: a record of the application's
    std::string_view compression;   ///< of its batch
    std::int64_t log_start = -1, last_stable = -1, high_watermark = -1;  ///< of its partition, as the fetch told
};

/// As a record shows its key, its value, a header's value; null: none.
[[nodiscard]] inline std::optional<std::string_view> shown(const protocol::nullable_bytes& b) { return b.is_null() ? std::nullopt : std::optional{b.text()}; }

/// A record to be sent. Owns what it holds.
struct new_record {
    struct header {
        std::string key;
        std::optional<std::string> value;
    };
    std::optional<std::string> key, value;
    std::vector<header> headers;
    std::optional<std::int64_t> timestamp;
    std::optional<std::int32_t> partition;
};

/// Appends the record as one JSON object, without line end:
/// {"topic","partition","offset","timestamp","timestamp_ms","timestamp_type","key","value","headers":[{"key","value"}],...}. Bytes that are not
/// UTF-8 stand in "key_base64" and "value_base64" in place of the plain member; null is null. 64-bit numbers are numbers.
void append_json(std::string& to, const shown_record& r);

/// The inverse. Members that say nothing about a new record (offset, topic, ...) are stepped over. Raises a failure for what is no such object.
[[nodiscard]] new_record record_from_json(std::string_view line);

/// A parsed `-f`.
class record_format {
public:
    /// Raises a usage failure that says where the format is wrong.
    explicit record_format(std::string_view text);
    void append(std::string& to, const shown_record& r, std::uint64_t count) const;
    /// Something to tell about the format; may be empty.
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

private:
    enum class coding { plain, hex, base64, big16, big32, big64, big8, little16, little32, little64, iso, strftime };
    struct part {
        char verb = 0;  ///< 0: plain text
        coding as = coding::plain;
        std::string text;
        std::vector<part> inner;  ///< of %h{...}
    };
    std::vector<part> parts_;
    std::string hint_;

    static std::vector<part> parse(std::string_view text, bool kcat, bool in_header);
    static part parse_verb(std::string_view text, std::size_t& at, bool kcat, bool in_header);
    static void coding_of(part& p, std::string_view braces);
    static void append_number(std::string& to, std::int64_t n, coding as);
    static void append_text(std::string& to, std::string_view text, coding as);
    static void append_part(std::string& to, const part& p, const shown_record& r, std::uint64_t count);
};

extern const char* const format_grammar;

}  // namespace kafkawire::cli
