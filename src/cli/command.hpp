// How a command declares itself. What parses the words is behind this header, in app.cpp, and nowhere else.
#pragma once
#include <cli/failure.hpp>
#include <cli/output.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace kafkawire::inline v0_1 {
struct client_options;
namespace config {
struct settings;
}
}  // namespace kafkawire::inline v0_1

namespace kafkawire::cli {

/// What every command is told: the global options, and where data goes.
struct context {
    std::string brokers = "localhost:9092";
    std::string client_id = "kafka-cli";
    std::chrono::milliseconds timeout{30'000};  ///< how long one step may take: finding a broker, one request with its repetitions
    bool timeout_given = false;
    bool brokers_given = false;                 ///< on the command line; else the configuration may name others
    bool client_id_given = false;
    std::string config_file, profile;           ///< see configuration.hpp
    std::vector<std::string> properties;        ///< -X
    mutable std::shared_ptr<const config::settings> settings;
    output_format format = output_format::text;
    output* out = nullptr;
    std::function<void(client_options&)> secure{};                ///< lays --tls... and --sasl... over a configuration; null: nothing
    mutable std::shared_ptr<const client_options> client{};       ///< what clients are made with, once that is known: see client_options_of()
};

using action = std::function<status(context&)>;

/// One command or group of commands. A handle: copies mean the same command. What is bound (`to`) must live as long as the program runs;
/// commands keep it in an object that their action owns.
class command {
public:
    explicit command(CLI::App& app) : app_{&app} {}

    [[nodiscard]] command add(const std::string& name, const std::string& summary);
    void alias(const std::string& name);
    void hidden();
    // Names as "-p,--partition"; `value` is what the help calls the argument.
    void option(const std::string& names, std::string& to, const std::string& text, const std::string& value = "TEXT");
    void option(const std::string& names, std::optional<std::string>& to, const std::string& text, const std::string& value = "TEXT");
    void option(const std::string& names, std::optional<std::int64_t>& to, const std::string& text, const std::string& value = "N");
    void option(const std::string& names, std::vector<std::string>& to, const std::string& text, const std::string& value = "TEXT");
    // Alone it means `alone`, and takes a value only after an equals sign: --trace, --trace=json.
    void option_or_flag(const std::string& name, const std::string& alone, std::string& to, const std::string& text);
    void flag(const std::string& names, bool& to, const std::string& text);
    // Words without a dash, in the order of their declaration.
    void word(const std::string& name, std::string& to, const std::string& text);
    void word(const std::string& name, std::optional<std::string>& to, const std::string& text);
    void words(const std::string& name, std::vector<std::string>& to, const std::string& text, bool required);
    void examples(const std::string& lines);
    void does(action what);

private:
    CLI::App* app_;
};

/// Runs kafka-cli with a program's arguments and gives its exit status. Writes to standard output and standard error.
int run(int argc, const char* const* argv);

// The commands, one file each.
void add_explain(command root);
void add_errors(command root);
void add_decode(command root);
void add_encode(command root);
void add_produce(command root);
void add_consume(command root);
void add_topics(command root);
void add_groups(command root);
void add_groups_seek(command groups);
void add_request(command root);
void add_broker(command root);
void add_broker_control(command root);
void add_bench(command root);
void add_config(command root);
void add_doctor(command root);

}  // namespace kafkawire::cli
