#include "client/partitioner.hpp"

#include <kafkawire/options.hpp>
#include <kafkawire/producer_options.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace kafkawire::client_detail {

namespace {

constexpr auto crc32_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        auto rest = i;
        for (int bit = 0; bit < 8; ++bit) rest = rest & 1 ? rest >> 1 ^ 0xedb88320u : rest >> 1;
        table[i] = rest;
    }
    return table;
}();

// The first available partition from `from` on, round the end; `from` itself if none is.
std::int32_t available_from(const partition_context& c, std::int32_t from) noexcept {
    for (std::int32_t i = 0; i < c.partitions; ++i)
        if (const auto p = static_cast<std::int32_t>((std::int64_t{from} + i) % c.partitions); c.available(p)) return p;
    return from;
}

// A key's hash by one of three functions, and for the others the sticky partition.
template <std::int32_t (*Hash)(protocol::bytes_view, std::int32_t) noexcept, bool EmptyIsNone>
class by_hash final : public partitioner {
public:
    explicit by_hash(const partitioner_settings& s) : sticky_{s.sticky_bytes, s.seed} {}
    std::int32_t choose(const partition_context& c) override {
        const bool none = c.key.is_null() || (EmptyIsNone && c.key.size() == 0);
        return none ? sticky_.choose(c) : Hash(c.key.view(), c.partitions);
    }
    void appended(std::int32_t partition, std::size_t bytes) override { sticky_.appended(partition, bytes); }

private:
    sticky_choice sticky_;
};

class round_robin final : public partitioner {
public:
    // The first topic's first record of every producer would else go to partition 0.
    explicit round_robin(const partitioner_settings& s) : last_{static_cast<std::int32_t>(random_numbers{s.seed}.below(1 << 20))} {}
    std::int32_t choose(const partition_context& c) override { return last_ = available_from(c, (last_ + 1) % c.partitions); }

private:
    std::int32_t last_;
};

class at_random final : public partitioner {
public:
    explicit at_random(const partitioner_settings& s) : random_{s.seed} {}
    std::int32_t choose(const partition_context& c) override {
        return available_from(c, static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(c.partitions))));
    }

private:
    random_numbers random_;
};

class least_bytes final : public partitioner {
public:
    explicit least_bytes(const partitioner_settings&) {}
    // Equals are taken in turn: where nothing waits, the first of them would get all.
    std::int32_t choose(const partition_context& c) override {
        std::int32_t best = -1;
        std::uint64_t fewest = 0;
        for (std::int32_t i = 1; i <= c.partitions; ++i) {
            const auto p = static_cast<std::int32_t>((std::int64_t{last_} + i) % c.partitions);
            if (!c.available(p)) continue;
            const auto bytes = c.queued_bytes(p);
            if (best < 0 || bytes < fewest) best = p, fewest = bytes;
        }
        return last_ = best < 0 ? (last_ + 1) % c.partitions : best;
    }

private:
    std::int32_t last_ = -1;
};

class manual final : public partitioner {
public:
    explicit manual(const partitioner_settings&) {}
    std::int32_t choose(const partition_context&) override { return -1; }
};

template <class P>
std::unique_ptr<partitioner> make(const partitioner_settings& s) {
    return std::make_unique<P>(s);
}

using maker = std::unique_ptr<partitioner> (*)(const partitioner_settings&);
struct built_in {
    std::string_view name;
    maker make;
};
constexpr maker murmur2 = make<by_hash<protocol::partition_of, false>>;
constexpr maker crc32_random = make<by_hash<crc32_partition, true>>;
constexpr maker fnv1a_random = make<by_hash<fnv1a_partition, false>>;
constexpr built_in built_ins[] = {{"crc32", crc32_random},   {"fnv1a", fnv1a_random}, {"least_bytes", make<least_bytes>}, {"manual", make<manual>},
                                  {"murmur2", murmur2},      {"random", make<at_random>}, {"round_robin", make<round_robin>}};
// librdkafka's words for three of them.
constexpr built_in aliases[] = {{"consistent_random", crc32_random}, {"fnv1a_random", fnv1a_random}, {"murmur2_random", murmur2}};

const built_in* find(std::span<const built_in> among, std::string_view name) noexcept {
    for (const auto& b : among)
        if (b.name == name) return &b;
    return nullptr;
}
const built_in* find(std::string_view name) noexcept {
    const auto* named = find(built_ins, name);
    return named ? named : find(aliases, name);
}

// What programs registered. A factory is copied out before it is called: it may register another.
struct registry {
    std::mutex lock;
    std::map<std::string, partitioner_factory, std::less<>> made;
};
registry& registered() {
    static registry r;
    return r;
}

}  // namespace

