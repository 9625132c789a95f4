#include <kafkawire/assignor.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <stdexcept>

#include "group/assignors.hpp"

namespace kafkawire::inline v0_1 {

namespace group {
namespace {

struct built_in_assignor {
    std::string_view name;
    std::unique_ptr<assignor> (*make)();
};
constexpr built_in_assignor built_in_assignors[] = {
    {"range", make_range_assignor},
    {"roundrobin", make_round_robin_assignor},
    {"sticky", make_sticky_assignor},
    {"cooperative-sticky", make_cooperative_sticky_assignor},
};

const built_in_assignor* find_built_in(std::string_view name) noexcept {
    for (const auto& b : built_in_assignors)
        if (b.name == name) return &b;
    return nullptr;
}

struct assignor_registry {
    std::mutex lock;
    std::map<std::string, assignor_factory, std::less<>> made;
};
assignor_registry& registered_assignors() {
    static assignor_registry r;
    return r;
}

}  // namespace
}  // namespace group

void register_assignor(std::string name, assignor_factory make) {
    if (name.empty() || !make) throw std::invalid_argument{"kafkawire::register_assignor: a name and a factory are needed"};
    if (group::find_built_in(name)) throw std::invalid_argument{"kafkawire::register_assignor: " + name + " is a name of the library's own"};
    auto& r = group::registered_assignors();
    const std::lock_guard hold{r.lock};
    r.made.insert_or_assign(std::move(name), std::move(make));
}

std::vector<std::string> assignor_names() {
    std::vector<std::string> names;
    for (const auto& b : group::built_in_assignors) names.emplace_back(b.name);
    auto& r = group::registered_assignors();
    {
        const std::lock_guard hold{r.lock};
        for (const auto& [name, make] : r.made) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::unique_ptr<assignor> make_assignor(std::string_view name) {
    if (const auto* b = group::find_built_in(name)) return b->make();
    assignor_factory make;
    {
        auto& r = group::registered_assignors();
        const std::lock_guard hold{r.lock};
        const auto found = r.made.find(name);
        if (found == r.made.end()) return nullptr;
        make = found->second;
    }
    return make();
}

}  // namespace kafkawire::inline v0_1
