// The one file that knows CLI11: words to commands, its errors to ours, its statuses to ours.
#include <kafkawire/broker.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "cli/command.hpp"
#include "cli/duration.hpp"
#include "cli/go_kafka.hpp"
#include "cli/nearest.hpp"
#include "cli/security.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

namespace {

// What CLI11 does not keep for us: a command's action, and the words that it cannot do without. Checked after unknown words, so that a
// mistyped flag is told as such and not as a missing topic.
struct extras {
    action what;
    std::vector<CLI::Option*> required;
};
std::map<const CLI::App*, extras>& extras_of_apps() {
    static std::map<const CLI::App*, extras> all;
    return all;
}

constexpr const char* exit_table =
    "Exit status: 0 done; 1 Kafka or I/O failed, or any item did; 2 wrong command line; 3 the time ran out with some of the work done;\n"
    "130 interrupted twice. Data goes to standard output, everything else to standard error.\n"
    "The go-kafka form is understood too: kafka-cli -list|-query|-consume|-produce -brokers HOST:PORT ... (kafka-cli -list -help).";

constexpr const char* global_line = "Global options: -b,--brokers -X NAME=VALUE --config --profile --output text|json|tsv --timeout --client-id -q,--quiet (see kafka-cli --help)";

std::string path_of(const CLI::App& app) {
    return app.get_parent() ? path_of(*app.get_parent()) + " " + app.get_name() : std::string{"kafka-cli"};
}

const CLI::App& deepest(const CLI::App& app) {
    const auto subs = app.get_subcommands();
    return subs.empty() ? app : deepest(*subs.front());
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* s : app.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); })) names.push_back(s->get_name());
    return names;
}

std::vector<std::string> flag_names(const CLI::App& leaf) {
    std::vector<std::string> names;
    for (const auto* app = &leaf; app; app = app->get_parent())
        for (const auto* o : app->get_options()) {
            for (const auto& l : o->get_lnames()) names.push_back("--" + l);
            for (const auto& s : o->get_snames()) names.push_back("-" + s);
        }
    return names;
}

// The old spellings of go-kafka, for those who mix them with the new commands.
std::string new_spelling(const std::string& word) {
    static const std::map<std::string, std::string> known = {{"-list", "topics list"},       {"-query", "topics describe"}, {"-consume", "consume TOPIC"},
                                                             {"-produce", "produce TOPIC"},  {"-brokers", "--brokers"},     {"-topic", "the topic as a word"},
                                                             {"-group", "--group"},          {"-partition", "--partition"}, {"-replica", "--replicas"},
                                                             {"-offset", "--offset"},        {"-key", "--key"},             {"-value", "--value"}};
    const auto bare = word.substr(0, word.find('='));
    const auto at = known.find(bare);
    return at == known.end() ? std::string{} : at->second;
}

// CLI11 would take "-brokers" for "-b rokers", and go on; so this is looked at before it sees the words.
void refuse_old_words(const std::vector<std::string>& words) {
    for (const auto& w : words) {
        if (w == "--") return;
        if (w.starts_with("--")) continue;
        if (const auto now = new_spelling(w); !now.empty())
            throw usage_error(fmt::format("{} is an option of the old go-kafka form, which does not mix with commands", w.substr(0, w.find('='))), "write " + now);
    }
}

failure unknown_word(const CLI::App& leaf, const std::vector<std::string>& left) {
    const auto word = *std::find_if(left.begin(), left.end(), [](const auto& w) { return w.starts_with("-"); });
    const auto help = fmt::format("see {} --help", path_of(leaf));
    const auto bare = word.substr(0, word.find('='));
    return usage_error(fmt::format("there is no option {} here", bare), did_you_mean(bare, flag_names(leaf), help));
}

failure stray_word(const CLI::App& leaf, const std::string& word) {
    const auto names = command_names(leaf);
    if (names.empty()) return usage_error(fmt::format("\"{}\" is one word too many", word), fmt::format("see {} --help", path_of(leaf)));
    return usage_error(fmt::format("there is no command \"{}\"", path_of(leaf).substr(leaf.get_parent() ? 10 : 9) + (leaf.get_parent() ? " " : "") + word),
                       did_you_mean(word, names, fmt::format("see {} --help", path_of(leaf))));
}

struct globals {
    context run;
    std::optional<std::string> brokers, client_id;
    std::string format, timeout;
    bool quiet = false;
    security_words security;
};

