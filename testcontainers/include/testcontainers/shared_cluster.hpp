// One real cluster per test program, started by the first test that asks for it, and a topic of its own for each test.
//
//     TEST_CASE_METHOD(kw::testing::real_broker, "a record comes back") {
//         client c{bootstrap_servers()};
//         c.create(unique_topic("echo"));
//     }
//
// Works with Catch2 (as here) and with GoogleTest (TEST_F needs a class derived from it); it includes neither.
// KAFKAWIRE_TEST_BROKERS=host:port,... runs the same tests against a cluster that is there already; KAFKAWIRE_TEST_VERSION and
// KAFKAWIRE_TEST_NODES choose what is started (4.3.0 and 1 by default).
#pragma once

#include <string>
#include <string_view>

#include "testcontainers/kafka_cluster.hpp"

namespace kafkawire::testing {

// The shared cluster, which lives until the program ends; null if KAFKAWIRE_TEST_BROKERS names one that is not ours. Safe to call from
// several threads. Throws what kafka_image::start throws.
kafka_cluster* shared_cluster();
std::string shared_bootstrap_servers();

// PREFIX-RANDOM-COUNT: a name that no other test, program or run uses.
std::string unique_topic(std::string_view prefix = "test");

// A fixture for tests that need a broker and do not harm it.
class real_broker {
public:
    std::string bootstrap_servers() const { return shared_bootstrap_servers(); }
    std::string unique_topic(std::string_view prefix = "test") const { return testing::unique_topic(prefix); }
};

}  // namespace kafkawire::testing
