#include "fleet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace faults {

using namespace std::chrono_literals;

fleet::fleet(std::string folder) : folder_{std::move(folder)}, reader_{[this] { read_all(); }} {}

fleet::~fleet() {
    ending_ = true;
    reader_.join();
    for (auto& c : children_) {
        if (c.running) {
            ::kill(c.pid, SIGKILL);
            ::waitpid(c.pid, nullptr, 0);
        }
        if (c.fd >= 0) ::close(c.fd);
    }
}

int fleet::start(const std::string& name, const std::vector<std::string>& argv, report_sink take) { return begin(name, argv, std::move(take), {}); }
int fleet::start_foreign(const std::string& name, const std::vector<std::string>& argv, line_sink take) { return begin(name, argv, {}, std::move(take)); }

int fleet::begin(const std::string& name, const std::vector<std::string>& argv, report_sink reports, line_sink lines) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    (void)::fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    (void)::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const int number = next_++;
    const auto log = folder_ + "/" + name + "-" + std::to_string(number) + ".log";
    const int err = ::open(log.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    std::vector<char*> words;
    for (const auto& w : argv) words.push_back(const_cast<char*>(w.c_str()));
    words.push_back(nullptr);
    const auto parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        ::dup2(ends[1], STDOUT_FILENO);
        if (err >= 0) ::dup2(err, STDERR_FILENO);
        const int nothing = ::open("/dev/null", O_RDONLY);
        if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    if (err >= 0) ::close(err);
    if (pid < 0) {
        ::close(ends[0]);
        throw std::runtime_error("no process for " + name);
    }
    const std::lock_guard lock{mutex_};
    children_.push_back({.number = number, .name = name, .pid = pid, .fd = ends[0], .reports = std::move(reports), .lines = std::move(lines)});
    return number;
}

fleet::child& fleet::at(int member) {
    const std::lock_guard lock{mutex_};
    for (auto& c : children_)
        if (c.number == member) return c;
    throw std::runtime_error("there is no member " + std::to_string(member));
}

void fleet::kill(int member) {
    auto& c = at(member);
    if (!c.running) return;
    ::kill(c.pid, SIGKILL);
    ::waitpid(c.pid, nullptr, 0);
    c.running = false;
}
void fleet::pause(int member) {
    auto& c = at(member);
    if (c.running) ::kill(c.pid, SIGSTOP);
    c.paused = true;
}
void fleet::resume(int member) {
    auto& c = at(member);
    if (c.running) ::kill(c.pid, SIGCONT);
    c.paused = false;
}
bool fleet::stop(int member, std::chrono::milliseconds patience) {
    auto& c = at(member);
    if (!c.running) return true;
    ::kill(c.pid, SIGTERM);
    for (const auto until = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < until; std::this_thread::sleep_for(10ms)) {
        if (::waitpid(c.pid, nullptr, WNOHANG) != c.pid) continue;
        c.running = false;
        return true;
    }
    kill(member);
    return false;
}

std::vector<int> fleet::running(std::string_view name) const {
    const std::lock_guard lock{mutex_};
    std::vector<int> out;
    for (const auto& c : children_)
        if (c.running && c.name.starts_with(name)) out.push_back(c.number);
    return out;
}
std::string fleet::name(int member) const {
    const std::lock_guard lock{mutex_};
    for (const auto& c : children_)
        if (c.number == member) return c.name;
    return {};
}

std::vector<std::pair<int, int>> fleet::collect() {
    std::vector<std::pair<int, int>> out;
    const std::lock_guard lock{mutex_};
    for (auto& c : children_) {
        int status = 0;
        if (!c.running || ::waitpid(c.pid, &status, WNOHANG) != c.pid) continue;
        c.running = false;
        out.emplace_back(c.number, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return out;
}

std::string fleet::stories(std::string_view name) {
    std::vector<std::string> logs;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& c : children_) {
            if (!c.reports || !c.name.starts_with(name)) continue;
            if (c.running) ::kill(c.pid, SIGUSR1);
            logs.push_back(c.name + "-" + std::to_string(c.number));
        }
    }
    std::this_thread::sleep_for(500ms);
    std::string out;
    for (const auto& l : logs) {
        std::ifstream in{folder_ + "/" + l + ".log"};
        std::string all{std::istreambuf_iterator<char>{in}, {}};
        constexpr std::size_t most = 3'000;
        out += "--- " + l + "\n" + (all.size() > most ? all.substr(all.size() - most) : all);
    }
    return out;
}

void fleet::drain() {
    for (const auto until = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < until; std::this_thread::sleep_for(10ms)) {
        const std::lock_guard lock{mutex_};
        bool all = true;
        for (const auto& c : children_) all = all && (c.running || c.fd < 0);
        if (all) return;
    }
}

void fleet::take(child& c, const char* bytes, std::size_t n) {
    c.left.append(bytes, n);
    std::size_t used = 0;
    if (c.reports) {
        for (; c.left.size() - used >= sizeof(report); used += sizeof(report)) {
            report r;
            std::memcpy(&r, c.left.data() + used, sizeof r);
            c.reports(c.number, r);
        }
    } else {
        for (std::size_t end; (end = c.left.find('\n', used)) != std::string::npos; used = end + 1)
            c.lines(c.number, std::string_view{c.left}.substr(used, end - used));
    }
    c.left.erase(0, used);
}

void fleet::read_all() {
    std::vector<char> room(1 << 20);
    while (!ending_) {
        std::vector<pollfd> fds;
        std::vector<child*> whose;
        {
            const std::lock_guard lock{mutex_};
            for (auto& c : children_) {
                if (c.fd < 0) continue;
                fds.push_back({c.fd, POLLIN, 0});
                whose.push_back(&c);
            }
        }
        if (::poll(fds.data(), fds.size(), 50) <= 0) continue;
        for (std::size_t i = 0; i < fds.size(); ++i) {
            if (!fds[i].revents) continue;
            const auto n = ::read(fds[i].fd, room.data(), room.size());
            if (n > 0) take(*whose[i], room.data(), static_cast<std::size_t>(n));
            if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) continue;
            const std::lock_guard lock{mutex_};
            ::close(fds[i].fd);
            whose[i]->fd = -1;
        }
    }
}

}  // namespace faults
