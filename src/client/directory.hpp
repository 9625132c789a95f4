// directory: the brokers that a client knows, how each of them fares, and which one gets a request. Plain decisions: no I/O, no clock.
// Owns: addresses, ids, failures and backoffs. Invariant: an index stays that broker's while it is known; one host:port is in it once.
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
    /// A connection that breaks so soon after it was made says nothing good of its broker.
    static constexpr std::chrono::milliseconds short_life{300};
    /// More than any cluster has: what else is announced is not believed.
    static constexpr std::size_t most_brokers = 4096;

    struct entry {
        std::string host;
        std::uint16_t port = 0;
        std::int32_t id = -1;
        std::string rack;
        bool bootstrap = false;
        bool gone = false;                                  // neither in the metadata nor in the bootstrap list
        bool silent = false;                                // a connection waits for an answer for too long
        int up = 0, opening = 0;                            // connections
        broker_info::status state = broker_info::status::down;
        broker_health::status health = broker_health::status::unused;
        net::time_point since{};                            // of the health
        int failures = 0;                                   // since the last connection that worked
        int short_lives = 0;                                // connections in a row that broke as soon as they were made
        std::optional<net::time_point> not_before;
        std::shared_ptr<const error> last_error;            // why it cannot be reached; null when it could the last time
        std::shared_ptr<const error> last_trouble;          // the last connection that failed or broke, ever,
        std::optional<net::time_point> troubled_at;         // ... and when
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
    /// For a request to any broker: one that is up, else one that is opening, else the one with the fewest failures; one that is silent only
    /// when there is no other; never one that was tried.
    [[nodiscard]] std::optional<std::size_t> choose(std::span<const std::size_t> tried) noexcept;
    /// choose() would find one.
    [[nodiscard]] bool has_other(std::span<const std::size_t> tried) const noexcept;
    /// And one that may well answer: its last connection worked, or there was none yet, and it is not silent.
    [[nodiscard]] bool has_other_well(std::span<const std::size_t> tried) const noexcept;
    /// Some broker is silent.
    [[nodiscard]] bool any_silent() const noexcept;
    [[nodiscard]] bool fresh(net::time_point now, std::chrono::milliseconds max_age) const noexcept { return learned_at_ && now - *learned_at_ < max_age; }

    void opening(std::size_t at, net::time_point now);
    void ready(std::size_t at, net::time_point now);
    void silent(std::size_t at, bool yes, net::time_point now) noexcept;
    /// A connection ended, that was up for `lived`. One that never worked makes the next one wait: the pause doubles and is spread by a fifth.
    /// One that had worked and is cut is replaced without a pause, unless that happens twice in a row as soon as it is made.
    void closed(std::size_t at, const error& why, bool was_up, std::chrono::nanoseconds lived, net::time_point now, std::uint64_t random);
    /// We closed one ourselves.
    void let_go(std::size_t at, bool was_up, net::time_point now);
    /// What the metadata says now. Returns the entries whose connections are of no use any more.
    std::vector<std::size_t> learn(const std::vector<learned>& brokers, net::time_point now);
    /// Where one broker is, from elsewhere than a Metadata answer.
    void learn_one(const learned& broker);
    /// A known broker could be reached last before that time, and none since; nothing while one is up.
    [[nodiscard]] std::optional<net::time_point> alone_since() const noexcept { return alone_since_; }
    /// These are the bootstrap brokers from now on; those before leave at the next rebootstrap().
    void set_bootstrap(const std::vector<bootstrap_address>& list);
    /// Begins again from the bootstrap list (KIP-899). Returns the entries that are known no more.
    std::vector<std::size_t> rebootstrap(net::time_point now);

private:
    std::size_t at_address(std::string_view host, std::uint16_t port);
    void back_off(entry& e, int failures_before, net::time_point now, std::uint64_t random);
    static void set_state(entry& e, net::time_point now) noexcept;

    std::vector<entry> entries_;
    backoff_settings backoff_;
    std::size_t turn_ = 0;                                  // requests to any broker take turns among equals
    std::optional<net::time_point> learned_at_;
    std::optional<net::time_point> alone_since_;
};

}  // namespace kafkawire::client_detail
