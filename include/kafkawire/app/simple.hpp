// The simplest calls: a consumer with a stream of messages and one of errors, a producer that waits, and one that does not.
//
//   kw::app::simple_consumer consumer{"localhost:9092", "orders", "billing", kw::app::start_from::oldest};
//   while (running) {
//       if (auto m = consumer.message(1s)) {
//           std::cout << m->offset << ": " << m->value.value_or("") << '\n';
//           consumer.commit(*m);
//       }
//       while (auto e = consumer.error()) std::cerr << e->message() << '\n';
//   }
//
// Each owns one thread, as kw::blocking does, and may be called from any number of threads; only its destruction comes after all calls.
#pragma once
#include <kafkawire/blocking.hpp>

#include <functional>
#include <mutex>

namespace kafkawire::inline v0_1 {
namespace app {

/// Where a group begins that has committed nothing yet.
enum class start_from : std::uint8_t { newest, oldest };

/// See the top of this file. What was not committed comes again, to this group.
class KAFKAWIRE_API simple_consumer {
public:
    /// Throws kw::system_error (errc::bad_configuration) for a list of brokers or a group that cannot be.
    simple_consumer(std::string brokers, std::string topic, std::string group, start_from from = start_from::newest);
    /// The same with everything said.
    simple_consumer(const client_options& client, const consumer_options& options);
    /// Ends at once, without leaving the group, which misses the member after session_timeout. See close().
    ~simple_consumer();
    simple_consumer(const simple_consumer&) = delete;

    /// The next message, which owns its bytes; none if none has come within `patience`. What goes wrong meanwhile is in the stream of errors; only after
    /// close() it throws: kw::system_error, errc::client_closed.
    std::optional<consumer_record> message(std::chrono::milliseconds patience);
    /// The oldest error that was not taken yet; none if there is none. The newest 1,000 are kept.
    std::optional<kafkawire::error> error();
    /// Commits this message and all before it in its partition, and waits. Throws kw::system_error.
    void commit(const consumer_record& done);
    /// Told of partitions that come (true) or go (false), in the consumer's thread: it must not call this object. Those that are here already it is
    /// told of at once, in this thread, before this returns. Replaces the function before.
    void on_rebalance(std::function<void(bool assigned, const std::vector<topic_partition>&)> what);
    /// Leaves the group. Messages that were taken and not committed come again.
    void close(std::chrono::milliseconds patience = std::chrono::seconds{10});

private:
    blocking::consumer consumer_;
    std::mutex lock_;
    std::vector<kafkawire::error> errors_;
    std::vector<topic_partition> held_;
    std::function<void(bool, const std::vector<topic_partition>&)> told_;
};

/// Where a message is now.
struct position {
    std::int32_t partition = -1;
    std::int64_t offset = -1;
};

/// send() waits until a message is acknowledged by all replicas in sync.
class KAFKAWIRE_API simple_producer {
public:
    /// Throws kw::system_error (errc::bad_configuration) for a list of brokers that cannot be.
    explicit simple_producer(std::string brokers);
    simple_producer(const client_options& client, const producer_options& options);
    /// Sends and waits until it is acknowledged; the bytes are borrowed until then. The key decides the partition. Throws kw::system_error, of which
    /// kw::condition::not_persisted and maybe_persisted say whether it may be there all the same.
    position send(std::string_view topic, nullable_bytes key, nullable_bytes value);
    /// What was not sent is waited for, so long. How many are left.
    std::size_t close(std::chrono::milliseconds patience = std::chrono::seconds{10}) { return producer_.close(patience); }

private:
    blocking::producer producer_;
};

/// A message that owns its bytes, as the callbacks of a simple_async_producer are told it.
struct message {
    std::string topic{};
    std::optional<std::string> key{}, value{};
    std::vector<consumer_header> headers{};
    std::uint64_t tag = 0;                       ///< the application's own
};

/// send() returns at once; what becomes of each message is told to one of two functions, in the producer's thread. They may send(), and must not close().
class KAFKAWIRE_API simple_async_producer {
public:
    /// Throws kw::system_error (errc::bad_configuration) for a list of brokers that cannot be.
    explicit simple_async_producer(std::string brokers);
    simple_async_producer(const client_options& client, const producer_options& options, std::size_t max_pending = 100'000);
    /// Ends at once: what is not acknowledged is told as an error, as far as the thread still runs. See close().
    ~simple_async_producer();
    simple_async_producer(const simple_async_producer&) = delete;

    /// Before the first send().
    void on_success(std::function<void(const message&, position)> what);
    void on_error(std::function<void(const message&, const kafkawire::error&)> what);
    /// False, and nothing is told of it: max_pending messages are under way. Without callbacks nobody is told what went wrong.
    [[nodiscard]] bool send(message m);
    /// Messages that are not told of yet.
    [[nodiscard]] std::size_t pending() const noexcept;
    /// Waits until everything was told, so long. How many are left.
    std::size_t flush(std::chrono::milliseconds patience);
    /// The same, then ends: what is sent later is told as errc::client_closed.
    std::size_t close(std::chrono::milliseconds patience = std::chrono::seconds{10});

private:
    struct state;
    std::shared_ptr<client_detail::hosted_client> host_;
    std::shared_ptr<state> state_;
};

}  // namespace app
}  // namespace kafkawire::inline v0_1
