// How the commands of `kafka` reach the process that holds a cluster: one request line over a Unix socket, one answer until its end.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "process.hpp"

namespace kafkawire::testing::detail {

// The holder's socket of a cluster by name. Throws std::invalid_argument if the name has anything but letters, digits, '-' and '_'.
std::filesystem::path control_socket(const std::string& name);
// The names of all clusters that have a socket, living or not.
std::vector<std::string> control_names();

struct control_answer {
    bool ok = false;
    std::string text;
};
// Sends words and waits for the answer. Nothing if nobody holds a cluster of that name (a dead holder's socket is removed).
std::optional<control_answer> control_ask(const std::string& name, const std::vector<std::string>& words);

// The holder's side.
class control_server {
public:
    // Throws std::runtime_error if the name is taken.
    explicit control_server(const std::string& name);
    ~control_server();
    // Answers requests one at a time until `done` says true or the time has come.
    void serve(const std::function<control_answer(const std::vector<std::string>&)>& handler, const std::function<bool()>& done,
               std::optional<std::chrono::steady_clock::time_point> until);

private:
    std::filesystem::path path_;
    unique_fd listener_;
};

}  // namespace kafkawire::testing::detail
