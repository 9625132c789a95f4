#include "layers.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>

namespace layering {
namespace {

// Who may include whom (DESIGN: protocol <- net, group <- client <- config <- app <- cli). A layer may always include itself.
// The broker never sees group or client, so that client and broker cannot share a mistake.
const std::map<std::string, std::set<std::string>, std::less<>> allowed = {
    {"protocol", {}},
    {"net", {"protocol"}},
    {"group", {"protocol"}},
    {"client", {"protocol", "net", "group"}},
    {"observe", {"protocol", "net"}},
    {"config", {"protocol", "net", "group", "client", "observe"}},
    {"app", {"protocol", "net", "group", "client", "config", "observe"}},
    {"json", {"protocol"}},
    {"conformance", {"protocol", "json", "group", "net"}},
    {"broker", {"protocol", "net"}},
    {"sim", {"protocol", "net", "broker"}},
    {"testing", {"protocol", "net", "client", "broker", "sim"}},
    {"cli", {"protocol", "net", "group", "client", "config", "observe", "app", "json", "broker", "sim"}},
};
const std::set<std::string, std::less<>> without_asio = {"protocol", "group", "json", "conformance"};

// Public headers that are not in a folder named like their layer. A new one must be given its layer here.
const std::map<std::string, std::string, std::less<>> public_headers = {
    {"version.hpp", "protocol"}, {"error.hpp", "protocol"},       {"detail/broker_errors.inc", "protocol"},
    {"environment.hpp", "net"},  {"asio_environment.hpp", "net"}, {"detail/asio.hpp", "net"},
    {"detail/function.hpp", "net"}, {"tokens.hpp", "net"},        {"detailed.hpp", "net"},
    {"observer.hpp", "net"},     {"observe.hpp", "observe"},   {"metrics.hpp", "observe"},     {"options.hpp", "net"},       {"bootstrap.hpp", "net"},     {"secret.hpp", "net"},       {"security.hpp", "net"},   {"detail/tls_server.hpp", "net"},
    {"producer_options.hpp", "client"}, {"consumer_options.hpp", "client"}, {"consumer.hpp", "client"}, {"records.hpp", "client"}, {"partitioner.hpp", "client"}, {"producer.hpp", "client"}, {"record.hpp", "client"}, {"detail/waiter.hpp", "client"}, {"detail/consumer_operations.hpp", "client"},
    {"transaction.hpp", "client"},
    {"blocking.hpp", "client"},   {"concurrent_producer.hpp", "client"}, {"report_stream.hpp", "client"}, {"detail/loop.hpp", "client"}, {"detail/client_environment.hpp", "client"}, {"detail/front.hpp", "client"},
          {"client.hpp", "client"},        {"json.hpp", "json"},
    {"simulation.hpp", "sim"},   {"testing.hpp", "testing"},    {"testing/history.hpp", "sim"},  {"testing/check.hpp", "sim"},
    {"config.hpp", "config"},    {"app/handler_options.hpp", "client"}, {"broker.hpp", "broker"},    {"assignor.hpp", "group"},    {"group.hpp", "client"},
};

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

struct include {
    std::string name;  // as written
    bool angle;
    int line;
};

std::vector<include> includes_of(const std::string& text) {
    static const std::regex form{R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])"};
    std::vector<include> result;
    std::istringstream lines{text};
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number)
        if (std::smatch m; std::regex_search(line, m, form)) result.push_back({m[2], m[1] == "<", number});
    return result;
}

// The file of this tree that an include means; empty: none of ours.
std::string resolve(const tree& files, const std::string& from, const include& what) {
    const auto folder = std::filesystem::path{from}.parent_path();
    const std::array candidates{(folder / what.name).lexically_normal().string(), "include/" + what.name, "src/" + what.name};
    for (const auto& candidate : candidates)
        if (files.count(candidate)) return candidate;
    return {};
}

