// What all dialects have in common: an entry finds its options, sets them, and is remembered or told as wrong. Then what must hold between options.
#pragma once
#include "config/names.hpp"

namespace kafkawire::inline v0_1 {
namespace config {

/// One struct of options, erased.
struct part {
    std::span<const option_schema> table;
    void* object;
};
template <class Options>
[[nodiscard]] part part_of(Options& o) noexcept {
    return {options_of<Options>(), &o};
}

/// The structs that together say what one client, producer, consumer or server is, and the names that its dialect has for their options. Points
/// into the settings: of the moment.
struct owner {
    std::string name;
    std::vector<part> parts;
    std::span<const row> rows{};
    dialect in = dialect::properties;
};
[[nodiscard]] owner owner_of(producer_settings& p, std::string_view name);
[[nodiscard]] owner owner_of(consumer_settings& c, std::string_view name);
[[nodiscard]] owner owner_of(server_settings& s, std::string_view name);
[[nodiscard]] owner client_owner(settings& s);

/// Which options a name means.
struct target {
    std::vector<std::string_view> options;
    const row* by = nullptr;
    [[nodiscard]] bool found() const noexcept { return by || !options.empty(); }
};
[[nodiscard]] target find_target(const owner& o, std::string_view name);
[[nodiscard]] const option_schema* find_option(const owner& o, std::string_view option, void** object = nullptr);

/// Sets what the entry means. False: the owner does not know its name; nothing is told then. `by_dialect`: it is a default.
bool apply(settings& s, const owner& o, const property& p, bool by_dialect = false);
/// The rows' defaults.
void apply_defaults(settings& s, const owner& o);
/// Nobody knows the name: the problem, with the nearest that any of the owners has.
void tell_unknown(settings& s, std::span<const owner> owners, const property& p, std::string_view what);
/// Something is wrong with an entry.
void tell(settings& s, const property& p, std::string text, std::string hint = {}, bool warning = false);
/// Something is wrong that no single entry did: the entry that set `option` of the owner is named, if there was one.
void tell_about(settings& s, const owner& o, std::string_view option, std::string text, std::string hint = {});
/// Who set an option; null: nobody, or its dialect's default if `defaults`.
[[nodiscard]] const origin* origin_of(const settings& s, std::string_view owner, std::string_view option, bool defaults = false);

/// What follows from several options at once, and what must hold between them.
void finish_client(settings& s);
void finish(settings& s, const owner& o, producer_settings& p);
void finish(settings& s, const owner& o, consumer_settings& c);
/// read_toml() and read_addresses(), whose client options may be unfinished.
[[nodiscard]] settings toml_settings(std::string_view text, std::string_view file, std::string_view section, bool unfinished);
[[nodiscard]] settings address_settings(std::string_view text, std::string_view file, bool unfinished);
/// Problems in the order of their lines.
void sort_problems(settings& s);

/// A value for a message: cut, its control characters escaped; never that of a name that looks like a secret's.
[[nodiscard]] std::string shown_text(std::string_view name, std::string_view value);
[[nodiscard]] bool is_secret(const option_schema& o) noexcept;
[[nodiscard]] bool looks_secret(std::string_view name) noexcept;

}  // namespace config
}  // namespace kafkawire::inline v0_1
