// Readiness by protocol: two requests written by hand, byte by byte, so that the test clusters do not depend on the code that
// they are there to test.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <kafkawire/version.hpp>

namespace kafkawire::testing::detail {

struct seen_broker {
    std::int32_t id = -1;
    std::string host;
    std::int32_t port = -1;
    friend bool operator==(const seen_broker&, const seen_broker&) = default;
};

struct probe_result {
    std::string error;  // empty: the node answered both requests
    std::int32_t controller = -1;
    std::vector<seen_broker> brokers;  // as that node sees the cluster, in its order
};

// Asks the node for ApiVersions v0 and Metadata v1 (no topics), each within the limit. Never throws.
probe_result probe(const std::string& ip, std::uint16_t port, std::chrono::milliseconds limit);
// Whether something accepts connections there.
bool accepts(const std::string& ip, std::uint16_t port, std::chrono::milliseconds limit);

}  // namespace kafkawire::testing::detail
