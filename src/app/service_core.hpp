// service_core: the driver of a consumer server. Keeps the bytes of messages, calls functions, sends what goes to other topics, marks what the
// machine confirms; decides nothing.
#pragma once
#include <kafkawire/app/consumer_server.hpp>
#include <kafkawire/producer.hpp>

#include <deque>
#include <map>
#include <optional>

#include "app/handling_fsm.hpp"

namespace kafkawire::inline v0_1 {
namespace app {
namespace detail {

class service_core final : public std::enable_shared_from_this<service_core> {
public:
    service_core(client& c, const consumer_options& read, handler what, const handler_options& how, const producer_options& send);
    ~service_core();

    void run(unique_function<void(error)> over);
    void stop(std::optional<std::chrono::milliseconds> patience);
    /// A stop that is told as one. On the executor.
    void cancel();
    [[nodiscard]] service_statistics statistics() const noexcept;
    [[nodiscard]] app::session session() const;
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

    std::string name;
    unique_function<void(const service_error&)> on_error;
    asio::any_io_executor pool;                    // empty: functions run on executor_
    consumer reader;

private:
    struct held {
        record_view view;
        std::shared_ptr<const void> keep;
        std::shared_ptr<const error> why;          // of its last try
    };
    struct partition {
        std::string topic;
        std::int32_t number;
        std::deque<std::optional<held>> messages;  // by seq, from `base` on
        std::uint64_t base = 0;
        std::int64_t initial = -1, confirmed = -1;
    };
    struct call_under_way {
        std::uint32_t partition;
        std::vector<std::uint64_t> messages;
        std::string topic;                         // of the first, for errors
        std::int32_t partition_index;
        std::int64_t offset;
        int attempt;
    };
    struct giving_back {
        rebalance_step step;
        std::vector<std::uint32_t> left;
    };
    struct outgoing;                               // a message on its way to a retry or dead-letter topic

    void poll();
    void arrived(error why, const records& got);
    std::uint32_t number_of(const std::string& topic, std::int32_t index);
    void going(rebalance_step step, bool lost);
    void feed(handling_happening what);
    void keep_timer();
    void call_finished(std::uint64_t id, error why);
    void tell(service_error::source from, error why, const call_under_way* of = nullptr);
    [[nodiscard]] held* find(const message_place& m);
    void close(error why);
    void over(error why);

    void on(handling_action::call& a);
    void on(handling_action::park& a);
    void on(handling_action::give_up& a);
    void on(handling_action::confirm& a);
    void on(handling_action::drop& a);
    void on(handling_action::pause& a);
    void on(handling_action::resume& a);
    void on(handling_action::release& a);
    void on(handling_action::slow& a);
    void on(handling_action::failing& a);
    void on(handling_action::stopped& a);

    client& client_;
    asio::any_io_executor executor_;
    std::shared_ptr<net::environment> env_;
    std::string group_;
    handler handler_;
    handler_options options_;
    producer_options send_;
    std::optional<producer> producer_;             // made when something goes to another topic
    handling_fsm machine_;
    handling_fsm::actions actions_;
    bool carrying_out_ = false;
    std::unique_ptr<net::timer> timer_, poll_again_;
    std::optional<time_point> timer_at_;
    std::map<topic_partition, std::uint32_t> open_;
    std::map<std::uint32_t, partition> partitions_;
    std::uint32_t next_partition_ = 1;
    std::map<std::uint64_t, call_under_way> calls_;
    std::vector<giving_back> going_;
    std::shared_ptr<const error> last_error_;      // of the call whose end is being dealt with
    error stop_reason_;
    bool started_ = false, stopped_before_ = false, closing_ = false, polling_ = false;
    unique_function<void(error)> over_;
};

}  // namespace detail
}  // namespace app
}  // namespace kafkawire::inline v0_1
