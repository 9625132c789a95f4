// Who chooses the partition of a record that names none. Seven are here by name, and a program may add its own:
//
//   kw::register_partitioner("by_tenant", [](const kw::partitioner_settings&) {
//       return kw::make_partitioner([](const kw::partition_context& c) { return tenant_of(c.key) % c.partitions; });
//   });
//   kw::producer producer{client, {.partitioner = "by_tenant"}};
//
// murmur2      As Java's: the key's hash; without a key one partition until about a batch has gone to it, then another (KIP-480, KIP-794).
// crc32        As librdkafka's consistent_random: CRC-32 of the key; without a key, or with an empty one, as murmur2 without a key.
// fnv1a        As sarama's hash partitioner, and librdkafka's fnv1a_random for keys that are not empty: FNV-1a, its sign taken off after the remainder.
// round_robin  Each in turn, whatever the key.
// random       Any, whatever the key.
// least_bytes  The one with the fewest bytes waiting to be sent, whatever the key.
// manual       The record's own; a record that names none is refused.
//
// A key always goes to its partition, also when that has no leader now: only choices that no key decides avoid such partitions.
#pragma once
#include <kafkawire/protocol/record.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::inline v0_1 {

/// What the producer knows of a topic's partitions now.
class KAFKAWIRE_API partition_states {
public:
    /// Has a leader that can be asked.
    [[nodiscard]] virtual bool available(std::int32_t partition) const noexcept = 0;
    /// Bytes that wait to be sent or acknowledged.
    [[nodiscard]] virtual std::uint64_t queued_bytes(std::int32_t partition) const noexcept = 0;

protected:
    ~partition_states() = default;
};

/// What a choice is made from. All of it is borrowed for the call.
struct partition_context {
    std::string_view topic;
    protocol::nullable_bytes key;
    protocol::nullable_bytes value;
    std::int32_t partitions = 0;               ///< how many there are, above zero
    const partition_states* states = nullptr;  ///< null: all are available and empty

    [[nodiscard]] bool available(std::int32_t partition) const noexcept { return !states || states->available(partition); }
    [[nodiscard]] std::uint64_t queued_bytes(std::int32_t partition) const noexcept { return states ? states->queued_bytes(partition) : 0; }
};

/// Chooses for one topic of one producer. Only the producer's executor calls it.
class KAFKAWIRE_API partitioner {
public:
    virtual ~partitioner() = default;
    /// A number from 0 to partitions-1. Anything else, or an exception, refuses the record.
    [[nodiscard]] virtual std::int32_t choose(const partition_context& record) = 0;
    /// So many bytes of a record that had no key were put into the partition, chosen or given.
    virtual void appended(std::int32_t partition, std::size_t bytes) {
        (void)partition;
        (void)bytes;
    }
};

/// What a partitioner is made with.
struct partitioner_settings {
    std::string_view topic;               ///< lives as long as the partitioner
    std::uint64_t sticky_bytes = 1 << 20; ///< what goes to one partition before records without a key move on
    std::uint64_t seed = 0;               ///< of its random choices: the environment's, so that a simulated run repeats
};

using partitioner_factory = std::function<std::unique_ptr<partitioner>(const partitioner_settings&)>;

/// Makes `name` known to every producer that is made afterwards, and replaces one of that name; the names above cannot be replaced, nor can
/// a name be empty: then std::invalid_argument is thrown. `make` may be called from any thread that has a producer. Thread-safe.
KAFKAWIRE_API void register_partitioner(std::string name, partitioner_factory make);
/// The names above, and those that were registered, sorted. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::vector<std::string> partitioner_names();
/// Null for a name that is not known. librdkafka's consistent_random, murmur2_random and fnv1a_random are taken as crc32, murmur2 and fnv1a. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::unique_ptr<partitioner> make_partitioner(std::string_view name, const partitioner_settings& settings);

/// A function as a partitioner.
template <class F>
    requires std::is_invocable_r_v<std::int32_t, F&, const partition_context&>
[[nodiscard]] std::unique_ptr<partitioner> make_partitioner(F choose) {
    class of_function final : public partitioner {
    public:
        explicit of_function(F f) : f_{std::move(f)} {}
        std::int32_t choose(const partition_context& c) override { return f_(c); }

    private:
        F f_;
    };
    return std::make_unique<of_function>(std::move(choose));
}

}  // namespace kafkawire::inline v0_1