void declare_globals(command root, globals& g) {
    root.option("-b,--brokers,--bootstrap-servers", g.brokers, "Brokers to begin with (or KAFKAWIRE_BOOTSTRAP_SERVERS; default localhost:9092)", "HOST:PORT,...");
    root.option("--output", g.format, "How results are written: text, json or tsv", "FORMAT");
    root.option("--timeout", g.timeout, "How long to try before giving up, as 500ms, 30s or 2m (default 30s)", "TIME");
    root.option("--client-id", g.client_id, "The name given to the brokers", "NAME");
    root.option("-X,--property", g.run.properties, "An option by its name in any dialect; goes before the configuration and the environment", "NAME=VALUE");
    root.option("--config", g.run.config_file, "A configuration: .properties, .toml or .yaml (see kafka-cli config)", "FILE");
    root.option("--profile", g.run.profile, "A profile of kafkawire/profiles.toml in the folder for configurations", "NAME");
    declare_security(root, g.security);
    root.flag("-q,--quiet", g.quiet, "No notes on standard error, only failures");
}

void apply_globals(globals& g) {
    g.run.brokers_given = g.brokers.has_value();
    g.run.client_id_given = g.client_id.has_value();
    if (g.brokers) g.run.brokers = *g.brokers;
    if (g.client_id) g.run.client_id = *g.client_id;
    if (g.format == "json") g.run.format = output_format::json;
    else if (g.format == "tsv") g.run.format = output_format::tsv;
    else if (!g.format.empty() && g.format != "text")
        throw usage_error(fmt::format("--output {} is none of text, json, tsv", g.format), did_you_mean(g.format, std::vector<std::string>{"text", "json", "tsv"}, "write --output json, for example"));
    if (!g.timeout.empty()) {
        const auto t = parse_duration(g.timeout);
        if (!t || t->count() <= 0) throw usage_error(fmt::format("--timeout {} is no length of time", g.timeout), "write it as 500ms, 30s or 2m");
        g.run.timeout = *t;
        g.run.timeout_given = true;
    }
    set_quiet(g.quiet);
    g.run.secure = [&g](client_options& o) { apply_security(g.security, o); };
}

// Unknown words, missing words, and a group without its verb; in the order in which they help most.
void check(CLI::App& root) {
    const auto& leaf = deepest(root);
    const auto left = root.remaining(true);
    if (std::any_of(left.begin(), left.end(), [](const auto& w) { return w.size() > 1 && w[0] == '-'; })) throw unknown_word(leaf, left);
    if (!left.empty()) throw stray_word(leaf, left.front());
    const auto& more = extras_of_apps()[&leaf];
    if (!more.what)
        throw usage_error(leaf.get_parent() ? fmt::format("{} needs a verb: {}", leaf.get_name(), fmt::join(command_names(leaf), ", "))
                                            : std::string{"no command was given"},
                          fmt::format("see {} --help", path_of(leaf)));
    for (const auto* o : more.required)
        if (o->count() == 0) throw usage_error(fmt::format("{} needs {}", path_of(leaf).substr(10), o->get_name()), fmt::format("see {} --help", path_of(leaf)));
}

// CLI11's "--count: At Most 1 required but received 2" and "--timeout: 1 required TIME missing".
std::string plain_words(std::string text) {
    const auto colon = text.find(": ");
    if (colon == text.npos) return text;
    const auto name = text.substr(0, colon);
    if (text.find("At Most 1 required", colon) != text.npos) return name + " is given more than once";
    constexpr std::string_view required = ": 1 required ", missing = " missing";
    if (text.compare(colon, required.size(), required) == 0 && text.ends_with(missing)) return name + " needs " + text.substr(colon + required.size(), text.size() - colon - required.size() - missing.size());
    return text;
}

status parse_and_run(CLI::App& root, globals& g, const std::vector<std::string>& words) {
    refuse_old_words(words);
    auto reversed = std::vector<std::string>(words.rbegin(), words.rend());
    try {
        root.parse(reversed);
    } catch (const CLI::CallForHelp&) {
        g.run.out->write(root.help());
        return status::done;
    } catch (const CLI::CallForAllHelp&) {
        g.run.out->write(root.help("", CLI::AppFormatMode::All));
        return status::done;
    } catch (const CLI::CallForVersion&) {
        g.run.out->write("kafka-cli " KAFKAWIRE_VERSION_STRING "\n");
        return status::done;
    } catch (const CLI::ParseError& e) {
        std::string text = plain_words(e.what());
        while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
        throw usage_error(text, fmt::format("see {} --help", path_of(deepest(root))));
    }
    apply_globals(g);
    check(root);
    return extras_of_apps()[&deepest(root)].what(g.run);
}

// Known before the words are parsed, since parsing itself may be what fails.
bool asks_for_json(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == "--output=json" || (words[i] == "--output" && i + 1 < words.size() && words[i + 1] == "json")) return true;
    return false;
}

int tell(const failure& f, bool json, output& out) {
    if (json) {
        try {
            out.write(to_json(f));
            out.flush();
        } catch (...) {
            // Nobody reads; the status still tells.
        }
    } else {
        const auto text = to_text(f);
        std::fwrite(text.data(), 1, text.size(), stderr);
    }
    return static_cast<int>(f.exit);
}

