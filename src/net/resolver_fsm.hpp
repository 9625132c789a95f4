// resolver_fsm: one host name to its addresses over DNS.
// Owns: which name of the search list is asked for, which server is asked for A and for AAAA, for how long.
// Never: opens a socket, reads a file or a clock, believes an answer to another question, waits without a limit.
// Driver: system_resolver.cpp.
//
// A and AAAA are asked for at the same time, each from a socket of its own. Once one of them brought addresses the other has 50 ms left
// (RFC 8305, 3): a name server that swallows AAAA must not cost every connection its timeout.
#pragma once
#include "net/dns.hpp"

#include <array>
#include <variant>

namespace kafkawire::net {

/// What /etc/resolv.conf says; see resolv.conf(5).
struct resolv_conf {
    std::vector<endpoint> servers;
    std::vector<std::string> search;
    int ndots = 1;
    std::chrono::milliseconds timeout{5'000};
    int attempts = 2;
};
[[nodiscard]] resolv_conf parse_resolv_conf(std::string_view text);
/// The addresses that a hosts(5) file gives for a name, in its order.
[[nodiscard]] std::vector<ip_address> find_in_hosts(std::string_view text, std::string_view name);
/// The names to ask for, in order.
[[nodiscard]] std::vector<std::string> search_list(std::string_view host, const resolv_conf& conf);

namespace resolving_host {
// What happened.
struct begin {};
struct got_reply { int query; std::span<const std::byte> message; };
struct query_failed { int query; std::string why; };
struct tick {};
using event = std::variant<begin, got_reply, query_failed, tick>;

// What the driver is to do.
struct ask { int query; endpoint server; bool tcp; std::vector<std::byte> message; };  // and listen until it is dropped
struct drop { int query; };
struct finish { resolver::answer what; };
using action = std::variant<ask, drop, finish>;
using actions = std::vector<action>;
}  // namespace resolving_host

class resolver_fsm {
public:
    /// `seed` names the queries: it must not be foreseeable.
    resolver_fsm(std::string host, resolv_conf conf, std::uint64_t seed);

    void step(const resolving_host::event& e, time_point now, resolving_host::actions& out);
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;

private:
    struct question {                                       // A or AAAA of the present name
        enum class stage { unasked, asked, settled } at = stage::unasked;
        dns::record_type type{};
        int query = -1;                                     // of the driver; -1: none open
        std::uint16_t id = 0;
        int tries = 0;
        bool tcp = false;
        time_point deadline{};
        std::vector<ip_address> found;
    };

    void on(const resolving_host::begin&, time_point now, resolving_host::actions& out);
    void on(const resolving_host::got_reply& e, time_point now, resolving_host::actions& out);
    void on(const resolving_host::query_failed& e, time_point now, resolving_host::actions& out);
    void on(const resolving_host::tick&, time_point now, resolving_host::actions& out);
    void next_name(time_point now, resolving_host::actions& out);
    void ask(question& q, bool tcp, time_point now, resolving_host::actions& out);
    void retry(question& q, time_point now, resolving_host::actions& out);
    void settle(question& q, time_point now, resolving_host::actions& out);
    void end(resolving_host::actions& out);
    [[nodiscard]] question* find(int query) noexcept;

    std::string host_;
    resolv_conf conf_;
    std::vector<std::string> names_;                        // still to be asked for; the present one is name_
    std::string name_;
    std::array<question, 2> questions_{};
    std::string trouble_;                                   // the last thing that went wrong
    std::uint64_t random_;
    int next_query_ = 0;
    bool finished_ = false;
};

}  // namespace kafkawire::net
