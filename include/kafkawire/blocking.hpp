// Kafka for programs without an event loop: every call waits until it is done, and throws kw::system_error if it fails.
//
//   kw::blocking::producer producer{{.bootstrap = "localhost:9092"}};
//   kw::delivery at = producer.send({.topic = "orders", .key = "42", .value = "paid"});
//   std::cout << at.topic << '-' << at.partition << " @ " << at.offset << '\n';
//
// Rules for all of it:
// - A client, or a producer that was made without one, owns one thread, named "kafkawire", which does the work; or it runs on an io_context
//   that is given, which other threads must run from before it is made until after it is destroyed.
// - Any number of threads may call an object at the same time. Only its destruction must come after all calls.
// - What is passed to a call is borrowed until it returns.
// - A call in a thread that runs the event loop itself would wait for itself: kw::system_error with std::errc::resource_deadlock_would_occur.
// - A delivery handler that throws ends the loop: with a thread of its own, the program.
// - A child process after fork() has no such thread: there the object may not be used, nor destroyed; exec or _exit are all it may do.
// - A call that waits for each record in turn is slow, however fast the cluster is. For many records there is send_batch(), and
//   kw::concurrent_producer.
#pragma once
#include <kafkawire/consumer.hpp>
#include <kafkawire/detail/loop.hpp>
#include <kafkawire/transaction.hpp>

namespace kafkawire::blocking {

/// See the top of this file. Movable; the moved-from client may only be destroyed or assigned to.
class KAFKAWIRE_API client {
public:
    /// Connects to nothing yet. Throws kw::system_error (errc::bad_configuration) for an option that is out of range.
    explicit client(const client_options& options = {}) : host_{std::make_shared<client_detail::hosted_client>(options)} {}
    explicit client(asio::io_context& io, const client_options& options = {}) : host_{std::make_shared<client_detail::hosted_client>(io, options)} {}

    /// Sends a request and gives its answer; see kw::client::async_request. Errors in the answer's own fields are left to the caller.
    template <class Request>
        requires requires { typename Request::response; }
    answer<typename Request::response> request(Request message, const request_options& options = {}) {
        using result = answer<typename Request::response>;
        auto& h = *host_;
        auto [why, a] = h.loop.template call<result>(
            [&](auto handler) { h.client->async_request(std::move(message), options, detailed(std::move(handler))); });
        if (why) throw system_error{std::move(why)};
        return std::move(a);
    }
    /// The cluster's brokers, and the topics of these names, which are not created.
    answer<protocol::messages::metadata_response> metadata(const std::vector<std::string>& topics = {});
    /// What is known of the brokers now. Never asks anybody.
    [[nodiscard]] std::vector<broker_info> brokers() const;

private:
    friend class producer;
    friend class consumer;
    std::shared_ptr<client_detail::hosted_client> host_;
};

/// What producer::begin_transaction() gives: kw::transaction (see there for what is promised, and what each error says), for a thread that waits.
///
///   kw::blocking::producer producer{{.bootstrap = "localhost:9092"}, {.transactional_id = "shipping-1"}};
///   auto tx = producer.begin_transaction();
///   producer.send({.topic = "shipped", .key = "42"});           // all that the producer sends is part of it
///   tx.commit();                                                // else it is aborted when tx is destroyed
///
/// It may outlive its producer, and is then of no use. Movable; one that was made by default, or moved from, may be destroyed or assigned to, and
/// everything else throws std::logic_error. Every call waits by the producer's delivery_timeout, or by the deadline that is given.
class KAFKAWIRE_API transaction {
public:
    using patience = std::optional<std::chrono::milliseconds>;

    transaction() noexcept = default;
    /// For begin_transaction().
    transaction(std::shared_ptr<client_detail::hosted_client> host, kafkawire::transaction of) : host_{std::move(host)}, of_{std::move(of)} {}
    /// Aborts, if neither commit nor abort was asked for. Does not wait for that; the next begin does.
    ~transaction() { leave(); }
    transaction(transaction&& other) noexcept;
    transaction& operator=(transaction&& other) noexcept;

    /// Empty as long as records and offsets can be sent; else why not. See kw::transaction::trouble().
    [[nodiscard]] error trouble() const;
    /// Commits offsets of a group with the transaction, and only with it. Throws kw::system_error with the codes of async_send_offsets().
    void send_offsets(std::span<const topic_offset> offsets, const group_metadata& group, patience deadline = {});
    /// Throws kw::system_error if it is not certainly committed: condition abortable: it is not; maybe_persisted: nobody knows yet, call it again.
    void commit(patience deadline = {});
    /// The same, with the error as a value; `why` is empty if it is committed.
    void commit(error& why, patience deadline = {});
    /// Throws kw::system_error with the codes of async_abort().
    void abort(patience deadline = {});

private:
    [[nodiscard]] client_detail::loop& where() const;
    void leave() noexcept;

    std::shared_ptr<client_detail::hosted_client> host_;
    mutable std::optional<kafkawire::transaction> of_;
};

/// See the top of this file, and kw::producer for what a send promises. Movable; the moved-from producer may only be destroyed or assigned to.
class KAFKAWIRE_API producer {
public:
    /// With a client of its own. Throws kw::system_error (errc::bad_configuration) for options that cannot be.
    explicit producer(const client_options& client, const producer_options& options = {});
    producer(asio::io_context& io, const client_options& client, const producer_options& options = {});
    /// Of a client that is there: its connections and its thread are shared. It may be destroyed before the producer.
    explicit producer(client& of, const producer_options& options = {});
    /// Ends at once: what is not acknowledged may be lost. See close().
    ~producer();
    producer(producer&&) noexcept = default;
    producer& operator=(producer&&) noexcept;

