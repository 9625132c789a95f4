// Numbered records into a topic at a steady rate, on a thread of its own; the partitions may become more on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace faults {

struct feeder_options {
    std::string bootstrap, topic;
    std::int32_t partitions = 6;
    double rate = 1'000;     ///< records a second
    std::uint64_t run = 1;   ///< see write_value()
    bool by_kcat = false;    ///< a process of kcat for each few records: for brokers before 0.11, which our producer does not write to
};

class feeder {
public:
    /// `acknowledged` is called on the feeder's thread: partition, number, time.
    feeder(const feeder_options& options, std::function<void(std::int32_t, std::uint64_t, std::int64_t)> acknowledged);
    ~feeder();
    void start();
    void set_partitions(std::int32_t n);
    void set_rate(double records_a_second);
    /// Sends no more and waits until all is told. How many records were not acknowledged.
    std::uint64_t finish();
    [[nodiscard]] std::uint64_t sent() const noexcept;
    /// By which a timer of its own was late since the last call, in milliseconds: what the machine kept from us.
    [[nodiscard]] std::int64_t longest_nap() noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace faults
