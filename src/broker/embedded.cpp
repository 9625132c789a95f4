// The bootstrap scheme "embedded:": clusters inside the process that clients find by their address.
#include <kafkawire/bootstrap.hpp>
#include <kafkawire/broker.hpp>

#include <asio/post.hpp>

#include <map>
#include <mutex>

#include "broker/embedded_address.hpp"

namespace kafkawire::broker {
namespace {

struct hosted {
    broker::cluster cluster;
    asio::any_io_executor executor;
    std::string servers{};  // as they were from the start, for clients on other threads
};

// One client's share. A cluster is used and destroyed on its executor only, so a share of another executor's client goes home to be let go.
struct share {
    share(std::shared_ptr<hosted> h, asio::any_io_executor of_client) : cluster{std::move(h)}, executor{std::move(of_client)} {}
    share(const share&) = delete;
    share& operator=(const share&) = delete;
    ~share() {
        const auto home = cluster->executor;
        if (executor != home) asio::post(home, [c = std::move(cluster)] {});
    }
    std::shared_ptr<hosted> cluster;
    asio::any_io_executor executor;
};

class embedded_scheme final : public net::bootstrap_scheme {
public:
    std::string check(std::string_view rest) const override {
        std::string wrong;
        static_cast<void>(parse_embedded_address(rest, wrong));
        return wrong;
    }
    net::bootstrap_lease open(std::string_view rest, const asio::any_io_executor& executor, const std::shared_ptr<net::environment>& world) override {
        // Held while a cluster is made, so that two clients that come at once do not make two.
        const std::lock_guard lock{mutex_};
        auto& known = clusters_[std::string{rest}];
        auto here = known.lock();
        if (!here) {
            here = make(rest, executor, world);
            known = here;
        }
        auto servers = here->servers;
        return {std::move(servers), std::make_shared<const share>(std::move(here), executor)};
    }
    std::optional<control> control_of(std::string_view rest, const asio::any_io_executor& executor) {
        const std::lock_guard lock{mutex_};
        const auto found = clusters_.find(rest);
        const auto here = found == clusters_.end() ? nullptr : found->second.lock();
        if (!here || here->executor != executor) return {};
        return here->cluster.control();
    }

private:
    static std::shared_ptr<hosted> make(std::string_view rest, const asio::any_io_executor& executor, const std::shared_ptr<net::environment>& world) {
        std::string wrong;
        const auto address = parse_embedded_address(rest, wrong);
        if (!address) throw system_error{error{.code = errc::bad_configuration, .text = wrong}};
        auto o = address->options;
        if (const auto why = read_listener(address->listener, o.security); !why.empty()) throw system_error{error{.code = errc::bad_configuration, .text = "embedded: " + why}};
        auto made = std::make_shared<hosted>(hosted{world ? broker::cluster{{world}, o} : broker::cluster{executor, o}, executor});
        if (const auto ec = made->cluster.start()) throw system_error{error{.code = ec, .text = "the embedded cluster cannot listen"}};
        made->servers = made->cluster.bootstrap();
        return made;
    }

    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<hosted>, std::less<>> clusters_;
};

embedded_scheme& scheme() {
    static const auto one = std::make_shared<embedded_scheme>();
    static const bool registered = (net::register_bootstrap_scheme("embedded", one), true);
    static_cast<void>(registered);
    return *one;
}

}  // namespace

void register_embedded_scheme() { static_cast<void>(scheme()); }

std::optional<control> embedded_control(std::string_view address, const asio::any_io_executor& executor) {
    constexpr std::string_view prefix = "embedded:";
    if (!address.starts_with(prefix)) return {};
    return scheme().control_of(address.substr(prefix.size()), executor);
}

}  // namespace kafkawire::broker