    /// Sends a record and waits until it is acknowledged.
    delivery send(const record& r);
    /// The same, with the error as a value; `why` is empty on success.
    delivery send(const record& r, error& why);
    /// Sends many records in their order and waits until all are settled. Throws the first error, if there was one.
    batch_result send_batch(std::span<const record> records);
    /// The same, with the first error as a value: the result says how many fared how.
    batch_result send_batch(std::span<const record> records, error& why);
    /// Waits until a record is accepted, not until it is acknowledged: flush() waits for that, and on_delivery() is told of it.
    void enqueue(const record& r);

    /// kw::producer::async_init_transactions(). Throws kw::system_error.
    void init_transactions(std::optional<std::chrono::milliseconds> deadline = {});
    /// Begins a transaction; see kw::transaction. Waits for the end of the one before. Throws kw::system_error with the codes of
    /// async_begin_transaction(): errc::no_transaction if the producer has no transactional_id. All threads share the transaction: what any of them
    /// sends is part of it.
    [[nodiscard]] transaction begin_transaction(std::optional<std::chrono::milliseconds> deadline = {});

    /// Told of every batch that is settled, in the thread of the loop: it must not call this object, nor destroy it. Replaces the one before.
    void on_delivery(unique_function<void(const delivery_report&)> handler);
    /// Makes topics known and connects to their leaders, so that the first send is as quick as the others.
    void warm_up(std::vector<std::string> topics);
    /// Waits until everything that was accepted before is settled, or the time is over. How many records are not settled: 0 if all is well.
    std::size_t flush(std::chrono::milliseconds deadline);
    /// The same, then ends; later calls throw.
    std::size_t close(std::chrono::milliseconds deadline);
    [[nodiscard]] producer_statistics statistics() const;

private:
    void make(const producer_options& options);

    std::shared_ptr<client_detail::hosted_client> host_;
    std::optional<kafkawire::producer> producer_;
};

/// See the top of this file, and kw::consumer for what is promised and what each error says. Between two polls nothing is lost of a thread that
/// works: heartbeats and fetching go on by themselves. Movable; the moved-from consumer may only be destroyed or assigned to.
///
///   kw::blocking::consumer consumer{{.bootstrap = "localhost:9092"}, {.group = "billing", .topics = {"orders"}}};
///   for (;;) {
///       kw::records batch = consumer.poll(1s);
///       for (const kw::record_view& r : batch) std::cout << r.value.text() << '\n';
///       consumer.commit(batch);
///   }
class KAFKAWIRE_API consumer {
public:
    /// With a client of its own. Throws kw::system_error (errc::bad_configuration) for options that cannot be.
    explicit consumer(const client_options& client, const consumer_options& options = {});
    consumer(asio::io_context& io, const client_options& client, const consumer_options& options = {});
    /// Of a client that is there: its connections and its thread are shared. It may be destroyed before the consumer.
    explicit consumer(client& of, const consumer_options& options = {});
    /// Ends at once, without leaving its group and without a last commit. See close().
    ~consumer();
    consumer(consumer&&) noexcept = default;
    consumer& operator=(consumer&&) noexcept;

    /// What has come, as soon as there is anything; nothing if nothing has within `patience`. What comes later is the next poll's.
    records poll(std::chrono::milliseconds patience);
    /// The same, with the error as a value; `why` is empty if there was none.
    records poll(std::chrono::milliseconds patience, error& why);
    /// One record, which owns its bytes; none if none has come within `patience`.
    std::optional<consumer_record> read(std::chrono::milliseconds patience);

    /// Commit, and wait until that is done: behind all that was handed out, behind these records, behind this one, these offsets.
    void commit();
    void commit(const records& done);
    void commit(const consumer_record& done);
    void commit(std::vector<committed_offset> offsets);
    std::vector<committed_offset> committed(std::vector<topic_partition> of);

    /// Calls f(kw::consumer&) in the loop's thread, waits, and gives its result: for everything that does not wait, as subscribe(), assign(), seek(),
    /// pause(), mark(), on_assigned() and what can be seen. Handlers that are set there run in that thread, too. f must not call this object.
    template <class F>
    std::invoke_result_t<F&, kafkawire::consumer&> with(F f) {
        using result = std::invoke_result_t<F&, kafkawire::consumer&>;
        if constexpr (std::is_void_v<result>) {
            host_->loop.run([&] { f(*consumer_); });
        } else {
            std::optional<result> r;
            host_->loop.run([&] { r.emplace(f(*consumer_)); });
            return std::move(*r);
        }
    }

    /// Commits what is finished, if that is automatic, leaves the group, and ends: by `patience`.
    void close(std::chrono::milliseconds patience = std::chrono::seconds{10});

private:
    void make(const consumer_options& options);

    std::shared_ptr<client_detail::hosted_client> host_;
    std::optional<kafkawire::consumer> consumer_;
};

}  // namespace kafkawire::blocking
