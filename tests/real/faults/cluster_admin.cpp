#include "cluster_admin.hpp"

#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/37_create_partitions.hpp>
#include <kafkawire/protocol/messages/43_elect_leaders.hpp>
#include <kafkawire/protocol/messages/45_alter_partition_reassignments.hpp>

#include <algorithm>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace faults {

namespace {

using namespace std::chrono_literals;
using namespace kafkawire::protocol::messages;
using clock = std::chrono::steady_clock;

constexpr std::int16_t already_exists = 36, election_not_needed = 84;

std::vector<std::int32_t> replicas_of(std::int32_t partition, int turn, int nodes) {
    std::vector<std::int32_t> out;
    for (int i = 0; i < nodes; ++i) out.push_back(1 + (partition + turn + i) % nodes);
    return out;
}

// One record into a partition, by whoever leads it.
bool takes_record(cluster_admin& admin, const std::string& topic, std::int32_t partition) {
    const auto leaders = admin.leaders(topic);
    if (leaders.at(static_cast<std::size_t>(partition)) < 1) return false;
    blocking::connection leader{admin.address(leaders[static_cast<std::size_t>(partition)]), 1s};
    kafkawire::protocol::batch_builder batch;
    kafkawire::protocol::bytes_view bytes;
    batch.start({});
    if (batch.append(1'700'000'000'000, {}, "probe") != kafkawire::errc{} || batch.close(bytes)) return false;
    produce_request ask;
    ask.acks = -1;
    ask.timeout_ms = 500;
    auto& t = ask.topic_data.emplace_back();
    t.name = topic;
    auto& p = t.partition_data.emplace_back();
    p.index = partition;
    p.records = kafkawire::protocol::raw_records{bytes};
    return leader.call(ask, leader.version<produce_request>(9)).responses.at(0).partition_responses.at(0).error_code == 0;
}

}  // namespace

cluster_admin::cluster_admin(const kafkawire::testing::kafka_cluster& kafka) : kafka_{kafka} {
    std::istringstream in{kafka.internal_bootstrap_servers()};
    for (std::string one; std::getline(in, one, ',');) addresses_.push_back(one);
}

const std::string& cluster_admin::any() const {
    for (int n = 1; n <= kafka_.size(); ++n)
        if (kafka_.state(n) == kafkawire::testing::node_state::running) return address(n);
    throw std::runtime_error("no node is running");
}

metadata_response::topic cluster_admin::describe(const std::string& topic) {
    blocking::connection node{any(), 5s};
    metadata_request ask;
    const auto version = node.version<metadata_request>(9);
    ask.allow_auto_topic_creation = version < 4;  // earlier ones cannot say that
    ask.topics->emplace_back().name = topic;
    auto answer = node.call(ask, version);
    return std::move(answer.topics.at(0));
}

void cluster_admin::create(const std::string& topic, std::int32_t partitions) {
    create_topics_request ask;
    auto& t = ask.topics.emplace_back();
    t.name = topic;
    t.num_partitions = -1;
    t.replication_factor = -1;
    for (std::int32_t p = 0; p < partitions; ++p) {
        auto& a = t.assignments.emplace_back();
        a.partition_index = p;
        a.broker_ids = replicas_of(p, 0, kafka_.size());
    }
    {
        blocking::connection node{any(), 30s};
        const auto answer = node.call(ask, node.version<create_topics_request>(5));
        const auto code = answer.topics.at(0).error_code;
        if (code && code != already_exists) throw std::runtime_error("creating " + topic + ": error " + std::to_string(code));
    }
    for (const auto until = clock::now() + 60s; clock::now() < until; std::this_thread::sleep_for(50ms))
        if (in_sync(topic) && leaders(topic).size() == static_cast<std::size_t>(partitions)) return;
    throw std::runtime_error(topic + " gets no leaders");
}

std::vector<std::int32_t> cluster_admin::leaders(const std::string& topic) {
    const auto t = describe(topic);
    std::vector<std::int32_t> out(t.partitions.size(), -1);
    for (const auto& p : t.partitions)
        if (p.partition_index >= 0 && static_cast<std::size_t>(p.partition_index) < out.size())
            out[static_cast<std::size_t>(p.partition_index)] = p.leader_id;
    return out;
}

bool cluster_admin::in_sync(const std::string& topic) {
    const auto t = describe(topic);
    return !t.partitions.empty() && std::all_of(t.partitions.begin(), t.partitions.end(),
                                                [](const auto& p) { return p.isr_nodes.size() == p.replica_nodes.size(); });
}