int finish(CLI::App& root, globals& g, const std::vector<std::string>& words) {
    const bool json = asks_for_json(words);
    try {
        const auto s = parse_and_run(root, g, words);
        g.run.out->flush();
        return static_cast<int>(s);
    } catch (const output_closed&) {
        return 0;
    } catch (const failure& f) {
        try {
            g.run.out->flush();  // what was found before the failure is still good
        } catch (...) {
        }
        return tell(f, json, *g.run.out);
    } catch (const system_error& e) {
        return tell(from_error(e.detail(), {}), json, *g.run.out);
    } catch (const std::exception& e) {
        return tell({status::failed, "internal", e.what()}, json, *g.run.out);
    }
}

void declare(command root) {
    add_produce(root);
    add_consume(root);
    add_topics(root);
    add_groups(root);
    add_request(root);
    add_broker(root);
    add_broker_control(root);
    add_explain(root);
    add_errors(root);
    add_decode(root);
    add_encode(root);
    add_bench(root);
    add_config(root);
    add_doctor(root);
}

}  // namespace

command command::add(const std::string& name, const std::string& summary) {
    auto* sub = app_->add_subcommand(name, summary);
    sub->fallthrough();
    sub->allow_extras();
    sub->require_subcommand(0, 1);
    sub->footer(global_line);
    return command{*sub};
}
void command::alias(const std::string& name) { app_->alias(name); }
void command::hidden() { app_->group(""); }

void command::option(const std::string& names, std::string& to, const std::string& text, const std::string& value) {
    app_->add_option_function<std::string>(names, [&to](const std::string& v) { to = v; }, text)->type_name(value);
}
void command::option(const std::string& names, std::optional<std::string>& to, const std::string& text, const std::string& value) {
    app_->add_option_function<std::string>(names, [&to](const std::string& v) { to = v; }, text)->type_name(value);
}
void command::option(const std::string& names, std::optional<std::int64_t>& to, const std::string& text, const std::string& value) {
    const auto set = [&to, names](const std::string& v) {
        const auto n = number<std::int64_t>(v);
        if (!n) throw CLI::ValidationError(fmt::format("{} takes a whole number, not \"{}\"", names.substr(names.rfind(',') + 1), v), 2);
        to = *n;
    };
    app_->add_option_function<std::string>(names, set, text)->type_name(value);
}
void command::option(const std::string& names, std::vector<std::string>& to, const std::string& text, const std::string& value) {
    app_->add_option_function<std::vector<std::string>>(names, [&to](const std::vector<std::string>& v) { to = v; }, text)
        ->type_name(value)
        ->allow_extra_args(false);
}
void command::option_or_flag(const std::string& name, const std::string& alone, std::string& to, const std::string& text) {
    app_->add_flag(name + "{" + alone + "}", to, text);
}
void command::flag(const std::string& names, bool& to, const std::string& text) {
    app_->add_flag_callback(names, [&to] { to = true; }, text);
}
void command::word(const std::string& name, std::string& to, const std::string& text) {
    auto* o = app_->add_option_function<std::string>(name, [&to](const std::string& v) { to = v; }, text)->type_name("");
    extras_of_apps()[app_].required.push_back(o);
}
void command::word(const std::string& name, std::optional<std::string>& to, const std::string& text) {
    app_->add_option_function<std::string>(name, [&to](const std::string& v) { to = v; }, text)->type_name("");
}
void command::words(const std::string& name, std::vector<std::string>& to, const std::string& text, bool required) {
    auto* o = app_->add_option_function<std::vector<std::string>>(name, [&to](const std::vector<std::string>& v) { to = v; }, text)->type_name("");
    if (required) extras_of_apps()[app_].required.push_back(o);
}
void command::examples(const std::string& lines) { app_->footer("Examples:\n" + lines + "\n\n" + global_line); }
void command::does(action what) { extras_of_apps()[app_].what = std::move(what); }

int run(int argc, const char* const* argv) {
    // A reader that goes away is told by write(), and is no error of ours.
    std::signal(SIGPIPE, SIG_IGN);
    output out;
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    globals g;
    g.run.out = &out;
    try {
        if (is_go_kafka_form(words)) {
            const auto rewritten = rewrite_go_kafka(words);
            if (rewritten.help) {
                out.write(go_kafka_usage());
                out.flush();
                return 0;
            }
            words = rewritten.words;
        }
    } catch (const output_closed&) {
        return 0;
    } catch (const failure& f) {
        return tell(f, false, out);
    }
    extras_of_apps().clear();
    CLI::App root{"kafka-cli: talks to Apache Kafka, and explains its protocol.", "kafka-cli"};
    root.require_subcommand(0, 1);
    root.allow_extras();
    root.set_version_flag("--version", "");
    root.set_help_all_flag("--help-all", "The help of all commands");
    root.footer(exit_table);
    broker::register_embedded_scheme();  // --brokers embedded:3?topics=a:6
    declare_globals(command{root}, g);
    declare(command{root});
    return finish(root, g, words);
}

}  // namespace kafkawire::cli
