// The names of the dialects that are not those of the describe() lists: one table for each, and what they set. Reading and explaining walk them.
#pragma once
#include <kafkawire/config.hpp>

namespace kafkawire::inline v0_1 {
namespace config {

/// The value as our option takes it; or what is wrong with it ("; x or y would be right").
using translation = std::string (*)(std::string_view value, std::string& wrong);

/// A name of a dialect.
struct row {
    std::string_view name;
    std::array<std::string_view, 2> sets{};   ///< options, by their names; at least one
    translation how = nullptr;                ///< null: as it stands
    std::string_view otherwise{};             ///< the dialect's default, as it would be written; empty: the option's own
    std::string_view text{};                  ///< what it means there, where that is more than the option's own text
};

/// A property that other clients have and we have not.
struct foreign_property {
    std::string_view name;      ///< one that ends in a dot means all that begin so
    std::string_view there;     ///< what it does
    std::string_view here;      ///< what takes its place
    bool refused = false;       ///< without it something else would be done than what was asked for
};

[[nodiscard]] std::span<const row> property_rows() noexcept;
[[nodiscard]] std::span<const foreign_property> foreign_properties() noexcept;
[[nodiscard]] const foreign_property* find_foreign(std::string_view name) noexcept;
/// [kafka] and [kafka.client].
[[nodiscard]] std::span<const row> toml_section_rows() noexcept;
[[nodiscard]] std::span<const row> toml_client_rows() noexcept;
[[nodiscard]] std::span<const row> toml_producer_rows() noexcept;
[[nodiscard]] std::span<const row> toml_consumer_rows() noexcept;
[[nodiscard]] std::span<const row> toml_server_rows() noexcept;
[[nodiscard]] std::span<const row> address_producer_rows() noexcept;
[[nodiscard]] std::span<const row> address_consumer_rows() noexcept;

/// "batch_bytes" -> "batchBytes", "linger.ms" -> "lingerMs".
[[nodiscard]] std::string camel_case(std::string_view option);
/// "linger.ms" -> "KAFKAWIRE_LINGER_MS".
[[nodiscard]] std::string variable_name(std::string_view option);
/// Go's way of writing a length of time, "1m30s", in milliseconds; parts of one count as one. False: it is none, or does not fit.
[[nodiscard]] bool parse_go_duration(std::string_view text, std::int64_t& milliseconds);

}  // namespace config
}  // namespace kafkawire::inline v0_1
