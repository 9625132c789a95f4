// Who finds the brokers of a service where a configuration has no list of them: discover= and namespace= of an address, and the options of these
// names in every other dialect. A name stands for a function; two are here already, and a program registers its own before it makes clients:
//
//   kw::config::register_discovery("polaris", [](const kw::config::service_name& s) { return my_polaris.instances(s.name_space, s.name); });
//   auto s = kw::config::read_consumer_address("orders?topics=paid&group=billing&discover=polaris&namespace=Development");
//   kw::client client{io, s.consumers.at("").client};           // asks it
//
// dns    host:port, or several with commas between: each connection looks the host up anew (A and AAAA) and tries all its addresses. The namespace
//        is the domain: service kafka:9092 and namespace prod.example.org are kafka.prod.example.org:9092.
// file   A file that lists brokers, with commas, blanks or lines between; '#' begins a comment. The namespace is the folder it lies in. It is read again
//        when none of the brokers can be reached.
#pragma once
#include <kafkawire/version.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::inline v0_1 {
namespace config {

/// What is looked for.
struct service_name {
    std::string name;
    std::string name_space;      ///< may be empty
};

/// Finds the brokers of a service: "host:port,host2:port". Called when a client is made, and at most once a second while none of the brokers can be
/// reached, on that client's executor: for so long as it takes nothing else happens there. Called from as many threads as there are such clients.
/// What it throws is told when a client is made, and means later that nothing has changed.
using discovery = std::function<std::string(const service_name&)>;

/// From now on `discover=name` asks that function, in the whole process. Replaces one of the same name. Throws std::invalid_argument for a name that is
/// empty or has a slash in it. Thread-safe.
KAFKAWIRE_API void register_discovery(std::string name, discovery find);
/// Those that there are, sorted. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::vector<std::string> discovery_names();

/// The bootstrap address that stands for this: "discover:NAME/NAMESPACE/SERVICE". Whoever has read a configuration finds it in client_options::bootstrap.
/// A name that nobody has registered when a client is made is errc::bad_configuration then. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::string discovery_address(std::string_view name, std::string_view service, std::string_view name_space = {});

}  // namespace config
}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
