#include "embedded.hpp"

#include <kafkawire/broker.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <future>
#include <thread>

namespace differential {

namespace {

// What Kafka was started with when it was recorded: see `record`.
kw::broker::options as_recorded() {
    kw::broker::options o;
    o.configs = {{"group.initial.rebalance.delay.ms", "0"}, {"group.consumer.assignment.interval.ms", "0"}};
    return o;
}

}  // namespace

struct embedded_broker::running {
    asio::io_context io{1};
    kw::broker::cluster kafka{io, as_recorded()};
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

std::string embedded_broker::bootstrap() const { return running_->bootstrap; }

}  // namespace differential
