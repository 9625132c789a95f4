#include "cli/go_kafka.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <random>

#include "cli/failure.hpp"
#include "cli/nearest.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

namespace {

const std::vector<std::string> commands = {"list", "query", "consume", "produce"};
const std::vector<std::string> options = {"brokers", "topic", "group", "partition", "replica", "offset", "key", "value"};

// The name without its dashes, or nothing if the word is not an option.
std::optional<std::string> bare(const std::string& word) {
    if (word.size() < 2 || word[0] != '-') return {};
    return word.substr(word[1] == '-' ? 2 : 1);
}

bool one_of(const std::vector<std::string>& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

failure unknown(const std::string& word, const std::string& name) {
    static const std::map<std::string, std::string> only_new = {
        {"output", "--output"}, {"format", "--format"}, {"f", "-f"}, {"n", "-n"}, {"e", "--until-end"}, {"until-end", "--until-end"}, {"compression", "--compression"},
        {"z", "-z"}, {"acks", "--acks"}, {"input", "--input"}, {"timeout", "--timeout"}, {"b", "--brokers"}, {"p", "--partition"}, {"H", "--header"}, {"k", "--key"}};
    if (const auto at = only_new.find(name); at != only_new.end())
        return usage_error(fmt::format("{} does not mix with the go-kafka form", word),
                           fmt::format("use the new form throughout: kafka-cli topics list | topics describe | consume TOPIC | produce TOPIC, with {}", at->second));
    std::vector<std::string> dashed;
    for (const auto& o : options) dashed.push_back("-" + o);
    return usage_error(fmt::format("there is no option {} in the go-kafka form", word), did_you_mean("-" + name, dashed, "see kafka-cli -list -help"));
}

using values = std::map<std::string, std::string>;

std::string need(const values& v, const std::string& command, const std::string& name) {
    const auto at = v.find(name);
    if (at == v.end() || at->second.empty()) throw usage_error(fmt::format("-{} needs -{}", command, name), fmt::format("for example -{} {}", name, name == "brokers" ? "127.0.0.1:9092" : "NAME"));
    return at->second;
}

std::int64_t whole(const values& v, const std::string& name, std::int64_t otherwise) {
    const auto at = v.find(name);
    if (at == v.end()) return otherwise;
    const auto n = number<std::int64_t>(at->second);
    if (!n || *n < 0) throw usage_error(fmt::format("-{} takes a whole number, not \"{}\"", name, at->second));
    return *n;
}

std::vector<std::string> consume(const values& v) {
    std::vector<std::string> w = {"consume", need(v, "consume", "topic"), "--brokers", need(v, "consume", "brokers")};
    w.insert(w.end(), {"--partition", std::to_string(whole(v, "partition", 0))});
    const auto group = v.find("group");
    // go-kafka makes up a group when none is given.
    w.insert(w.end(), {"--group", group != v.end() && !group->second.empty() ? group->second : fmt::format("kafka-cli-{:08x}", std::random_device{}())});
    // 0 and 1 say where a group begins that has no offset yet; any other number is the offset itself.
    const auto offset = whole(v, "offset", 0);
    if (offset > 1) w.insert(w.end(), {"--offset", std::to_string(offset)});
    else w.insert(w.end(), {"--default-offset", offset == 1 ? "start" : "end"});
    return w;
}

std::vector<std::string> produce(const values& v) {
    std::vector<std::string> w = {"produce", need(v, "produce", "topic"), "--brokers", need(v, "produce", "brokers"), "--report"};
    if (v.find("value") == v.end()) throw usage_error("-produce needs -value", "for example -value \"hello\"");
    w.push_back("--value=" + v.at("value"));
    if (v.count("key")) w.push_back("--key=" + v.at("key"));
    const auto partition = whole(v, "partition", 0), replicas = whole(v, "replica", 1);
    w.insert(w.end(), {"--partition", std::to_string(partition)});
    // A missing topic is made; then the number is its count, and the key finds the partition.
    w.insert(w.end(), {"--create", fmt::format("{}:{}", std::max<std::int64_t>(partition, 1), std::max<std::int64_t>(replicas, 1))});
    return w;
}

}  // namespace

bool is_go_kafka_form(const std::vector<std::string>& words) {
    if (words.empty()) return false;
    const auto name = bare(words.front());
    return name && one_of(commands, *name);
}

go_kafka_words rewrite_go_kafka(const std::vector<std::string>& words) {
    std::string command;
    values given;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto name_and_value = bare(words[i]);
        if (!name_and_value) throw usage_error(fmt::format("\"{}\" is no option of the go-kafka form", words[i]), "values follow their option, as in -topic orders");
        const auto equals = name_and_value->find('=');
        auto name = name_and_value->substr(0, equals);
        if (name == "h" || name == "help") return {true, {}};
        if (one_of(commands, name)) {
            if (!command.empty()) throw usage_error(fmt::format("-{} and -{} are two commands", command, name), "give one of -list, -query, -consume, -produce");
            command = name;
            continue;
        }
        if (name == "topics") name = "topic";  // its own text spells it both ways
        if (!one_of(options, name)) throw unknown(words[i].substr(0, words[i].find('=')), name);
        if (equals != std::string::npos) given[name] = name_and_value->substr(equals + 1);
        else if (i + 1 < words.size()) given[name] = words[++i];
        else throw usage_error(fmt::format("-{} has no value", name));
    }
    if (command == "list") return {false, {"topics", "list", "--names", "--brokers", need(given, command, "brokers")}};
    if (command == "query") {
        std::vector<std::string> w = {"topics", "describe", "--brokers", need(given, command, "brokers")};
        if (given.count("topic")) w.push_back(given["topic"]);
        return {false, w};
    }
    return {false, command == "consume" ? consume(given) : produce(given)};
}

std::string go_kafka_usage() {
    return "kafka-cli, in the form of go-kafka: a command and its options, with one dash or two, as -x value or -x=value.\n"
           "\n"
           "Commands:\n"
           "  -list      all topics\n"
           "  -query     a topic's partitions, or those of all topics\n"
           "  -consume   reads a partition of a topic, a value a line, until interrupted\n"
           "  -produce   writes one record\n"
           "  -help, -h  this text\n"
           "\n"
           "Options:\n"
           "  -brokers    brokers to begin with: 127.0.0.1:9092,127.0.0.2:9092\n"
           "  -topic      the topic\n"
           "  -group      the consumer group, whose offset is stored after what was read; made up if absent\n"
           "  -partition  the partition's id; when -produce makes a missing topic: how many partitions (default 0)\n"
           "  -replica    when -produce makes a missing topic: how many replicas (default 1)\n"
           "  -offset     where a group without a stored offset begins: 0 newest, 1 oldest; else that offset (default 0)\n"
           "  -key        the record's key\n"
           "  -value      the record's value\n"
           "\n"
           "These options do not mix with those of the commands that `kafka-cli --help` lists.\n";
}

}  // namespace kafkawire::cli
