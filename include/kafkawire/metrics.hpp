// Figures of clients, counted as they work: an observer with counters, gauges and histograms, and a page of them as Prometheus reads it.
//   auto figures = std::make_shared<kw::metrics>();
//   kw::blocking::producer producer{{.bootstrap = "b:9092", .observer = figures}};
//   answer_scrape(figures->page());                            // from any thread
// Made of nothing but <kafkawire/observer.hpp>: all clients, producers, consumers and fronts whose client_options name it are counted. Part of the
// library kafkawire::config.
#pragma once
#include <kafkawire/observer.hpp>

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace kafkawire::inline v0_1 {

/// How often values fell at or below each of some bounds. A value; what is written and read by several threads needs a lock.
class histogram {
public:
    /// Bounds ascend.
    explicit histogram(std::span<const double> bounds) : bounds_{bounds}, counts_(bounds.size() + 1) {}
    KAFKAWIRE_API void add(double value);

    [[nodiscard]] std::span<const double> bounds() const noexcept { return bounds_; }
    /// Of each bound, those at or below it and above the one before; the last is above all bounds.
    [[nodiscard]] const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }
    [[nodiscard]] double sum() const noexcept { return sum_; }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    std::span<const double> bounds_;
    std::vector<std::uint64_t> counts_;
    double sum_ = 0;
    std::uint64_t count_ = 0;
};

/// The figures of one client: all that have one name are one.
struct client_figures {
    struct requests {
        std::uint64_t answered = 0, failed = 0;
        std::uint64_t bytes_out = 0, bytes_in = 0;
        histogram seconds{second_bounds};          ///< until the answer
    };
    static constexpr std::array<double, 14> second_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
    static constexpr std::array<double, 8> byte_bounds{256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304};
    static constexpr std::array<double, 7> record_bounds{1, 10, 100, 1000, 10000, 100000, 1000000};

    std::map<std::string, requests, std::less<>> by_api;              ///< "Produce"
    std::map<std::string, std::uint64_t, std::less<>> connections;    ///< by what became of them: "ready", "lost", "failed", "unused"
    std::map<std::string, std::int64_t, std::less<>> connected;       ///< now, by broker
    histogram batch_bytes{byte_bounds}, batch_records{record_bounds};
    histogram queue_seconds{second_bounds};                           ///< from a batch's first record until it is in a request
    std::uint64_t records = 0;                                        ///< in batches that went into requests
    std::map<std::string, std::uint64_t, std::less<>> retries;        ///< by component
    std::map<std::string, std::uint64_t, std::less<>> rebalances;     ///< "assigned", "revoked", "lost"
    std::map<std::pair<std::string, std::int32_t>, std::int64_t> lag; ///< of topic and partition, when records were handed out last
    std::map<std::pair<std::string, std::string>, std::uint64_t> errors;  ///< by component and code: "no_broker_available", "TOPIC_AUTHORIZATION_FAILED"
    std::map<std::string, std::uint64_t, std::less<>> log_lines;      ///< by level, those left out too
};

/// See the top of this file. Any thread.
class KAFKAWIRE_API metrics final : public observer {
public:
    /// What is told to this observer is told to `next`, too, if there is one.
    explicit metrics(std::shared_ptr<observer> next = {}) : next_{std::move(next)} {}

    /// A copy of what has been counted under that client's name.
    [[nodiscard]] client_figures of(std::string_view client) const;
    /// Sets a gauge of the program's own, for what is not counted here: a front's buffered bytes, how old a file is. The name is one of Prometheus's
    /// ([a-zA-Z_:][a-zA-Z0-9_:]*), and so are those of the labels; throws std::invalid_argument for others, and for names that begin with kafkawire_.
    void set(std::string_view name, double value, const std::map<std::string, std::string>& labels = {}, std::string_view help = {});
    /// Called at the beginning of each page(), on its thread, to set gauges.
    void before_page(std::function<void(metrics&)> what);
    /// All figures in Prometheus's text format, version 0.0.4 ("text/plain; version=0.0.4; charset=utf-8").
    [[nodiscard]] std::string page();

    [[nodiscard]] bool wants_bytes() const noexcept override { return next_ && next_->wants_bytes(); }
    void on_log(const log_line& l) override;
    void on_request(const request_seen& r) override;
    void on_connection(const connection_seen& c) override;
    void on_batch(const batch_seen& b) override;
    void on_retry(const retry_seen& r) override;
    void on_rebalance(const rebalance_seen& r) override;
    void on_lag(const lag_seen& l) override;
    void on_error(const error_seen& e) override;

private:
    struct own_gauge {
        std::string help;
        std::map<std::string, double> values;      // by their labels as they are written
    };
    client_figures& figures(std::string_view client);

    std::shared_ptr<observer> next_;
    mutable std::mutex lock_;
    std::map<std::string, client_figures, std::less<>> clients_;
    std::map<std::string, own_gauge, std::less<>> own_;
    std::vector<std::function<void(metrics&)>> before_;
};

/// The name that an error is counted by: "no_broker_available" of ours, "NOT_LEADER_OR_FOLLOWER" of a broker's, else the category's and the number.
[[nodiscard]] KAFKAWIRE_API std::string kind_of(const std::error_code& code);

}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
