// The control socket of `kafka-cli broker`: a Unix socket on which verbs come and answers go, one JSON object a line.
#pragma once
#include <kafkawire/broker.hpp>

#include <asio/io_context.hpp>

#include <memory>
#include <string>

namespace kafkawire::cli {

/// Listens while it lives, on the cluster's own event loop; any number of clients at a time. A client that reads too slowly to be told what it
/// observes is cut off. Everything ends, and the file goes, with it. Throws a failure if the path cannot be listened on.
class broker_socket {
public:
    broker_socket(asio::io_context& io, broker::cluster& of, std::string path);
    ~broker_socket();

private:
    class listener;
    std::shared_ptr<listener> listener_;
};

}  // namespace kafkawire::cli
