#include "cli/configuration.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <unistd.h>

namespace kafkawire::cli {

namespace {

// "a; b" on lines of their own, as a usage failure. Warnings are notes.
void demand(const config::settings& s) {
    failure wrong = usage_error("");
    for (const auto& p : s.problems) {
        if (p.warning) {
            note("note: " + p.message());
            continue;
        }
        if (!wrong.message.empty()) {
            wrong.message += "\n" + p.message();
            continue;
        }
        auto first = p;
        wrong.hint = std::exchange(first.hint, {});
        wrong.message = first.message();
    }
    if (wrong.message.empty()) return;
    if (wrong.hint.empty()) wrong.hint = "`kafka-cli config explain NAME` tells what an option is";
    throw wrong;
}

void take_words(const std::vector<std::string>& words, std::vector<config::property>& to) {
    for (const auto& w : words) {
        const auto equals = w.find('=');
        if (equals == w.npos || equals == 0) throw usage_error(fmt::format("-X {} is not NAME=VALUE", w.substr(0, equals == 0 ? 0 : 40)), "for example -X client.id=me");
        to.push_back({w.substr(0, equals), w.substr(equals + 1), "-X"});
    }
}

config::settings load_configuration(const context& c) {
    std::vector<config::problem> problems;
    std::vector<config::property> entries;
    const auto in = config::dialect_of(c.config_file);
    const bool whole = !c.config_file.empty() && (in == config::dialect::toml || in == config::dialect::address);
    if (!c.config_file.empty() && !c.profile.empty()) throw usage_error("--config and --profile do not go together", "a profile is a configuration itself");
    if (c.config_file.empty()) {
        const auto file = profiles_file();
        const bool there = !file.empty() && ::access(file.c_str(), R_OK) == 0;
        if (!there && !c.profile.empty()) throw usage_error(fmt::format("there is no profile \"{}\": {} cannot be read", c.profile, file.empty() ? "profiles.toml" : file), "write [profiles." + c.profile + "] there");
        if (there) entries = config::parse_profile(read_small_file(file), file, c.profile, problems);
    } else if (!whole) {
        if (in == config::dialect::automatic) throw usage_error(fmt::format("the name of {} does not say how it is written", c.config_file), "call it .properties, .toml or .yaml");
        entries = config::parse_properties(read_small_file(c.config_file), c.config_file, problems);
    }
    // Secrets of the environment are taken where they are needed, by apply_security().
    for (auto& p : config::parse_environment(environ, problems))
        if (p.name != "KAFKAWIRE_SASL_PASSWORD" && p.name != "KAFKAWIRE_SASL_TOKEN" && p.name != "KAFKAWIRE_TLS_KEY_PASSWORD") entries.push_back(std::move(p));
    take_words(c.properties, entries);
    config::settings s;
    if (whole) {
        s = config::read_file(c.config_file, in, true);
    } else {
        s.producers.try_emplace("");
        s.consumers.try_emplace("");
        s.unfinished = true;
    }
    config::apply_properties(s, entries);
    s.problems.insert(s.problems.begin(), problems.begin(), problems.end());
    demand(s);
    return s;
}

}  // namespace

std::string profiles_file() {
    if (const char* folder = std::getenv("XDG_CONFIG_HOME"); folder && *folder) return std::string{folder} + "/kafkawire/profiles.toml";
    if (const char* home = std::getenv("HOME"); home && *home) return std::string{home} + "/.config/kafkawire/profiles.toml";
    return {};
}

std::string read_small_file(const std::string& path) {
    constexpr std::size_t most = 1u << 20;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"), std::fclose};
    std::string text(most + 1, '\0');
    const auto n = file ? std::fread(text.data(), 1, text.size(), file.get()) : 0;
    if (!file || std::ferror(file.get())) throw failure{status::failed, "io", fmt::format("cannot read {}", path), "check the path and its permissions"};
    if (n > most) throw failure{status::failed, "io", fmt::format("{} is larger than a megabyte", path), "a configuration would be smaller"};
    text.resize(n);
    return text;
}

const config::settings& settings_of(const context& c) {
    if (!c.settings) c.settings = std::make_shared<config::settings>(load_configuration(c));
    return *c.settings;
}

const config::producer_settings* configured_producer(const context& c) {
    const auto& all = settings_of(c).producers;
    return all.size() == 1 ? &all.begin()->second : nullptr;
}

const config::consumer_settings* configured_consumer(const context& c) {
    const auto& all = settings_of(c).consumers;
    return all.size() == 1 ? &all.begin()->second : nullptr;
}

bool is_configured(const context& c, std::string_view kind, std::string_view option) {
    for (const auto& o : settings_of(c).origins)
        if (o.option == option && o.owner.starts_with(kind) && !o.by_dialect) return true;
    return false;
}

}  // namespace kafkawire::cli
