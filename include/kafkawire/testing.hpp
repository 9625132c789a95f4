// What tests of applications write by hand again and again: brokers, topics with names of their own, records put in and taken out, and a
// failure that says what happened on the wire.
//
//   asio::io_context io;
//   kw::testing::brokers kafka{io};                                    // an embedded cluster, or the one in KAFKAWIRE_TEST_BROKERS
//   const auto topic = kafka.create_topic(3);
//   kafka.produce(topic, {{.key = "42", .value = "paid"}});
//   my_application app{io, kafka.bootstrap(), topic};                  // runs on the same io_context
//   REQUIRE(kafka.run_until([&] { return app.handled() == 1; }));
//   CHECK(kafka.expect_records("orders-out", {{.key = "42", .value = "shipped"}}) == "");
//
// Every call here runs the io_context until it is done, so that one thread serves test, application and cluster. Not thread-safe. An
// application that blocks in a thread of its own is served as long as run_for() or run_until() runs.
// For virtual time and network faults see simulation.hpp; for checking long histories testing/check.hpp.
#pragma once
#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>

#include <asio/io_context.hpp>
#include <functional>
#include <utility>

namespace kafkawire::testing {

/// A topic name that no other test has: prefix, process, number, chance. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::string unique_topic(std::string_view prefix = "test");

/// A record that owns its bytes, to be written or as it was read. expect_records compares key and value as they are, null where they are not
/// set, and the rest only where it is set.
struct record {
    std::optional<std::string> key{};
    std::optional<std::string> value{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::int32_t partition = -1;  ///< written: -1 takes turns; expected: -1 any
    std::int64_t offset = -1;     ///< read: where it lies; expected: -1 anywhere
    std::int64_t timestamp = -1;  ///< ms since 1970; written: -1 now; expected: -1 any
    /// "orders-1 at 12: key 42, value paid, headers {trace: 7}"
    [[nodiscard]] KAFKAWIRE_API std::string text() const;
};

/// Thrown by the calls below: what could not be done, why, and the last requests that the embedded cluster saw.
class failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct brokers_options {
    broker::options embedded{};                 ///< of the embedded cluster
    bool ignore_environment = false;            ///< embedded even if KAFKAWIRE_TEST_BROKERS is set
    std::chrono::milliseconds timeout{30'000};  ///< of every call here
    std::size_t remembered_requests = 20;       ///< in failures
};

/// See the top of this file.
class KAFKAWIRE_API brokers {
public:
    /// Throws failure if the embedded cluster does not start.
    explicit brokers(asio::io_context& io, const brokers_options& o = {});
    ~brokers();
    brokers(const brokers&) = delete;

    [[nodiscard]] std::string bootstrap() const;
    [[nodiscard]] bool is_embedded() const noexcept;
    /// For its controls; null with KAFKAWIRE_TEST_BROKERS.
    [[nodiscard]] broker::cluster* embedded() noexcept;

    /// Makes a topic with a name of its own, waits until it has leaders, and says the name.
    std::string create_topic(std::int32_t partitions = 1, std::string_view prefix = "test",
                             const std::map<std::string, std::string>& configs = {});
    /// Writes with acks=all and returns the records with partition and offset.
    std::vector<record> produce(const std::string& topic, std::vector<record> records);
    /// Everything that is in the topic now, by partition and offset; of transactions only what is committed, unless told otherwise.
    [[nodiscard]] std::vector<record> read_all(const std::string& topic, bool committed_only = true);
    /// Waits until the topic holds as many records as expected, then compares: in each partition in this order, between partitions in any.
    /// Empty if all is as expected; else what is missing, what is too much, and the last requests.
    [[nodiscard]] std::string expect_records(const std::string& topic, const std::vector<record>& expected);

    /// Serves application and cluster until `done` says true; false: it did not within the timeout.
    bool run_until(const std::function<bool()>& done);
    void run_for(std::chrono::nanoseconds d);
    /// The last requests and answers as the embedded cluster saw them, a line each; empty with KAFKAWIRE_TEST_BROKERS.
    [[nodiscard]] std::string last_requests() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace kafkawire::testing
