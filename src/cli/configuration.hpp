// What a command is configured with: a profile or --config, the environment, -X, in that order; then the flags of the command line, which each
// command lays over it.
#pragma once
#include <kafkawire/config.hpp>

#include "cli/command.hpp"

namespace kafkawire::cli {

/// Read once for each run. Raises a usage failure that says all that is wrong.
const config::settings& settings_of(const context& c);

/// The producer or consumer of the configuration: the only one, or what properties say. Null: none, or several.
const config::producer_settings* configured_producer(const context& c);
const config::consumer_settings* configured_consumer(const context& c);
/// Whether somebody set the option of that producer or consumer (kind "producer" or "consumer"); else its value is a default.
bool is_configured(const context& c, std::string_view kind, std::string_view option);

/// $XDG_CONFIG_HOME/kafkawire/profiles.toml, or the same in ~/.config; empty: there is no home.
std::string profiles_file();
/// A file as bytes, at most a megabyte. Raises a failure.
std::string read_small_file(const std::string& path);

}  // namespace kafkawire::cli
