// The members of groups, ours and others', as processes: started, killed, paused, read.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "report.hpp"

namespace faults {

class fleet {
public:
    /// Whole lines of a member that is not ours; whole reports of one that is. Called on the fleet's thread.
    using line_sink = std::function<void(int member, std::string_view line)>;
    using report_sink = std::function<void(int member, const report& what)>;

    /// What members write to their error output goes into files of this folder.
    explicit fleet(std::string folder);
    ~fleet();  // kills all that are left

    /// Numbers are given once. Only from the thread that made the fleet: children die with it. Throws std::runtime_error.
    int start(const std::string& name, const std::vector<std::string>& argv, report_sink take);
    int start_foreign(const std::string& name, const std::vector<std::string>& argv, line_sink take);
    void kill(int member);
    void pause(int member);
    void resume(int member);
    /// SIGTERM, and waits. False: it had to be killed.
    bool stop(int member, std::chrono::milliseconds patience);
    /// Those that run, of a name that begins so.
    [[nodiscard]] std::vector<int> running(std::string_view name) const;
    /// Those that have ended by themselves since the last call, with their exit status.
    std::vector<std::pair<int, int>> collect();
    [[nodiscard]] std::string name(int member) const;
    /// Asks ours how they stand, if they run, and gives the end of what each has written to its error output.
    [[nodiscard]] std::string stories(std::string_view name);
    /// Waits until all that they have written is taken. For members that have ended.
    void drain();

private:
    struct child {
        int number;
        std::string name;
        pid_t pid;
        int fd;                      // -1: its end was read
        bool running = true, paused = false;
        report_sink reports;
        line_sink lines;
        std::string left{};          // the beginning of a report or a line
    };
    int begin(const std::string& name, const std::vector<std::string>& argv, report_sink reports, line_sink lines);
    void read_all();
    void take(child& c, const char* bytes, std::size_t n);
    child& at(int member);

    const std::string folder_;
    mutable std::mutex mutex_;       // of the list; elements stay where they are
    std::list<child> children_;
    int next_ = 1;
    std::atomic<bool> ending_{false};
    std::thread reader_;
};

}  // namespace faults
