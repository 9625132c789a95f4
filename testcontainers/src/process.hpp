// Child processes for the test clusters: starting, waiting, and a guard that outlives us just long enough to clean up.
// Every child is put into the guard's process group, so that one signal to that group ends all of them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <kafkawire/version.hpp>

namespace kafkawire::testing::detail {

// A file descriptor with one owner.
class unique_fd {
public:
    unique_fd() = default;
    explicit unique_fd(int fd) : fd_(fd) {}
    unique_fd(unique_fd&& o) noexcept : fd_(o.release()) {}
    unique_fd& operator=(unique_fd&& o) noexcept;
    ~unique_fd() { reset(); }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release();
    void reset();

private:
    int fd_ = -1;
};

struct spawn_options {
    std::vector<std::string> argv;    // argv[0] is looked up in PATH
    std::filesystem::path directory;  // empty: ours
    int in = -1, out = -1, err = -1;  // -1: /dev/null
    pid_t group = -1;                 // -1: ours; 0: a new one; else that group
    bool new_session = false;         // away from the terminal (for what outlives the command)
};

// Starts a program; only descriptors 0-2 reach it. Throws std::system_error. The caller must wait for the child.
pid_t spawn(const spawn_options& options);

// The exit status of a child that has ended (128 + signal if it was killed), or nothing while it runs. Reaps the child.
std::optional<int> poll_exit(pid_t child);
// As poll_exit, but waits. Gives nothing if the child still runs at the deadline.
std::optional<int> wait_exit(pid_t child, std::chrono::milliseconds limit);

struct run_result {
    int status = -1;
    bool timed_out = false;  // then the program was killed
    std::string out, err;
};
// Runs a program to its end, feeding `input` and collecting what it prints.
run_result run(const std::vector<std::string>& argv, std::string_view input, std::chrono::milliseconds limit, pid_t group = -1);

// The full path of a program in PATH, or empty.
std::filesystem::path find_program(const std::string& name);

// Owns the write end of a pipe whose reader is a small shell. When this process ends, in whatever way, the pipe closes, and the shell
// kills the whole process group `group()` and removes `directory`. A pipe and not PR_SET_PDEATHSIG, because that one fires
// when the *thread* that forked ends.
class guard {
public:
    // `docker_label`: containers that carry it are removed too; empty for none.
    guard(const std::filesystem::path& directory, const std::string& docker_label);
    guard(guard&&) noexcept = default;
    guard& operator=(guard&&) = delete;
    ~guard();  // lets the guard do its work and waits for it
    pid_t group() const { return pid_; }

private:
    unique_fd pipe_;
    pid_t pid_ = -1;
};

}  // namespace kafkawire::testing::detail
