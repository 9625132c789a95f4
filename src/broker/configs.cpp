#include "broker/configs.hpp"

#include <algorithm>
#include <array>

namespace kafkawire::broker {
namespace {

using t = config_type;
constexpr std::string_view null_value{};
constexpr bool fixed = true, dynamic = false;

// What Kafka 4.3 calls its brokers' entries and what they are without being set: those that have to do with what this cluster does. By name.
constexpr std::array brokers{
    broker_config{"advertised.listeners", t::list, null_value, fixed},
    broker_config{"auto.create.topics.enable", t::boolean, "true", fixed},
    broker_config{"broker.id", t::int_number, "-1", fixed},
    broker_config{"broker.rack", t::string, null_value, fixed},
    broker_config{"broker.session.timeout.ms", t::int_number, "9000", fixed},
    broker_config{"compression.gzip.level", t::int_number, "-1", dynamic},
    broker_config{"compression.lz4.level", t::int_number, "9", dynamic},
    broker_config{"compression.type", t::string, "producer", dynamic},
    broker_config{"compression.zstd.level", t::int_number, "3", dynamic},
    broker_config{"connections.max.idle.ms", t::long_number, "600000", fixed},
    broker_config{"default.replication.factor", t::int_number, "1", fixed},
    broker_config{"delete.topic.enable", t::boolean, "true", fixed},
    broker_config{"fetch.max.bytes", t::int_number, "57671680", fixed},
    broker_config{"group.consumer.assignment.interval.ms", t::int_number, "1000", dynamic},
    broker_config{"group.consumer.assignors", t::list, "uniform,range", fixed},
    broker_config{"group.consumer.heartbeat.interval.ms", t::int_number, "5000", fixed},
    broker_config{"group.consumer.max.assignment.interval.ms", t::int_number, "15000", fixed},
    broker_config{"group.consumer.max.heartbeat.interval.ms", t::int_number, "15000", fixed},
    broker_config{"group.consumer.max.session.timeout.ms", t::int_number, "60000", fixed},
    broker_config{"group.consumer.max.size", t::int_number, "2147483647", fixed},
    broker_config{"group.consumer.migration.policy", t::string, "bidirectional", fixed},
    broker_config{"group.consumer.min.assignment.interval.ms", t::int_number, "0", fixed},
    broker_config{"group.consumer.min.heartbeat.interval.ms", t::int_number, "5000", fixed},
    broker_config{"group.consumer.min.session.timeout.ms", t::int_number, "45000", fixed},
    broker_config{"group.consumer.session.timeout.ms", t::int_number, "45000", fixed},
    broker_config{"group.coordinator.rebalance.protocols", t::list, "classic,consumer,streams", fixed},
    broker_config{"group.initial.rebalance.delay.ms", t::int_number, "3000", fixed},
    broker_config{"group.max.session.timeout.ms", t::int_number, "1800000", fixed},
    broker_config{"group.max.size", t::int_number, "2147483647", fixed},
    broker_config{"group.min.session.timeout.ms", t::int_number, "6000", fixed},
    broker_config{"listeners", t::list, "PLAINTEXT://:9092", dynamic},
    broker_config{"log.cleaner.delete.retention.ms", t::long_number, "86400000", dynamic},
    broker_config{"log.cleaner.enable", t::boolean, "true", fixed},
    broker_config{"log.cleaner.max.compaction.lag.ms", t::long_number, "9223372036854775807", dynamic},
    broker_config{"log.cleaner.min.cleanable.ratio", t::double_number, "0.5", dynamic},
    broker_config{"log.cleaner.min.compaction.lag.ms", t::long_number, "0", dynamic},
    broker_config{"log.cleanup.policy", t::list, "delete", dynamic},
    broker_config{"log.dirs", t::list, null_value, fixed},
    broker_config{"log.flush.interval.messages", t::long_number, "9223372036854775807", dynamic},
    broker_config{"log.flush.interval.ms", t::long_number, null_value, dynamic},
    broker_config{"log.index.interval.bytes", t::int_number, "4096", dynamic},
    broker_config{"log.index.size.max.bytes", t::int_number, "10485760", dynamic},
    broker_config{"log.message.timestamp.after.max.ms", t::long_number, "3600000", dynamic},
    broker_config{"log.message.timestamp.before.max.ms", t::long_number, "9223372036854775807", dynamic},
    broker_config{"log.message.timestamp.type", t::string, "CreateTime", dynamic},
    broker_config{"log.preallocate", t::boolean, "false", dynamic},
    broker_config{"log.retention.bytes", t::long_number, "-1", dynamic},
    broker_config{"log.retention.check.interval.ms", t::long_number, "300000", fixed},
    broker_config{"log.retention.hours", t::int_number, "168", fixed},
    broker_config{"log.retention.minutes", t::int_number, null_value, fixed},
    broker_config{"log.retention.ms", t::long_number, null_value, dynamic},
    broker_config{"log.roll.hours", t::int_number, "168", fixed},
    broker_config{"log.roll.jitter.hours", t::int_number, "0", fixed},
    broker_config{"log.roll.jitter.ms", t::long_number, null_value, dynamic},
    broker_config{"log.roll.ms", t::long_number, null_value, dynamic},
    broker_config{"log.segment.bytes", t::int_number, "1073741824", dynamic},
    broker_config{"log.segment.delete.delay.ms", t::long_number, "60000", dynamic},
    broker_config{"max.connections", t::int_number, "2147483647", dynamic},
    broker_config{"max.incremental.fetch.session.cache.slots", t::int_number, "1000", fixed},
    broker_config{"max.request.partition.size.limit", t::int_number, "2000", fixed},
    broker_config{"message.max.bytes", t::int_number, "1048588", dynamic},
    broker_config{"min.insync.replicas", t::int_number, "1", dynamic},
    broker_config{"node.id", t::int_number, null_value, fixed},
    broker_config{"num.partitions", t::int_number, "1", fixed},
    broker_config{"offset.metadata.max.bytes", t::int_number, "4096", fixed},
    broker_config{"offsets.retention.check.interval.ms", t::long_number, "600000", fixed},
    broker_config{"offsets.retention.minutes", t::int_number, "10080", fixed},
    broker_config{"offsets.topic.compression.codec", t::int_number, "0", fixed},
    broker_config{"offsets.topic.num.partitions", t::int_number, "50", fixed},
    broker_config{"offsets.topic.replication.factor", t::short_number, "3", fixed},
    broker_config{"offsets.topic.segment.bytes", t::int_number, "104857600", fixed},
    broker_config{"process.roles", t::list, null_value, fixed},
    broker_config{"producer.id.expiration.ms", t::int_number, "86400000", dynamic},
    broker_config{"socket.request.max.bytes", t::int_number, "104857600", fixed},
    broker_config{"transaction.abort.timed.out.transaction.cleanup.interval.ms", t::int_number, "10000", fixed},
    broker_config{"transaction.max.timeout.ms", t::int_number, "900000", fixed},
    broker_config{"transaction.partition.verification.enable", t::boolean, "true", dynamic},
    broker_config{"transaction.remove.expired.transaction.cleanup.interval.ms", t::int_number, "3600000", fixed},
    broker_config{"transaction.state.log.min.isr", t::int_number, "2", fixed},
    broker_config{"transaction.state.log.num.partitions", t::int_number, "50", fixed},
    broker_config{"transaction.state.log.replication.factor", t::short_number, "3", fixed},
    broker_config{"transaction.state.log.segment.bytes", t::int_number, "104857600", fixed},
    broker_config{"transactional.id.expiration.ms", t::int_number, "604800000", fixed},
    broker_config{"unclean.leader.election.enable", t::boolean, "false", dynamic},
};

// And its topics' entries. By name.
constexpr std::array topics{
    topic_config{"cleanup.policy", t::list, "delete", "log.cleanup.policy", no_lowest, "compact, delete"},
    topic_config{"compression.gzip.level", t::int_number, "-1", "compression.gzip.level", no_lowest, ""},
    topic_config{"compression.lz4.level", t::int_number, "9", "compression.lz4.level", no_lowest, ""},
    topic_config{"compression.type", t::string, "producer", "compression.type", no_lowest, "uncompressed, zstd, lz4, snappy, gzip, producer"},
    topic_config{"compression.zstd.level", t::int_number, "3", "compression.zstd.level", no_lowest, ""},
    topic_config{"delete.retention.ms", t::long_number, "86400000", "log.cleaner.delete.retention.ms", 0, ""},
    topic_config{"file.delete.delay.ms", t::long_number, "60000", "log.segment.delete.delay.ms", 0, ""},
    topic_config{"flush.messages", t::long_number, "9223372036854775807", "log.flush.interval.messages", 1, ""},
    topic_config{"flush.ms", t::long_number, "9223372036854775807", "log.flush.interval.ms", 0, ""},
    topic_config{"follower.replication.throttled.replicas", t::list, "", "", no_lowest, ""},
    topic_config{"index.interval.bytes", t::int_number, "4096", "log.index.interval.bytes", 0, ""},
    topic_config{"leader.replication.throttled.replicas", t::list, "", "", no_lowest, ""},
    topic_config{"local.retention.bytes", t::long_number, "-2", "", -2, ""},
    topic_config{"local.retention.ms", t::long_number, "-2", "", -2, ""},
    topic_config{"max.compaction.lag.ms", t::long_number, "9223372036854775807", "log.cleaner.max.compaction.lag.ms", 1, ""},
    topic_config{"max.message.bytes", t::int_number, "1048588", "message.max.bytes", 0, ""},
    topic_config{"message.timestamp.after.max.ms", t::long_number, "3600000", "log.message.timestamp.after.max.ms", 0, ""},
    topic_config{"message.timestamp.before.max.ms", t::long_number, "9223372036854775807", "log.message.timestamp.before.max.ms", 0, ""},
    topic_config{"message.timestamp.type", t::string, "CreateTime", "log.message.timestamp.type", no_lowest, "CreateTime, LogAppendTime"},
    topic_config{"min.cleanable.dirty.ratio", t::double_number, "0.5", "log.cleaner.min.cleanable.ratio", 0, ""},
    topic_config{"min.compaction.lag.ms", t::long_number, "0", "log.cleaner.min.compaction.lag.ms", 0, ""},
    topic_config{"min.insync.replicas", t::int_number, "1", "min.insync.replicas", 1, ""},
    topic_config{"preallocate", t::boolean, "false", "log.preallocate", no_lowest, ""},
    topic_config{"remote.log.copy.disable", t::boolean, "false", "", no_lowest, ""},
    topic_config{"remote.log.delete.on.disable", t::boolean, "false", "", no_lowest, ""},
    topic_config{"remote.storage.enable", t::boolean, "false", "", no_lowest, ""},
    topic_config{"retention.bytes", t::long_number, "-1", "log.retention.bytes", no_lowest, ""},
    topic_config{"retention.ms", t::long_number, "604800000", "log.retention.ms", -1, ""},
    topic_config{"segment.bytes", t::int_number, "1073741824", "log.segment.bytes", 1048576, ""},
    topic_config{"segment.index.bytes", t::int_number, "10485760", "log.index.size.max.bytes", 4, ""},
    topic_config{"segment.jitter.ms", t::long_number, "0", "log.roll.jitter.ms", 0, ""},
    topic_config{"segment.ms", t::long_number, "604800000", "log.roll.ms", 1, ""},
    topic_config{"unclean.leader.election.enable", t::boolean, "false", "unclean.leader.election.enable", no_lowest, ""},
};

template <class Table>
auto find(const Table& table, std::string_view name) noexcept -> decltype(table.data()) {
    const auto at = std::lower_bound(table.begin(), table.end(), name, [](const auto& e, std::string_view n) { return e.name < n; });
    return at != table.end() && at->name == name ? &*at : nullptr;
}

constexpr auto in_order_of_names = [](const auto& a, const auto& b) { return a.name < b.name; };
static_assert(std::is_sorted(brokers.begin(), brokers.end(), in_order_of_names) && std::is_sorted(topics.begin(), topics.end(), in_order_of_names));

}  // namespace

std::span<const broker_config> broker_configs() noexcept { return brokers; }
std::span<const topic_config> topic_configs() noexcept { return topics; }
const broker_config* find_broker_config(std::string_view name) noexcept { return find(brokers, name); }
const topic_config* find_topic_config(std::string_view name) noexcept { return find(topics, name); }

}  // namespace kafkawire::broker
