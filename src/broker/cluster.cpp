#include <kafkawire/asio_environment.hpp>

#include "broker/cluster_driver.hpp"

namespace kafkawire::broker {

cluster::cluster(asio::any_io_executor executor, const broker::options& o) : cluster{{net::make_asio_environment(std::move(executor))}, o} {}

cluster::cluster(std::vector<std::shared_ptr<net::environment>> of_nodes, const broker::options& o) {
    const auto refuse = [](std::string text) { throw system_error{error{.code = errc::bad_configuration, .text = std::move(text)}}; };
    if (o.nodes < 1 || o.nodes > 1000) refuse("an embedded cluster has 1 to 1000 nodes, not " + std::to_string(o.nodes));
    if (!find_kafka_release(o.as_version)) {
        std::string known;
        for (const auto& r : kafka_releases()) known += (known.empty() ? "" : ", ") + std::string{r.name};
        refuse("an embedded cluster can pass for Kafka " + known + ", not '" + o.as_version + "'");
    }
    if (of_nodes.empty()) refuse("an embedded cluster needs an environment");
    if (const auto wrong = refuse_security(o); !wrong.empty()) refuse(wrong);
    driver_ = std::make_shared<driver>(std::move(of_nodes), o);
}

cluster::~cluster() {
    if (driver_) driver_->close();
}
cluster::cluster(cluster&&) noexcept = default;
cluster& cluster::operator=(cluster&& other) noexcept {
    if (this != &other) {
        if (driver_) driver_->close();
        driver_ = std::move(other.driver_);
    }
    return *this;
}

std::error_code cluster::start() { return driver_->start(); }
std::string cluster::bootstrap() const { return driver_->bootstrap(); }
void cluster::watch(watcher what) { driver_->watch(std::move(what)); }
broker::control cluster::control() { return broker::control{driver_}; }
void cluster::close() { driver_->close(); }

}  // namespace kafkawire::broker