bool is_machine(const std::string& path) { return std::filesystem::path{path}.stem().string().find("_fsm") != std::string::npos; }
bool is_asio(const include& i) { return i.name == "asio.hpp" || starts_with(i.name, "asio/") || starts_with(i.name, "boost/asio"); }

// How Asio comes into a file: "a.hpp -> b.hpp -> asio/post.hpp"; empty if it does not.
std::string way_to_asio(const tree& files, const std::string& path, std::set<std::string>& seen) {
    if (!seen.insert(path).second) return {};
    for (const auto& i : includes_of(files.at(path))) {
        if (is_asio(i)) return path + " -> " + i.name;
        if (const auto next = resolve(files, path, i); !next.empty())
            if (auto rest = way_to_asio(files, next, seen); !rest.empty()) return path + " -> " + rest;
    }
    return {};
}

void check_layers(const tree& files, const std::string& path, std::vector<std::string>& wrong) {
    const auto layer = layer_of(path);
    const auto row = allowed.find(layer);
    if (row == allowed.end()) {
        wrong.push_back(path + ": no layer is known for this file; tests/layering/layers.cpp has the table");
        return;
    }
    for (const auto& i : includes_of(files.at(path))) {
        const auto target = resolve(files, path, i);
        if (target.empty()) {
            if (starts_with(i.name, "kafkawire/")) wrong.push_back(path + ":" + std::to_string(i.line) + ": no such header: " + i.name);
            continue;
        }
        const auto other = layer_of(target);
        if (other != layer && !row->second.count(other))
            wrong.push_back(path + ":" + std::to_string(i.line) + ": " + layer + " may not include " + other + " (" + i.name + ")");
        if (starts_with(path, "include/") && starts_with(target, "src/"))
            wrong.push_back(path + ":" + std::to_string(i.line) + ": a public header includes a private one (" + i.name + ")");
    }
}

void check_asio(const tree& files, const std::string& path, std::vector<std::string>& wrong) {
    if (!is_machine(path) && !without_asio.count(layer_of(path))) return;
    std::set<std::string> seen;
    if (const auto way = way_to_asio(files, path, seen); !way.empty())
        wrong.push_back(path + ": Asio is not for " + (is_machine(path) ? "machines" : layer_of(path)) + " (" + way + ")");
}

void check_clock(const tree& files, const std::string& path, std::vector<std::string>& wrong) {
    static const std::regex clock{R"((steady_clock|system_clock|high_resolution_clock)\s*::\s*now|\b(clock_)?gettime(ofday)?\s*\()"};
    if (is_machine(path) && std::regex_search(files.at(path), clock)) wrong.push_back(path + ": a machine is told the time, it reads no clock");
}

}  // namespace

std::string layer_of(const std::string& path) {
    auto rest = std::string_view{path};
    if (starts_with(rest, "src/")) {
        rest.remove_prefix(4);
        return std::string{rest.substr(0, rest.find('/'))};
    }
    if (!starts_with(rest, "include/kafkawire/")) return {};
    rest.remove_prefix(18);
    if (const auto named = public_headers.find(rest); named != public_headers.end()) return named->second;
    if (const auto slash = rest.find('/'); slash != std::string_view::npos) return std::string{rest.substr(0, slash)};
    return {};
}

tree read_tree(const std::string& root) {
    namespace fs = std::filesystem;
    tree files;
    for (const auto* top : {"src", "include"})
        for (const auto& entry : fs::recursive_directory_iterator{fs::path{root} / top}) {
            const auto extension = entry.path().extension();
            if (extension != ".hpp" && extension != ".cpp" && extension != ".inc") continue;
            std::ifstream in{entry.path()};
            files[fs::relative(entry.path(), root).generic_string()] = {std::istreambuf_iterator<char>{in}, {}};
        }
    return files;
}

std::vector<std::string> violations(const tree& files) {
    std::vector<std::string> wrong;
    for (const auto& [path, text] : files) {
        check_layers(files, path, wrong);
        check_asio(files, path, wrong);
        check_clock(files, path, wrong);
    }
    return wrong;
}

}  // namespace layering
