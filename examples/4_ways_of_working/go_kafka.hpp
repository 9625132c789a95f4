// What the three programs in go-kafka's form have in common: they go on until SIGINT or SIGTERM.
#pragma once
#include <atomic>
#include <csignal>
#include <random>
#include <string>

inline std::atomic<bool> stopped{false};

inline void wait_for_signals() {
    for (const int s : {SIGINT, SIGTERM}) std::signal(s, [](int) { stopped = true; });
}

inline std::string random_letters(std::size_t n) {
    static std::mt19937 chance{std::random_device{}()};
    std::string s;
    while (s.size() < n) s += static_cast<char>('A' + chance() % 26);
    return s;
}
