// kw::broker::cluster: a Kafka cluster inside the process, for tests, for examples and for studying the protocol. Other people's clients take
// it for Apache Kafka 4.3.
//
//   kw::broker::cluster kafka{io, {.nodes = 3, .topics = {{.name = "orders", .partitions = 6}}}};
//   if (auto ec = kafka.start()) ...
//   kw::client client{io, {.bootstrap = kafka.bootstrap()}};
//
// A cluster belongs to one executor, as a client does: use it, and destroy it, only there. It starts no thread.
#pragma once
#include <kafkawire/broker/control.hpp>
#include <kafkawire/broker/options.hpp>
#include <kafkawire/detail/asio.hpp>
#include <kafkawire/environment.hpp>
#include <kafkawire/error.hpp>

#include <memory>

namespace kafkawire::broker {

/// See the top of this file. Movable; the moved-from cluster may only be destroyed or assigned to.
class KAFKAWIRE_API cluster {
public:
    /// Nothing listens yet. Throws kw::system_error (errc::bad_configuration) for an option that is out of range.
    explicit cluster(asio::any_io_executor executor, const broker::options& o = {});
    /// The same, on the executor of an io_context or the like.
    template <class Context>
        requires requires(Context& c) { asio::any_io_executor{c.get_executor()}; }
    explicit cluster(Context& context, const broker::options& o = {}) : cluster{asio::any_io_executor{context.get_executor()}, o} {}
    /// In another world than Asio's: one environment for all nodes, or one for each (of hosts that are different machines there). All of them
    /// must run their callbacks on one executor.
    cluster(std::vector<std::shared_ptr<net::environment>> of_nodes, const broker::options& o);
    /// Closes all connections and gives the ports back.
    ~cluster();
    cluster(cluster&&) noexcept;
    cluster& operator=(cluster&&) noexcept;

    /// Listens on all nodes, once. Afterwards bootstrap() is known and clients are served. Errors: the system's (address in use, ...).
    [[nodiscard]] std::error_code start();
    /// "127.0.0.1:43211,127.0.0.1:43212": the nodes' addresses.
    [[nodiscard]] std::string bootstrap() const;
    /// From now on `what` is called with every request when it is decoded and every answer before it goes out, on the cluster's executor.
    void watch(watcher what);
    /// The hand on the cluster's faults, nodes, leaders and clocks. Any number of them, cheap to make and copy; without effect once the cluster is gone.
    [[nodiscard]] broker::control control();
    /// Closes all connections and stops listening. For good.
    void close();

private:
    friend class broker::control;
    class driver;
    std::shared_ptr<driver> driver_;
};

/// From now on the address "embedded:3?topics=a:6,b" is a cluster inside this process: of 3 nodes (none said: 1), with these topics. More, divided
/// by '&': seed=, as_version=, folder=, config.NAME=; security= (plaintext, ssl, sasl_plaintext, sasl_ssl), certificate=, key=, client_ca= (PEM files),
/// mechanisms= (plain,scram-sha-256,scram-sha-512,oauthbearer), users= (a file with a NAME:PASSWORD in each line), test_tokens=true (oauthbearer believes
/// every token), session_lifetime= (milliseconds). It begins with the first client that names it, on that client's executor (and in its
/// environment), is shared by all that name the same address meanwhile, and ends with the last; so the first client's executor must run as long.
/// Thread-safe; a second call does nothing more.
///
///   kw::broker::register_embedded_scheme();
///   kw::client client{io, {.bootstrap = "embedded:1?topics=orders:6"}};
KAFKAWIRE_API void register_embedded_scheme();
/// The hand on the cluster behind such an address. Nothing if no client has it open now, or if it is on another executor than `executor`.
[[nodiscard]] KAFKAWIRE_API std::optional<control> embedded_control(std::string_view address, const asio::any_io_executor& executor);

}  // namespace kafkawire::broker

namespace kw = kafkawire;
