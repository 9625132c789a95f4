// Poll style, as people have it from librdkafka and confluent's clients: configured by their property names, a producer with delivery reports, a consumer
// that is polled and whose rebalance callback may assign with its own offsets.
//
//   kw::app::poll_producer p{{"bootstrap.servers", "localhost:9092"}, {"message.send.max.retries", "5"}};
//   p.produce({.topic = "test", .key = "asd", .value = "Welcome"});
//   while (auto e = p.poll(1s)) std::cout << (e->why ? e->why.message() : std::to_string(e->offset)) << '\n';
//   p.flush(15s);                                               // how many are left
//
//   kw::app::poll_consumer c{{"bootstrap.servers", "localhost:9092"}, {"group.id", "bob-group"}, {"auto.offset.reset", "earliest"}};
//   c.subscribe({"test"}, [](kw::app::poll_consumer& c, kw::app::rebalance_event e) {
//       if (e.what != kw::app::rebalance_event::assigned) return;
//       for (auto& p : e.partitions) p.from = kw::start_position::beginning();
//       c.assign(e.partitions);
//   });
//   for (;;) std::cout << c.read_message(kw::app::for_ever).value.value_or("") << '\n';
//
// Each owns one thread, as kw::blocking does. A producer may be called from any number of threads. A consumer is one thread's at a time, in which its
// callback runs, within poll(), read_message() and close(). Programs that give properties link kafkawire::config.
#pragma once
#include <kafkawire/app/simple.hpp>
#include <kafkawire/config.hpp>

#include <concepts>
#include <condition_variable>
#include <deque>
#include <initializer_list>

