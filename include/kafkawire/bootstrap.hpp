// Bootstrap addresses that are no list of hosts: "embedded:3?topics=a:6". What such an address means is known to whoever registers its scheme;
// the client knows the scheme's name only.
#pragma once
#include <kafkawire/environment.hpp>

#include <asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace kafkawire::net {

/// What an address came to, for one client.
struct bootstrap_lease {
    std::string servers;               ///< host:port,...
    std::shared_ptr<const void> keep;  ///< let go when the client is closed
    /// What `servers` would be now; empty: nobody knows, or as before. Called on the client's executor while none of its brokers can be reached, at most
    /// once a second. It must not throw. Empty: the list never changes.
    std::function<std::string()> again{};
};

/// A kind of address. check() may be called from any thread; open() on the executor of the client that asks.
class bootstrap_scheme {
public:
    virtual ~bootstrap_scheme() = default;
    /// What is wrong with the part behind the colon, for a person; empty: nothing.
    [[nodiscard]] virtual std::string check(std::string_view rest) const = 0;
    /// `world`: the environment that the client was given; null: Asio's on `executor`. Throws kw::system_error.
    [[nodiscard]] virtual bootstrap_lease open(std::string_view rest, const asio::any_io_executor& executor, const std::shared_ptr<environment>& world) = 0;
};

/// From now on addresses that begin with `name` and a colon are of that scheme, in the whole process. Replaces one of the same name. Thread-safe.
KAFKAWIRE_API void register_bootstrap_scheme(std::string name, std::shared_ptr<bootstrap_scheme> scheme);
/// The scheme of an address, and the part behind its colon; null: it has none that is registered. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::shared_ptr<bootstrap_scheme> find_bootstrap_scheme(std::string_view address, std::string_view& rest);

}  // namespace kafkawire::net
