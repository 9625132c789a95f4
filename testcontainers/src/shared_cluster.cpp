#include "testcontainers/shared_cluster.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>

namespace kafkawire::testing {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::unique_ptr<kafka_cluster> start_shared() {
    if (!environment("KAFKAWIRE_TEST_BROKERS").empty()) return nullptr;
    kafka_image image;
    if (auto v = environment("KAFKAWIRE_TEST_VERSION"); !v.empty()) image.version(v);
    if (auto n = environment("KAFKAWIRE_TEST_NODES"); !n.empty()) image.nodes(std::atoi(n.c_str()));
    return std::make_unique<kafka_cluster>(image.start());
}

}  // namespace

kafka_cluster* shared_cluster() {
    static const auto cluster = start_shared();
    return cluster.get();
}

std::string shared_bootstrap_servers() {
    auto* cluster = shared_cluster();
    return cluster ? cluster->bootstrap_servers() : environment("KAFKAWIRE_TEST_BROKERS");
}

std::string unique_topic(std::string_view prefix) {
    static const std::string run = [] {
        std::random_device random;
        std::string out;
        for (int i = 0; i < 8; ++i) out += "abcdefghijklmnopqrstuvwxyz0123456789"[random() % 36];
        return out;
    }();
    static std::atomic<int> count = 0;
    return std::string(prefix) + "-" + run + "-" + std::to_string(++count);
}

}  // namespace kafkawire::testing
