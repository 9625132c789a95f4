// What `kafka-cli doctor` makes of what it has seen: pure functions from facts to findings. Nothing here does I/O.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/options.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace kafkawire::cli {

enum class diagnosis : std::uint8_t {
    well,
    doubtful,   ///< it works, and somebody should know something about it
    ill,
    left_out,   ///< not asked for, or of no use after what came before
};

/// One line of the report.
struct finding {
    std::string step;                   ///< "resolve", "connect", "tls", "sasl", "versions", "metadata", "listener", "create", "produce", "fetch", "delete"
    std::string about;                  ///< "localhost:9092", "broker 2 at kafka-2:9092"; may be empty
    diagnosis how = diagnosis::well;
    std::string what;                   ///< one sentence without a full stop
    std::string why;                    ///< what led to it; may be empty
    std::vector<std::string> advice{};  ///< what to try, most likely first
    std::chrono::milliseconds took{-1}; ///< -1: it took no time of its own
};
[[nodiscard]] inline bool is_ill(const std::vector<finding>& all) noexcept {
    for (const auto& f : all)
        if (f.how == diagnosis::ill) return true;
    return false;
}

/// Where a listener is said to be.
struct listener_place {
    std::string host;
    std::uint16_t port = 0;
    std::int32_t node = -1;             ///< the broker that is said to be there; -1: it is of the bootstrap list
    std::string bootstrap_host{};       ///< of the listener that said so; empty: of the bootstrap list
};
/// "kafka-2:9092", "[::1]:9092"
[[nodiscard]] std::string name_of(const listener_place& p);
/// Of a name or an address: this machine itself.
[[nodiscard]] bool is_loopback(std::string_view host) noexcept;

/// What a resolver says of a name.
struct name_facts {
    std::string text;                   ///< why there are no addresses
    std::vector<net::ip_address> addresses;
};
[[nodiscard]] finding judge_name(const listener_place& p, const name_facts& f);

/// What became of a connection to one address.
struct connect_facts {
    net::endpoint to;
    std::error_code why;                ///< none: it was made
};
[[nodiscard]] finding judge_connection(const listener_place& p, const std::vector<connect_facts>& tried);

/// What became of a client's first requests there.
struct contact_facts {
    error why;                          ///< of the first request; none: it was answered
    bool plain_works = false;           ///< asked once more where it failed: Kafka over plain text
    bool tls_works = false;             ///< ... over TLS, whoever has the certificate
    std::size_t apis = 0, common = 0;   ///< that the broker offers, and that we speak too
    std::string release;                ///< what its APIs tell of its age: "4.0 or later"; empty: nothing
};
/// "tls", "versions" and "sasl", as far as it went.
[[nodiscard]] std::vector<finding> judge_contact(const listener_place& p, const contact_facts& f, const client_options& o);

/// What the cluster says of itself.
struct cluster_facts {
    error why;
    std::string cluster_id;
    std::size_t brokers = 0;
    std::int32_t controller = -1;
};
[[nodiscard]] finding judge_metadata(const listener_place& p, const cluster_facts& f, const client_options& o);

/// A listener that the cluster tells clients to come to: what was found on the way there, in one.
[[nodiscard]] finding judge_listener(const listener_place& p, const std::vector<finding>& on_the_way, const std::string& cluster_id, const std::string& cluster_there);

/// The scratch topic: each step by the error that it ended with.
[[nodiscard]] finding judge_scratch(std::string step, const std::string& topic, const error& why);

/// The oldest Kafka release that has all of what a broker offers, as people call it, by the highest versions of some APIs.
[[nodiscard]] std::string release_of(std::int16_t highest_fetch, std::int16_t highest_produce);

}  // namespace kafkawire::cli
