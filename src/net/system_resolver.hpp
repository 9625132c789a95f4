// system_resolver: what /etc/hosts and /etc/resolv.conf say, without a thread. The driver of resolver_fsm.
// Both files are read for every lookup, so that a change is seen by the next connection and nothing stale is kept.
// Not consulted: nsswitch.conf and its modules (mDNS, LDAP). Who needs these gives the client a resolver of their own.
#pragma once
#include <kafkawire/environment.hpp>

namespace kafkawire::net {

class system_resolver final : public resolver {
public:
    struct files {
        std::string hosts = "/etc/hosts";
        std::string resolv_conf = "/etc/resolv.conf";
        std::uint16_t port = 53;  // of the name servers
    };
    /// `env` must outlive it.
    explicit system_resolver(environment& env) : system_resolver{env, files{}} {}
    system_resolver(environment& env, files where) : env_{env}, files_{std::move(where)} {}
    [[nodiscard]] std::unique_ptr<lookup> async_resolve(std::string_view host, handler done) override;

private:
    environment& env_;
    files files_;
};

}  // namespace kafkawire::net