namespace kafkawire::inline v0_1 {
namespace app {

/// Waits without an end.
inline constexpr std::chrono::milliseconds for_ever{-1};

using properties = std::map<std::string, std::string>;

namespace detail {
/// What the properties mean, with librdkafka's defaults. Throws kw::system_error with all that is wrong.
[[nodiscard]] inline config::settings settings_of(const properties& p) {
    auto s = config::read_properties(p, config::defaults_of::librdkafka);
    if (auto wrong = s.error()) throw system_error{std::move(wrong)};
    return s;
}
}  // namespace detail

/// What became of a message; or, of the producer as a whole, why nobody lets it in (a wrong password, a certificate that is not trusted): messages
/// wait meanwhile. Of the same at most every ten seconds.
struct delivery_event {
    app::message message;                                        ///< its topic is empty: it is about the producer
    std::int32_t partition = -1;
    std::int64_t offset = -1;                                    ///< -1: not told
    error why;                                                   ///< empty: delivered
};

/// Where reports are kept until they are taken. Thread-safe; shared.
class KAFKAWIRE_API report_queue {
public:
    /// The oldest, as soon as there is one; none if none has come within `patience`.
    [[nodiscard]] std::optional<delivery_event> poll(std::chrono::milliseconds patience);
    [[nodiscard]] std::size_t size() const;
    void push(delivery_event e);

private:
    mutable std::mutex lock_;
    std::condition_variable came_;
    std::deque<delivery_event> events_;
};

/// See the top of this file.
class KAFKAWIRE_API poll_producer {
public:
    /// Throw kw::system_error (errc::bad_configuration) with all that is wrong.
    poll_producer(std::initializer_list<properties::value_type> p) : poll_producer(properties(p)) {}
    explicit poll_producer(const properties& p) : poll_producer(made{}, detail::settings_of(p).producers.at("")) {}
    template <std::same_as<config::producer_settings> Settings>
    explicit poll_producer(const Settings& settings, std::size_t max_pending = 100'000) : poll_producer(made{}, settings, max_pending) {}
    /// Ends at once: what is not acknowledged may be lost. See flush().
    ~poll_producer();
    poll_producer(const poll_producer&) = delete;

    /// Takes a copy and returns. What becomes of it is told to `reports`, or if there is none to poll(). The key decides the partition, unless the record
    /// names one. errc::would_wait: max_pending messages are under way, or reported and not taken yet: nothing is told of this one.
    [[nodiscard]] std::error_code produce(const record& r, std::shared_ptr<report_queue> reports = {});
    /// The stream of events: the oldest that nobody has taken yet; none if none has come within `patience` (for_ever: it waits).
    [[nodiscard]] std::optional<delivery_event> poll(std::chrono::milliseconds patience);
    /// Sends what waits, and waits until everything is told, so long (for_ever: until then). How many messages are left.
    std::size_t flush(std::chrono::milliseconds patience);
    /// Messages that are not told yet, and reports in the stream of events that nobody has taken.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] producer_statistics statistics() const;

private:
    struct state;
    struct made {};
    poll_producer(made, const config::producer_settings& settings, std::size_t max_pending = 100'000);

    std::shared_ptr<client_detail::hosted_client> host_;
    std::shared_ptr<state> state_;
};

/// Partitions that come or go.
struct rebalance_event {
    enum class kind : std::uint8_t { assigned, revoked, lost };
    static constexpr auto assigned = kind::assigned, revoked = kind::revoked, lost = kind::lost;
    kind what = assigned;
    std::vector<partition_start> partitions;                     ///< what comes or goes, not what stays; of what comes `from` is where the group was
    bool incremental = false;                                    ///< others stay: cooperative-sticky
};

/// See the top of this file.
class KAFKAWIRE_API poll_consumer {
public:
    /// Called in the thread that polls. Where it neither assigns nor unassigns, that is done after it, as it would be without a callback. What it throws
    /// comes out of that poll; the step is over then, too.
    using rebalance_callback = std::function<void(poll_consumer&, rebalance_event)>;

    /// Throw kw::system_error (errc::bad_configuration) with all that is wrong.
    poll_consumer(std::initializer_list<properties::value_type> p) : poll_consumer(properties(p)) {}
    explicit poll_consumer(const properties& p) : poll_consumer(made{}, detail::settings_of(p).consumers.at("")) {}
    template <std::same_as<config::consumer_settings> Settings>
    explicit poll_consumer(const Settings& settings) : poll_consumer(made{}, settings) {}
    /// Ends at once, without leaving the group, and without a last commit. See close().
    ~poll_consumer();
    poll_consumer(const poll_consumer&) = delete;

    // All of the following throw kw::system_error for what cannot be.

    /// As a member of the group, from now on these topics: names, and patterns that begin with '^'. In place of those before, and of the callback before.
    void subscribe(std::vector<std::string> topics, rebalance_callback what = {});
    /// Leaves the group.
    void unsubscribe();
    /// In the callback: of the partitions that came these are read, from where they say; those that are left out stay quiet. Elsewhere: partitions by hand.
    void assign(const std::vector<partition_start>& what);
    /// In the callback: they may go now. Elsewhere: nothing is read any more.
    void unassign();
    /// The same beside what there is already.
    void incremental_assign(const std::vector<partition_start>& what);
    void incremental_unassign(const std::vector<topic_partition>& what);

    /// The next message; none if none has come within `patience`. Throws kw::system_error for what goes wrong; one tries again by himself.
    [[nodiscard]] std::optional<consumer_record> poll(std::chrono::milliseconds patience);
    /// The next message. Throws kw::system_error: errc::request_timed_out where none has come within `patience`.
    [[nodiscard]] consumer_record read_message(std::chrono::milliseconds patience = for_ever);

    /// Behind all that was read; behind this message; these. Waits until that is done. Throws kw::system_error.
    void commit();
    void commit(const consumer_record& done);
    void commit(std::vector<committed_offset> offsets);
    [[nodiscard]] std::vector<committed_offset> committed(std::vector<topic_partition> of);
    /// With enable.auto.offset.store=false: this message, and all before it in its partition, are done, and are committed when that is due.
    void store_offset(const consumer_record& done);
    void seek(const std::string& topic, std::int32_t partition, start_position to);
    void pause(const std::vector<topic_partition>& what);
    void resume(const std::vector<topic_partition>& what);
    /// What is read now.
    [[nodiscard]] std::vector<partition_reading> assignment();
    [[nodiscard]] std::optional<group_membership> membership();
    /// Gives the partitions back, the callback included, commits what is due where that is automatic, and leaves: by `patience`.
    void close(std::chrono::milliseconds patience = std::chrono::seconds{10});

private:
    struct state;
    struct made {};
    poll_consumer(made, const config::consumer_settings& settings);
    void serve_steps();

    std::shared_ptr<client_detail::hosted_client> host_;
    std::shared_ptr<state> state_;
};

}  // namespace app
}  // namespace kafkawire::inline v0_1
