#include <kafkawire/bootstrap.hpp>

#include <map>
#include <mutex>

namespace kafkawire::net {
namespace {

struct table {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<bootstrap_scheme>, std::less<>> schemes;
};

// Never destroyed: a client that is a global object may ask after everything else has gone.
table& all() {
    static auto* t = new table;
    return *t;
}

}  // namespace

void register_bootstrap_scheme(std::string name, std::shared_ptr<bootstrap_scheme> scheme) {
    const std::lock_guard lock{all().mutex};
    all().schemes.insert_or_assign(std::move(name), std::move(scheme));
}

std::shared_ptr<bootstrap_scheme> find_bootstrap_scheme(std::string_view address, std::string_view& rest) {
    const auto colon = address.find(':');
    if (colon == std::string_view::npos) return nullptr;
    const std::lock_guard lock{all().mutex};
    const auto found = all().schemes.find(address.substr(0, colon));
    if (found == all().schemes.end()) return nullptr;
    rest = address.substr(colon + 1);
    return found->second;
}

}  // namespace kafkawire::net
