// directory: the brokers that a client knows, how each of them fares, and which one gets a request. Plain decisions: no I/O, no clock.
// Owns: addresses, ids, failures and backoffs. Invariant: an index stays that broker's for the client's life; one host:port is in it once.
// The bootstrap brokers stay in it for ever: when all others are gone, the cluster is found again through them.
#pragma once
#include <kafkawire/client.hpp>

namespace kafkawire::client_detail {

struct backoff_settings {
    std::chrono::milliseconds first{50};
    std::chrono::milliseconds most{1'000};
};

class directory {
public:
    struct entry {
        std::string host;
        std::uint16_t port = 0;
        std::int32_t id = -1;
        std::string rack;
        bool bootstrap = false;
        bool gone = false;                                  // neither in the metadata nor in the bootstrap list
        broker_info::status state = broker_info::status::down;
        int failures = 0;                                   // since the last connection that worked
        std::optional<net::time_point> not_before;
        std::shared_ptr<const error> last_error;
    };
    struct learned {
        std::int32_t id;
        std::string host;
        std::uint16_t port;
        std::string rack;
    };

    directory(const std::vector<bootstrap_address>& bootstrap, backoff_settings b, std::uint64_t random);

    [[nodiscard]] const std::vector<entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] std::optional<std::size_t> find(std::int32_t id) const noexcept;
    /// For a request to any broker: one that is up, else one that is opening, else the one with the fewest failures; never one that was tried.
    [[nodiscard]] std::optional<std::size_t> choose(std::span<const std::size_t> tried) noexcept;
    [[nodiscard]] bool fresh(net::time_point now, std::chrono::milliseconds max_age) const noexcept { return learned_at_ && now - *learned_at_ < max_age; }

    void opening(std::size_t at) { entries_[at].state = broker_info::status::opening; }
    void ready(std::size_t at);
    /// A connection ended. One that never worked makes the next one wait: the pause doubles and is spread by a fifth.
    void closed(std::size_t at, const error& why, bool was_ready, net::time_point now, std::uint64_t random);
    /// What the metadata says now. Returns the entries whose connections are of no use any more.
    std::vector<std::size_t> learn(const std::vector<learned>& brokers, net::time_point now);

private:
    std::size_t at_address(std::string_view host, std::uint16_t port);

    std::vector<entry> entries_;
    backoff_settings backoff_;
    std::size_t turn_ = 0;                                  // requests to any broker take turns among equals
    std::optional<net::time_point> learned_at_;
};

}  // namespace kafkawire::client_detail
