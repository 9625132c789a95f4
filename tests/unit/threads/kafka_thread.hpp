// A cluster on a thread of its own, and its log read back through the wire: for tests whose own threads wait.
#pragma once
#include <kafkawire/blocking.hpp>
#include <kafkawire/broker.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <string>
#include <thread>
#include <vector>

namespace threads {

struct read_record {
    std::string key, value;
    bool null_key, null_value;
    std::vector<std::string> headers;  // key=value
    std::int64_t timestamp;
};

class kafka_thread {
public:
    explicit kafka_thread(std::int32_t partitions = 6, std::map<std::string, std::string> configs = {})
        : cluster_{io_, {.topics = {{.name = "t", .partitions = partitions}}, .configs = std::move(configs)}}, partitions_{partitions} {
        if (const auto ec = cluster_.start()) throw std::system_error{ec};
        bootstrap_ = cluster_.bootstrap();
        control_.emplace(cluster_.control());
        thread_ = std::thread{[this] { io_.run(); }};
    }
    ~kafka_thread() {
        on([this] { cluster_.close(); });
        io_.stop();
        thread_.join();
    }
    [[nodiscard]] kw::client_options client() const { return {.bootstrap = bootstrap_}; }
    /// Runs f(control) on the cluster's thread and waits.
    template <class F>
    void control(F f) {
        on([&] { f(*control_); });
    }
    /// The records of each partition in their order.
    std::vector<std::vector<read_record>> read() {
        kw::blocking::client client{this->client()};
        std::vector<std::vector<read_record>> all(static_cast<std::size_t>(partitions_));
        for (std::int32_t p = 0; p < partitions_; ++p)
            while (read_some(client, p, all[static_cast<std::size_t>(p)])) {
            }
        return all;
    }

private:
    template <class F>
    void on(F f) {
        kw::client_detail::signal done;
        asio::post(io_, [&] {
            f();
            done.tell();
        });
        done.wait();
    }
    bool read_some(kw::blocking::client& client, std::int32_t partition, std::vector<read_record>& to) {
        kw::protocol::messages::fetch_request ask;
        ask.topics.resize(1);
        ask.topics[0].topic = "t";
        ask.topics[0].partitions.resize(1);
        auto& p = ask.topics[0].partitions[0];
        p.partition = partition;
        const auto before = to.size();
        p.fetch_offset = static_cast<std::int64_t>(before);
        p.partition_max_bytes = 8 << 20;
        const auto answer = client.request(std::move(ask), {.broker = 1, .version = 12});
        const auto& found = answer.responses.at(0).partitions.at(0);
        if (found.error_code != 0) throw std::system_error{kw::make_error_code(static_cast<kw::broker_errc>(found.error_code))};
        kw::protocol::record_reader in{found.records ? found.records->data : kw::protocol::bytes_view{}};
        for (const auto& r : in) {
            if (r.offset < static_cast<std::int64_t>(before)) continue;
            read_record one{std::string{r.key.text()}, std::string{r.value.text()}, r.key.is_null(), r.value.is_null(), {}, r.timestamp};
            for (const auto& h : r.headers) one.headers.push_back(std::string{h.key} + '=' + std::string{h.value.text()});
            to.push_back(std::move(one));
        }
        if (in.error()) throw std::runtime_error{"what was read back is broken"};
        return to.size() > before;
    }

    asio::io_context io_{1};
    kw::broker::cluster cluster_;
    std::int32_t partitions_;
    std::string bootstrap_;
    std::optional<kw::broker::control> control_;
    std::thread thread_;
};

}  // namespace threads
