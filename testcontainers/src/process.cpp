#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

extern char** environ;

namespace kafkawire::testing::detail {
namespace {

using clock = std::chrono::steady_clock;

void check(int error, const char* what) {
    if (error) throw std::system_error(error, std::generic_category(), what);
}

struct pipe_ends {
    unique_fd read, write;
};
pipe_ends make_pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) check(errno, "pipe");
    return {unique_fd{fds[0]}, unique_fd{fds[1]}};
}

class file_actions {
public:
    file_actions() { check(posix_spawn_file_actions_init(&value), "posix_spawn"); }
    ~file_actions() { posix_spawn_file_actions_destroy(&value); }
    void put(int from, int to) {
        if (from < 0) {
            check(posix_spawn_file_actions_addopen(&value, to, "/dev/null", O_RDWR, 0), "posix_spawn");
        } else {
            check(posix_spawn_file_actions_adddup2(&value, from, to), "posix_spawn");
        }
    }
    posix_spawn_file_actions_t value;
};

class attributes {
public:
    attributes() { check(posix_spawnattr_init(&value), "posix_spawn"); }
    ~attributes() { posix_spawnattr_destroy(&value); }
    posix_spawnattr_t value;
};

// Reads what is there; false at the end of the stream.
bool drain(int fd, std::string& into) {
    std::array<char, 65536> buffer;
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n > 0) into.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

}  // namespace

unique_fd& unique_fd::operator=(unique_fd&& o) noexcept {
    if (this != &o) {
        reset();
        fd_ = o.release();
    }
    return *this;
}
int unique_fd::release() { return std::exchange(fd_, -1); }
void unique_fd::reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

pid_t spawn(const spawn_options& options) {
    file_actions actions;
    actions.put(options.in, 0);
    actions.put(options.out, 1);
    actions.put(options.err, 2);
    if (!options.directory.empty()) check(posix_spawn_file_actions_addchdir_np(&actions.value, options.directory.c_str()), "posix_spawn");
    // A leaked descriptor (a pipe of the test runner, a socket of the client under test) would keep its other end waiting.
    check(posix_spawn_file_actions_addclosefrom_np(&actions.value, 3), "posix_spawn");

    attributes attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    check(posix_spawnattr_setsigmask(&attr.value, &none), "posix_spawn");
    check(posix_spawnattr_setsigdefault(&attr.value, &all), "posix_spawn");
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (options.new_session) {
        flags |= POSIX_SPAWN_SETSID;
    } else if (options.group >= 0) {
        flags |= POSIX_SPAWN_SETPGROUP;
        check(posix_spawnattr_setpgroup(&attr.value, options.group), "posix_spawn");
    }
    check(posix_spawnattr_setflags(&attr.value, flags), "posix_spawn");

    std::vector<char*> argv;
    for (auto& a : options.argv) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    pid_t child = -1;
    check(posix_spawnp(&child, argv[0], &actions.value, &attr.value, argv.data(), environ), options.argv[0].c_str());
    return child;
}

std::optional<int> poll_exit(pid_t child) {
    int status = 0;
    const auto n = ::waitpid(child, &status, WNOHANG);
    if (n == 0) return std::nullopt;
    if (n < 0) return errno == EINTR ? std::nullopt : std::optional{-1};  // somebody else reaped it
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<int> wait_exit(pid_t child, std::chrono::milliseconds limit) {
    const auto deadline = clock::now() + limit;
    for (;;) {
        if (auto status = poll_exit(child)) return status;
        if (clock::now() >= deadline) return std::nullopt;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

run_result run(const std::vector<std::string>& argv, std::string_view input, std::chrono::milliseconds limit, pid_t group) {
    auto in = make_pipe(), out = make_pipe(), err = make_pipe();
    const auto child =
        spawn({.argv = argv, .directory = {}, .in = in.read.get(), .out = out.write.get(), .err = err.write.get(), .group = group});
    in.read.reset();
    out.write.reset();
    err.write.reset();
    ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
    if (input.empty()) in.write.reset();

    // A write to a program that has closed its input must be an error, not a signal: the signal is held back in this thread only.
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);

    run_result result;
    const auto deadline = clock::now() + limit;
    while (out.read || err.read) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
        if (left <= 0) {
            result.timed_out = true;
            break;
        }
        std::array<pollfd, 3> fds{{{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}, {in.write.get(), POLLOUT, 0}}};
        if (::poll(fds.data(), fds.size(), static_cast<int>(std::min<long long>(left, 1000))) <= 0) continue;
        if (fds[0].revents && !drain(out.read.get(), result.out)) out.read.reset();
        if (fds[1].revents && !drain(err.read.get(), result.err)) err.read.reset();
        if (fds[2].revents) {
            const auto n = ::write(in.write.get(), input.data(), input.size());
            if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
            if (input.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) in.write.reset();
        }
    }
    const timespec now{};
    while (sigtimedwait(&pipe_signal, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);

    if (result.timed_out) ::kill(child, SIGKILL);
    result.status = wait_exit(child, std::chrono::hours(1)).value_or(-1);
    return result;
}

std::filesystem::path find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::istringstream in(path ? path : "/usr/bin:/bin");
    for (std::string folder; std::getline(in, folder, ':');) {
        const auto candidate = std::filesystem::path(folder.empty() ? "." : folder) / name;
        if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
    }
    return {};
}

guard::guard(const std::filesystem::path& directory, const std::string& docker_label) {
    // $1 the folder, $2 the label. The shell leads the group that it is to kill, so the killing is done from a session of its own.
    // (dash takes `kill -KILL -- -N` amiss, hence -s.) A killed JVM may be in the middle of creating a file: hence the second removal.
    static constexpr auto script = R"(cat >/dev/null
if [ -n "$2" ]; then docker ps -aq --filter "label=$2" | xargs -r docker rm -f; fi
exec setsid sh -c 'kill -s KILL -- "-$1"; sleep 0.1; rm -rf -- "$2" || { sleep 2; rm -rf -- "$2"; }' kafkawire-guard $$ "$1")";
    auto ends = make_pipe();
    pid_ = spawn({.argv = {"sh", "-c", script, "kafkawire-guard", directory.string(), docker_label},
                  .directory = "/",
                  .in = ends.read.get(),
                  .group = 0});
    pipe_ = std::move(ends.write);
}

guard::~guard() {
    if (!pipe_) return;  // moved from
    pipe_.reset();
    (void)wait_exit(pid_, std::chrono::seconds(20));
}

}  // namespace kafkawire::testing::detail
