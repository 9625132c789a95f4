// core: the driver of kw::client. Gives each broker of the directory a connection and each request a broker; decides nothing that the
// directory or the connection machine could decide. Knows no Asio but the executor that handlers run on.
#pragma once
#include <kafkawire/client.hpp>

#include "client/directory.hpp"
#include "net/connection.hpp"

namespace kafkawire::client_detail {

class routed_call;

class core : public std::enable_shared_from_this<core> {
public:
    core(asio::any_io_executor executor, client_options options, const std::vector<bootstrap_address>& bootstrap, std::shared_ptr<net::environment> env,
         std::shared_ptr<net::resolver> names);

    void close();
    /// Lets go of it when it is closed.
    void hold(std::shared_ptr<const void> what) { held_ = std::move(what); }

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] const client_options& options() const noexcept { return options_; }
    [[nodiscard]] const directory& brokers() const noexcept { return directory_; }
    [[nodiscard]] net::environment& env() noexcept { return *env_; }

private:
    friend class routed_call;

    void route(const std::shared_ptr<routed_call>& c);
    void send(std::size_t broker, const std::shared_ptr<routed_call>& c);
    net::connection& connection_to(std::size_t broker);
    void learn(const protocol::messages::metadata_response& m);
    void refresh();
    void refreshed(const error& why);
    void wait_for_brokers(const std::shared_ptr<routed_call>& c);
    void set_timer();
    void expire();

    asio::any_io_executor executor_;
    client_options options_;
    std::shared_ptr<net::environment> env_;
    std::shared_ptr<net::resolver> names_;                  // null: the environment's
    directory directory_;
    std::vector<std::shared_ptr<net::connection>> connections_;  // by the directory's index; null: none
    std::vector<std::shared_ptr<routed_call>> waiting_;     // for metadata, because their broker is not known
    std::unique_ptr<net::timer> timer_;                     // of waiting_
    std::shared_ptr<const void> held_;                      // what the bootstrap address needs to be good
    bool refreshing_ = false;
    bool closed_ = false;
};

/// One operation on its way: to a broker, perhaps to another one, and back.
class routed_call final : public net::call, public begun, public std::enable_shared_from_this<routed_call> {
public:
    routed_call(std::shared_ptr<core> c, std::unique_ptr<operation> what);

    protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) override;
    void done(net::outcome result) override;
    void go() override;
    void cancel() override;
    void finish(error why, answer_info info = {});

private:
    friend class core;

    [[nodiscard]] error read_answer(const net::outcome& result);
    [[nodiscard]] bool may_go_elsewhere(const net::outcome& result) const;

    std::shared_ptr<core> core_;
    std::unique_ptr<operation> operation_;                  // null: told
    std::vector<std::size_t> tried_;                        // of the directory, in order; the last one has it now
    std::vector<error> failures_;                           // one for each that failed
};

}  // namespace kafkawire::client_detail
