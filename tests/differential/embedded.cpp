#include "embedded.hpp"

#include <kafkawire/broker.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <future>
#include <thread>

namespace differential {

struct embedded_broker::running {
    asio::io_context io{1};
    kw::broker::cluster kafka{io, {}};
    std::string bootstrap;
    std::thread thread;
};

embedded_broker::embedded_broker() : running_{std::make_unique<running>()} {
    if (const auto ec = running_->kafka.start()) throw std::runtime_error("the embedded broker does not start: " + ec.message());
    running_->bootstrap = running_->kafka.bootstrap();
    running_->thread = std::thread{[this] { running_->io.run(); }};
}

embedded_broker::~embedded_broker() {
    asio::post(running_->io, [this] {
        running_->kafka.close();
        running_->io.stop();
    });
    running_->thread.join();
}

std::string embedded_broker::bootstrap() const {
    return running_->bootstrap;
}

}  // namespace differential
