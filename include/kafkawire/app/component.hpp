// A component: producers, consumers and consumer servers by the names that a configuration gives them, as people have them from ekafka; with a
// configuration of addresses, from tRPC.
//
//   auto s = kw::config::read_toml(text, "app.toml");           // or read_file(), read_addresses(), ...: kafkawire::config
//   kw::app::component kafka{s, {{"my-balancer", [](const kw::partitioner_settings& p) { return kw::make_partitioner("fnv1a", p); }}}};
//
//   kafka.producer("p1").write_messages({{.key = "Key-A", .value = "Hello World!"}, {.key = "Key-B", .value = "One!"}});
//   auto m = kafka.consumer("c1").read_message();
//
//   kafka.serve("s1", kw::app::on_message([](const kw::record_view& r) { bill(r.value.text()); }));
//   kafka.on_error([](const kw::app::service_error& e) { ... });
//   kafka.stop_on_signals({SIGINT, SIGTERM});
//   kafka.run();                                                // until stop(), with what is in hand finished and committed
//
// - A configuration that says something wrong throws kw::system_error with all of it when the component is made.
// - It owns one thread, in which everything goes on, and a pool for the servers' functions (as many threads as the sum of their `parallel`, at most 64),
//   so that these may wait, and write with producer(). May be called from any number of threads; only its destruction comes after all calls.
// - Producers and consumers are made when they are asked for first, and live as long as the component.
#pragma once
#include <kafkawire/app/consumer_server.hpp>
#include <kafkawire/app/reader_writer.hpp>
#include <kafkawire/config.hpp>
#include <kafkawire/partitioner.hpp>

namespace kafkawire::inline v0_1 {
namespace app {

class KAFKAWIRE_API component {
public:
    using balancers = std::map<std::string, partitioner_factory>;

    /// `own`: partitioners by the names that the configuration uses; they become known to the whole process. Throws kw::system_error
    /// (errc::bad_configuration): what is wrong in the configuration; a balancer that nobody knows.
    explicit component(const config::settings& s, const balancers& own = {}) : component{s, own, s.error()} {}
    /// Ends at once, but for functions of the servers that run: they are waited for. See stop() and close().
    ~component();
    component(const component&) = delete;

    /// The component's own. Throws kw::system_error (errc::bad_configuration): there is none of that name, or it cannot be made as it is configured.
    [[nodiscard]] writer& producer(std::string_view name);
    [[nodiscard]] reader& consumer(std::string_view name);
    /// The names.
    [[nodiscard]] std::vector<std::string> producers() const;
    [[nodiscard]] std::vector<std::string> consumers() const;
    [[nodiscard]] const config::settings& settings() const noexcept;

    /// From run() on, what the consumer behind the server of this name reads is handled so; a consumer's own name does as well, and is then the
    /// server's. Throws kw::system_error (errc::bad_configuration): there is none of that name, the consumer has no group, a batch handler and no `batch`.
    void serve(std::string_view name, handler what);
    /// The same for all that have no handler yet: the servers, or where there are none, the consumers.
    void serve_all(const handler& what);
    /// Told of what goes wrong with any of them, in the component's thread: it must not wait, nor call what waits (producer().write_messages(), ...).
    /// Replaces the function before.
    void on_error(std::function<void(const service_error&)> what);
    /// Stops the servers when the process gets one of these signals; a second one has the default effect. Before run(). Throws std::system_error for
    /// what is no signal.
    void stop_on_signals(std::vector<int> signals);
    /// Runs the servers until the last one has ended: after stop(), with what was in hand finished and committed. Once. Throws the first error that
    /// stopped one; the others have gone on.
    void run();
    /// Any thread, and functions of the servers; also before run(), which ends at once then.
    void stop();
    /// What a server has done so far, and what it holds; nothing if there is none of that name.
    [[nodiscard]] std::optional<service_statistics> statistics(std::string_view server);
    [[nodiscard]] std::optional<session> session_of(std::string_view server);

    /// Waits until what producers have accepted is settled, so long each, and has the consumers leave their groups. How many messages are left. Calls
    /// of theirs that come later throw errc::client_closed. Servers end by stop().
    std::size_t close(std::chrono::milliseconds patience = std::chrono::seconds{10});

private:
    component(const config::settings& s, const balancers& own, error wrong);

    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace app
}  // namespace kafkawire::inline v0_1
