// config check FILE | config explain NAME: what a configuration means, and what a name means, in any dialect.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/configuration.hpp"
#include "cli/nearest.hpp"

namespace kafkawire::cli {

namespace {

using json = nlohmann::ordered_json;

struct config_check_arguments {
    std::string file;
    std::optional<std::string> dialect, section;
    bool all = false;
};

config::settings read_checked(const config_check_arguments& a) {
    static const std::vector<std::string> names{"properties", "toml", "address"};
    auto in = config::dialect_of(a.file);
    if (a.dialect) {
        if (*a.dialect == "properties") in = config::dialect::properties;
        else if (*a.dialect == "toml") in = config::dialect::toml;
        else if (*a.dialect == "address") in = config::dialect::address;
        else throw usage_error(fmt::format("--dialect {} is none of properties, toml, address", *a.dialect), did_you_mean(*a.dialect, names, "write --dialect toml, for example"));
    }
    if (in == config::dialect::automatic) throw usage_error(fmt::format("the name of {} does not say how it is written", a.file), "add --dialect properties, toml or address");
    if (a.section && in != config::dialect::toml) throw usage_error("--section is for TOML", "leave it out");
    const auto text = read_small_file(a.file);
    if (in == config::dialect::toml) return config::read_toml(text, a.file, a.section.value_or("kafka"));
    return in == config::dialect::address ? config::read_addresses(text, a.file) : config::read_properties(text, a.file);
}

json checked_json(const config::settings& s, const std::vector<config::meaning>& rows) {
    auto options = json::array(), problems = json::array();
    for (const auto& m : rows) options.push_back({{"owner", m.owner}, {"option", m.option}, {"value", m.value}, {"from", m.from.empty() ? json{} : json(m.from)}});
    for (const auto& p : s.problems)
        problems.push_back({{"warning", p.warning}, {"file", p.file}, {"line", p.line}, {"name", p.name}, {"text", p.text}, {"hint", p.hint.empty() ? json{} : json(p.hint)}});
    return {{"schema", "kafka-cli/config.check/1"}, {"ok", s.ok()}, {"options", options}, {"problems", problems}};
}

status config_check(const config_check_arguments& a, context& c) {
    const auto s = read_checked(a);
    const auto rows = config::meanings(s, a.all);
    if (c.format == output_format::json) {
        c.out->write(checked_json(s, rows).dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
        return s.ok() ? status::done : status::failed;
    }
    if (s.ok()) {
        table t{{"OWNER", "OPTION", "VALUE", "FROM"}, {}};
        for (const auto& m : rows) t.add({m.owner, m.option, m.value, m.from});
        c.out->write(t.as(c.format));
    }
    c.out->flush();
    std::size_t wrong = 0;
    for (const auto& p : s.problems) {
        wrong += p.warning ? 0 : 1;
        note((p.warning ? "note: " : "") + p.message());
    }
    if (wrong == 0) return status::done;
    throw failure{status::failed, "bad_configuration", fmt::format("{} thing{} wrong in {}", wrong, wrong == 1 ? " is" : "s are", a.file), "`kafka-cli config explain NAME` tells what an option is"};
}

struct config_explain_arguments {
    std::optional<std::string> name;
    bool all = false, markdown = false;
};

status config_explain(const config_explain_arguments& a, context& c) {
    if (a.all) {
        if (a.name) throw usage_error("--all is about every option; leave the name out");
        if (!a.markdown) throw usage_error("--all needs --markdown", "kafka-cli config explain --all --markdown");
        c.out->write(config::manual());
        return status::done;
    }
    if (!a.name) throw usage_error("config explain needs NAME, or --all --markdown", "see kafka-cli config explain --help");
    std::string nearest;
    const auto text = config::explain(*a.name, nearest);
    if (text.empty()) throw usage_error(fmt::format("there is no option \"{}\" in any dialect", a.name->substr(0, 100)), nearest.empty() ? "kafka-cli config explain --all --markdown lists them all" : "did you mean " + nearest + "?");
    c.out->write(c.format == output_format::json ? json{{"schema", "kafka-cli/config.explain/1"}, {"name", *a.name}, {"text", text}}.dump() + "\n" : text);
    return status::done;
}

}  // namespace

void add_config(command root) {
    auto group = root.add("config", "Configurations: what a file means, what an option is");
    auto sub = group.add("check", "What a configuration file means, option by option; or what is wrong with it");
    auto a = std::make_shared<config_check_arguments>();
    sub.word("FILE", a->file, "The file; how it is written is told by how its name ends: .properties, .conf, .cfg; .toml; .yaml, .yml, .addresses");
    sub.option("--dialect", a->dialect, "properties, toml or address, whatever the file is called", "NAME");
    sub.option("--section", a->section, "TOML: the section (default kafka)", "NAME");
    sub.flag("--all", a->all, "Options that nobody set too");
    sub.examples("  kafka-cli config check client.properties\n  kafka-cli config check orders.toml --all\n  kafka-cli config check trpc_go.yaml --output json");
    sub.does([a](context& c) { return config_check(*a, c); });
    auto words = group.add("explain", "What an option is: default, range, and its name in each dialect");
    auto e = std::make_shared<config_explain_arguments>();
    words.word("NAME", e->name, "Its name in any dialect: linger, linger.ms, batchTimeout, KAFKAWIRE_LINGER_MS");
    words.flag("--all", e->all, "The reference of all options");
    words.flag("--markdown", e->markdown, "With --all: as Markdown");
    words.examples("  kafka-cli config explain linger.ms\n  kafka-cli config explain netDailTimeout\n  kafka-cli config explain --all --markdown");
    words.does([e](context& c) { return config_explain(*e, c); });
}

}  // namespace kafkawire::cli
