// Discovery: names for functions that find brokers, behind the bootstrap scheme "discover".
#include <kafkawire/config/discovery.hpp>

#include <kafkawire/bootstrap.hpp>
#include <kafkawire/options.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <stdexcept>

namespace kafkawire::inline v0_1 {
namespace config {

namespace {

constexpr std::size_t largest_list = 1 << 16;

// The list with nothing but commas between its hosts.
std::string tidy_list(std::string_view text) {
    std::string s;
    bool comment = false, between = false;
    for (const char c : text) {
        if (c == '\n') comment = false;
        if (c == '#') comment = true;
        if (comment || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',') {
            between = true;
            continue;
        }
        if (between && !s.empty()) s += ',';
        between = false;
        s += c;
    }
    return s;
}

std::string in_file(const service_name& of) {
    const auto path = of.name_space.empty() ? of.name : of.name_space + (of.name_space.ends_with('/') ? "" : "/") + of.name;
    std::ifstream file{path, std::ios::binary};
    std::string text;
    if (file) {
        text.resize(largest_list + 1);
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    }
    if (!file.eof()) throw std::runtime_error{text.size() > largest_list ? path + " is larger than 64 KiB" : path + " cannot be read"};
    return text;
}

// The names are looked up where connections are made.
std::string in_dns(const service_name& of) {
    if (of.name_space.empty()) return of.name;
    std::vector<bootstrap_address> hosts;
    if (const auto wrong = parse_bootstrap(of.name, hosts); !wrong.empty()) return of.name;
    std::string all;
    for (const auto& h : hosts) all += (all.empty() ? "" : ",") + h.host + '.' + of.name_space + ':' + std::to_string(h.port);
    return all;
}

class directory_of_functions {
public:
    directory_of_functions() : all_{{"dns", in_dns}, {"file", in_file}} {}
    void put(std::string name, discovery find) {
        const std::lock_guard hold{lock_};
        all_[std::move(name)] = std::move(find);
    }
    [[nodiscard]] discovery get(std::string_view name) const {
        const std::lock_guard hold{lock_};
        const auto at = all_.find(name);
        return at == all_.end() ? discovery{} : at->second;
    }
    [[nodiscard]] std::vector<std::string> names() const {
        const std::lock_guard hold{lock_};
        std::vector<std::string> s;
        for (const auto& [name, find] : all_) s.push_back(name);
        return s;
    }

private:
    mutable std::mutex lock_;
    std::map<std::string, discovery, std::less<>> all_;
};
directory_of_functions& functions() {
    static directory_of_functions one;
    return one;
}

// A slash in a part would end it.
std::string with_slashes_hidden(std::string_view text) {
    std::string s;
    for (const char c : text) {
        if (c == '/') s += "%2F";
        else if (c == '%') s += "%25";
        else s += c;
    }
    return s;
}
std::string with_slashes(std::string_view text) {
    std::string s;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto code = text.substr(i, 3);
        if (code == "%2F" || code == "%25") s += code == "%2F" ? '/' : '%', i += 2;
        else s += text[i];
    }
    return s;
}

struct looked_for {
    std::string by;
    service_name what;
};
std::optional<looked_for> take_address_apart(std::string_view rest) {
    const auto first = rest.find('/');
    const auto second = first == rest.npos ? first : rest.find('/', first + 1);
    if (first == 0 || second == rest.npos || second + 1 == rest.size()) return {};
    return looked_for{std::string{rest.substr(0, first)}, {with_slashes(rest.substr(second + 1)), with_slashes(rest.substr(first + 1, second - first - 1))}};
}

[[noreturn]] void refuse_discovery(std::string text, std::string hint) {
    error e;
    e.code = errc::bad_configuration;
    e.text = std::move(text);
    e.hint = std::move(hint);
    throw system_error{std::move(e)};
}

class discovery_scheme final : public net::bootstrap_scheme {
public:
    std::string check(std::string_view rest) const override { return take_address_apart(rest) ? "" : "discover:NAME/NAMESPACE/SERVICE would be right; the namespace may be empty"; }

    net::bootstrap_lease open(std::string_view rest, const asio::any_io_executor&, const std::shared_ptr<net::environment>&) override {
        const auto wanted = take_address_apart(rest);
        if (!wanted) refuse_discovery("bootstrap: " + check(rest), {});
        const auto find = functions().get(wanted->by);
        if (!find) {
            const auto names = functions().names();
            const std::vector<std::string_view> views{names.begin(), names.end()};
            std::string known;
            for (const auto& n : names) known += (known.empty() ? "" : ", ") + n;
            const auto nearest = nearest_name(views, wanted->by);
            refuse_discovery("discover is \"" + wanted->by + "\", and nobody has registered that: there are " + known,
                             nearest.empty() ? "the program registers it with kw::config::register_discovery()" : "did you mean " + std::string{nearest} + "?");
        }
        std::string found, wrong;
        try {
            found = tidy_list(find(wanted->what));
            std::vector<bootstrap_address> ignored;
            wrong = found.empty() ? "it has no brokers" : parse_bootstrap(found, ignored);
        } catch (const std::exception& e) {
            wrong = e.what();
        }
        if (!wrong.empty()) refuse_discovery("service " + wanted->what.name + (wanted->what.name_space.empty() ? "" : " of " + wanted->what.name_space) + " cannot be found by " + wanted->by + ": " + wrong, {});
        return {std::move(found), nullptr, [find, what = wanted->what]() -> std::string {
                    try {
                        return tidy_list(find(what));
                    } catch (const std::exception&) {
                        return {};
                    }
                }};
    }
};

void register_discovery_scheme() {
    static const bool once = (net::register_bootstrap_scheme("discover", std::make_shared<discovery_scheme>()), true);
    static_cast<void>(once);
}

}  // namespace

void register_discovery(std::string name, discovery find) {
    if (name.empty() || name.find('/') != std::string::npos) throw std::invalid_argument{"kw::config::register_discovery: a name has at least one character, and no slash"};
    register_discovery_scheme();
    functions().put(std::move(name), std::move(find));
}

std::vector<std::string> discovery_names() { return functions().names(); }

std::string discovery_address(std::string_view name, std::string_view service, std::string_view name_space) {
    register_discovery_scheme();
    return "discover:" + with_slashes_hidden(name) + '/' + with_slashes_hidden(name_space) + '/' + with_slashes_hidden(service);
}

}  // namespace config
}  // namespace kafkawire::inline v0_1