std::uint32_t crc32(protocol::bytes_view bytes) noexcept {
    auto rest = ~std::uint32_t{0};
    for (const auto b : bytes) rest = rest >> 8 ^ crc32_table[(rest ^ std::to_integer<std::uint32_t>(b)) & 0xff];
    return ~rest;
}

std::uint64_t random_numbers::next() noexcept {
    auto v = state_ += 0x9e3779b97f4a7c15;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
    v = (v ^ v >> 27) * 0x94d049bb133111eb;
    return v ^ v >> 31;
}

std::uint64_t random_numbers::below(std::uint64_t below) noexcept { return next() % below; }

std::int32_t sticky_choice::choose(const partition_context& c) noexcept {
    if (const auto p = current(); p >= 0 && p < c.partitions && c.available(p)) return p;
    return move_on(c);
}

std::int32_t sticky_choice::move_on(const partition_context& c) noexcept {
    left_ = limit_ > 0 ? limit_ : 1;
    // Two passes instead of a table: this happens once a batch. The fullest has weight one, an empty one as much as the fullest holds more.
    std::uint64_t most = 0, count = 0, sum = 0;
    for (std::int32_t p = 0; p < c.partitions; ++p) {
        if (!c.available(p) || (p == partition_ && c.partitions > 1)) continue;
        const auto bytes = c.queued_bytes(p);
        most = std::max(most, bytes), sum += bytes, ++count;
    }
    if (count == 0) {
        // None but the present one has a leader, or not even that one.
        if (partition_ >= 0 && partition_ < c.partitions && c.available(partition_)) return partition_;
        return partition_ = static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(c.partitions)));
    }
    auto ticket = random_.below(count * (most + 1) - sum);
    const auto before = partition_;
    for (std::int32_t p = 0; p < c.partitions; ++p) {
        if (!c.available(p) || (p == before && c.partitions > 1)) continue;
        const auto weight = most + 1 - std::min(most, c.queued_bytes(p));
        partition_ = p;
        if (ticket < weight) break;
        ticket -= weight;
    }
    return partition_;
}

topic_partitioner::topic_partitioner(std::string_view name, const partitioner_settings& settings)
    : java_{name == "murmur2" || name == "murmur2_random"}, sticky_{settings.sticky_bytes, settings.seed} {
    if (!java_) other_ = make_partitioner(name, settings);
}

std::int32_t topic_partitioner::ask(const partition_context& c) {
    if (!other_) return -1;
    try {
        const auto p = other_->choose(c);
        return p >= 0 && p < c.partitions ? p : -1;
    } catch (...) {
        return -1;  // the user's own code; this record is refused, the next is asked for again
    }
}

void topic_partitioner::tell(std::int32_t partition, std::size_t bytes) {
    if (!other_) return;
    try {
        other_->appended(partition, bytes);
    } catch (...) {  // the record is in its batch: there is nothing to refuse any more
    }
}

void topic_partitioner::leader_lost(std::int32_t partition) noexcept {
    if (java_ && sticky_.current() == partition) sticky_.leave();
}

}  // namespace kafkawire::client_detail

namespace kafkawire::inline v0_1 {

void register_partitioner(std::string name, partitioner_factory make) {
    if (name.empty() || !make) throw std::invalid_argument{"kafkawire::register_partitioner: a name and a factory are needed"};
    if (client_detail::find(name)) throw std::invalid_argument{"kafkawire::register_partitioner: " + name + " is a name of the library's own"};
    auto& r = client_detail::registered();
    const std::lock_guard hold{r.lock};
    r.made.insert_or_assign(std::move(name), std::move(make));
}

std::vector<std::string> partitioner_names() {
    std::vector<std::string> names;
    for (const auto& b : client_detail::built_ins) names.emplace_back(b.name);
    auto& r = client_detail::registered();
    {
        const std::lock_guard hold{r.lock};
        for (const auto& [name, make] : r.made) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::unique_ptr<partitioner> make_partitioner(std::string_view name, const partitioner_settings& settings) {
    if (const auto* b = client_detail::find(name)) return b->make(settings);
    partitioner_factory make;
    {
        auto& r = client_detail::registered();
        const std::lock_guard hold{r.lock};
        const auto found = r.made.find(name);
        if (found == r.made.end()) return nullptr;
        make = found->second;
    }
    return make(settings);
}

std::string check_partitioner(std::string_view name) {
    const auto names = partitioner_names();
    if (client_detail::find(name) || std::find(names.begin(), names.end(), name) != names.end()) return {};
    std::string list;
    std::vector<std::string_view> views;
    for (const auto& n : names) {
        views.emplace_back(n);
        list += (list.empty() ? "" : ", ") + n;
    }
    const auto nearest = nearest_name(views, name);
    return (nearest.empty() ? "" : "did you mean " + std::string{nearest} + "? ") + "There are " + list;
}

}  // namespace kafkawire::inline v0_1