void cluster_admin::prefer(const std::string& topic, std::int32_t partitions, int turn) {
    alter_partition_reassignments_request ask;
    auto& t = ask.topics.emplace_back();
    t.name = topic;
    for (std::int32_t p = 0; p < partitions; ++p) {
        auto& r = t.partitions.emplace_back();
        r.partition_index = p;
        r.replicas = replicas_of(p, turn, kafka_.size());
    }
    blocking::connection node{any(), 30s};
    const auto answer = node.call(ask, 0);
    if (answer.error_code) throw std::runtime_error("reassigning " + topic + ": error " + std::to_string(answer.error_code));
}

void cluster_admin::elect(const std::string& topic, std::int32_t partitions) {
    elect_leaders_request ask;
    ask.topic_partitions.emplace();
    auto& t = ask.topic_partitions->emplace_back();
    t.topic = topic;
    t.partitions.resize(static_cast<std::size_t>(partitions));
    std::iota(t.partitions.begin(), t.partitions.end(), 0);
    blocking::connection node{any(), 30s};
    const auto answer = node.call(ask, node.version<elect_leaders_request>(2));
    if (answer.error_code && answer.error_code != election_not_needed)
        throw std::runtime_error("electing leaders: error " + std::to_string(answer.error_code));
}

void cluster_admin::add_partitions(const std::string& topic, std::int32_t total) {
    create_partitions_request ask;
    auto& t = ask.topics.emplace_back();
    t.name = topic;
    t.count = total;
    t.assignments.reset();  // the cluster says where
    ask.timeout_ms = 10'000;
    {
        blocking::connection node{any(), 30s};
        const auto answer = node.call(ask, node.version<create_partitions_request>(3));
        if (const auto code = answer.results.at(0).error_code) throw std::runtime_error("more partitions for " + topic + ": error " + std::to_string(code));
    }
    for (const auto until = clock::now() + 60s; clock::now() < until; std::this_thread::sleep_for(50ms)) {
        const auto l = leaders(topic);
        if (l.size() == static_cast<std::size_t>(total) && std::none_of(l.begin(), l.end(), [](auto id) { return id < 0; })) return;
    }
    throw std::runtime_error(topic + " gets no more partitions");
}

std::int32_t cluster_admin::coordinator(const std::string& group) {
    find_coordinator_request who;
    who.coordinator_key = group;
    blocking::connection node{any(), 5s};
    const auto found = node.call(who, node.version<find_coordinator_request>(2));
    return found.error_code ? -1 : found.node_id;
}

std::int64_t cluster_admin::committed_offset(const std::string& group, const std::string& topic, std::int32_t partition) {
    find_coordinator_request who;
    who.coordinator_key = group;
    offset_fetch_request ask;
    ask.group_id = group;
    ask.require_stable = true;
    auto& t = ask.topics->emplace_back();
    t.name = topic;
    t.partition_indexes = {partition};
    for (const auto until = clock::now() + 60s; clock::now() < until; std::this_thread::sleep_for(100ms)) {
        blocking::connection node{any(), 5s};
        const auto found = node.call(who, node.version<find_coordinator_request>(2));
        if (found.error_code) continue;
        blocking::connection coordinator{address(found.node_id), 5s};
        const auto answer = coordinator.call(ask, coordinator.version<offset_fetch_request>(7));
        if (answer.error_code || answer.topics.at(0).partitions.at(0).error_code) continue;
        return answer.topics[0].partitions[0].committed_offset;
    }
    throw std::runtime_error("nobody says what " + group + " has committed");
}

std::optional<std::chrono::milliseconds> cluster_admin::ready_after(const std::string& topic, std::int32_t partitions,
                                                                    std::chrono::milliseconds limit) {
    const auto began = clock::now();
    std::vector<std::thread> asking;
    std::vector<clock::duration> took(static_cast<std::size_t>(partitions), clock::duration::max());
    for (std::int32_t p = 0; p < partitions; ++p) {
        asking.emplace_back([&, p] {
            for (; clock::now() - began < limit; std::this_thread::sleep_for(20ms)) {
                try {
                    if (!takes_record(*this, topic, p)) continue;
                    took[static_cast<std::size_t>(p)] = clock::now() - began;
                    return;
                } catch (const std::runtime_error&) {  // not there yet: asked again
                } catch (const std::out_of_range&) {
                }
            }
        });
    }
    for (auto& a : asking) a.join();
    const auto last = *std::max_element(took.begin(), took.end());
    if (last == clock::duration::max()) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(last);
}

}  // namespace faults
