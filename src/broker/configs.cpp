#include "broker/configs.hpp"

#include <algorithm>
#include <array>

namespace kafkawire::broker {
namespace {

using t = config_type;
constexpr std::array brokers{
    broker_config{"auto.create.topics.enable", t::boolean, "true"},
    broker_config{"compression.type", t::string, "producer"},
    broker_config{"default.replication.factor", t::int_number, "1"},
    broker_config{"group.initial.rebalance.delay.ms", t::int_number, "3000"},
    broker_config{"group.max.session.timeout.ms", t::int_number, "1800000"},
    broker_config{"group.min.session.timeout.ms", t::int_number, "6000"},
    broker_config{"log.cleanup.policy", t::list, "delete"},
    broker_config{"log.message.timestamp.type", t::string, "CreateTime"},
    broker_config{"message.max.bytes", t::int_number, "1048588"},
    broker_config{"min.insync.replicas", t::int_number, "1"},
    broker_config{"num.partitions", t::int_number, "1"},
    broker_config{"offset.metadata.max.bytes", t::int_number, "4096"},
    broker_config{"offsets.topic.num.partitions", t::int_number, "50"},
    broker_config{"offsets.topic.replication.factor", t::short_number, "3"},
    broker_config{"transaction.max.timeout.ms", t::int_number, "900000"},
    broker_config{"transaction.state.log.num.partitions", t::int_number, "50"},
    broker_config{"transaction.state.log.replication.factor", t::short_number, "3"},
};
constexpr std::array topics{
    topic_config{"cleanup.policy", t::list, "log.cleanup.policy"},
    topic_config{"compression.type", t::string, "compression.type"},
    topic_config{"max.message.bytes", t::int_number, "message.max.bytes"},
    topic_config{"message.timestamp.type", t::string, "log.message.timestamp.type"},
    topic_config{"min.insync.replicas", t::int_number, "min.insync.replicas"},
};

template <class Table>
auto find(const Table& table, std::string_view name) noexcept -> decltype(table.data()) {
    const auto at = std::find_if(table.begin(), table.end(), [&](const auto& e) { return e.name == name; });
    return at == table.end() ? nullptr : &*at;
}

}  // namespace

std::span<const broker_config> broker_configs() noexcept { return brokers; }
std::span<const topic_config> topic_configs() noexcept { return topics; }
const broker_config* find_broker_config(std::string_view name) noexcept { return find(brokers, name); }
const topic_config* find_topic_config(std::string_view name) noexcept { return find(topics, name); }

}  // namespace kafkawire::broker
