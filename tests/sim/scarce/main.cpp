// kafkawire-scarce: what a client does when memory runs out. Each scenario runs once as it is, and then once for each of its allocations, which
// fails: no crash, nothing kept, every outcome told once and true, and the client either well or, closed by whoever caught std::bad_alloc, at its end.
//
//   kafkawire-scarce [--every N] [--scenario NAME] [--at N]     --every: only each N-th allocation
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <unistd.h>

#include "stage.hpp"

namespace {

char where[200];

void say_where(int signal) {
    (void)!write(2, where, std::strlen(where));
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

struct figures {
    std::uint64_t passed = 0, failed = 0, runs = 0;
};

// The clean run's allocations, or what is wrong.
std::string run(const scarce::scenario& what, std::uint64_t n, bool by_hand, std::uint64_t& counted) {
    std::snprintf(where, sizeof where, "in '%s', allocation %llu, %s\n", what.name, static_cast<unsigned long long>(n), by_hand ? "closed by hand" : "left as it is");
    const auto before = scarce::blocks();
    std::string trouble;
    {
        scarce::stage s{n, by_hand};
        what.run(s);
        counted = scarce::counted();
        trouble = s.judge();
        if (n == 0 && s.acknowledged() == 0 && std::strcmp(what.name, "ready") != 0 && std::strcmp(what.name, "metadata") != 0) trouble += " nothing was acknowledged;";
        s.run(std::chrono::seconds{1});
    }
    trouble.shrink_to_fit();
    const auto kept = scarce::blocks() - before - (trouble.capacity() > 15 ? 1 : 0);
    if (kept > 0 && n > 0) trouble += " " + std::to_string(kept) + " blocks are never freed;";
    return trouble;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t every = 1, only = 0;
    std::string name;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string a = argv[i];
        if (a == "--every") every = std::strtoull(argv[i + 1], nullptr, 10);
        if (a == "--at") only = std::strtoull(argv[i + 1], nullptr, 10);
        if (a == "--scenario") name = argv[i + 1];
    }
    std::signal(SIGABRT, say_where);
    std::signal(SIGSEGV, say_where);
    figures all;
    for (const auto& what : scarce::scenarios()) {
        if (!name.empty() && name != what.name) continue;
        figures f;
        std::uint64_t total = 0, ignored = 0;
        auto trouble = run(what, 0, false, total);
        trouble = run(what, 0, false, total);  // what is made once in a process is there now
        if (!trouble.empty()) {
            std::printf("'%s' as it is: %s\n", what.name, trouble.c_str());
            ++f.failed;
        }
        for (std::uint64_t n = only ? only : 1; n <= (only ? only : total); n += every) {
            for (const bool by_hand : {true, false}) {
                ++f.runs;
                trouble = run(what, n, by_hand, ignored);
                if (trouble.empty()) ++f.passed;
                else if (++f.failed <= 12) std::printf("'%s', allocation %llu, %s:%s\n", what.name, static_cast<unsigned long long>(n), by_hand ? "closed by hand" : "left as it is", trouble.substr(0, 300).c_str());
            }
        }
        std::printf("%s: %llu allocations, %llu runs, %llu failed\n", what.name, static_cast<unsigned long long>(total), static_cast<unsigned long long>(f.runs), static_cast<unsigned long long>(f.failed));
        std::fflush(stdout);
        all.passed += f.passed;
        all.failed += f.failed;
    }
    std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(all.passed), static_cast<unsigned long long>(all.failed));
    return all.failed > 0;
}
