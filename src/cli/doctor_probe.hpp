// What `kafka-cli doctor` looks at, one thing at a time: names, connections, first requests. Facts only; doctor_findings.hpp says what they mean.
#pragma once
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include "cli/doctor_findings.hpp"

namespace kafkawire::cli {

/// Belongs to one event loop. Each look takes at most about `patience`.
class prober {
public:
    prober(asio::io_context& io, client_options options, std::chrono::milliseconds patience);

    asio::awaitable<name_facts> look_up(std::string host);
    /// One address after the other, until one takes the connection; it is closed again.
    asio::awaitable<std::vector<connect_facts>> connect(std::vector<net::ip_address> addresses, std::uint16_t port);
    /// As the options say; where that fails, as other listeners would have it, without showing who we are.
    asio::awaitable<contact_facts> contact(listener_place p);

    struct cluster_answer {
        cluster_facts facts;
        std::vector<listener_place> listeners;
    };
    asio::awaitable<cluster_answer> metadata(listener_place p);

    [[nodiscard]] const client_options& options() const noexcept { return options_; }
    [[nodiscard]] std::chrono::milliseconds patience() const noexcept { return patience_; }

private:
    [[nodiscard]] client_options options_for(const listener_place& p) const;
    asio::awaitable<bool> answers(client_options o);

    asio::io_context& io_;
    client_options options_;
    std::chrono::milliseconds patience_;
    std::shared_ptr<net::environment> world_;
};

}  // namespace kafkawire::cli
