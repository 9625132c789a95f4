#include "broker/cluster_state.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "broker/batch_check.hpp"
#include "broker/compaction.hpp"
#include "broker/configs.hpp"
#include "broker/fetch_session.hpp"
#include "broker/group_coordinator.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {

cluster_state::cluster_state(broker::options o, moment now, std::shared_ptr<storage> files)
    : options_{std::move(o)}, release_{find_kafka_release(options_.as_version)}, now_{now}, world_{options_.max_bytes}, files_{std::move(files)},
      checker_{std::make_unique<batch_checker>()}, random_{options_.seed} {
    if (!release_) release_ = &kafka_releases().front();  // the driver has refused unknown names
    world_.timers = &timers_;
    world_.now = &now_;
    world_.replication_delay = options_.replication_delay;
    // Later, when nobody is in the middle of using the log.
    world_.grown = [this](partition& p) {
        p.look_again_at(std::numeric_limits<std::size_t>::max());
        timers_.set(now_.steady, [this, id = p.topic_id(), index = p.index()] {
            auto* of = find_topic(id);
            if (auto* grown = of ? of->find(index) : nullptr) clean(*of, *grown);
        });
    };
    cluster_id_ = options_.cluster_id.empty() ? random_uuid().to_string() : options_.cluster_id;
    for (std::int32_t i = 0; i < options_.nodes; ++i) {
        const auto place = static_cast<std::size_t>(i);
        node n;
        n.id = options_.first_node_id + i;
        n.host = place < options_.hosts.size() ? options_.hosts[place] : options_.host;
        n.port = place < options_.ports.size() ? options_.ports[place] : std::uint16_t{0};
        if (place < options_.advertised.size()) n.advertised = options_.advertised[place].host, n.advertised_port = options_.advertised[place].port;
        nodes_.push_back(std::move(n));
    }
    settle_defaults();
    transactions_ = std::make_unique<transaction_coordinator>(*this);
    groups_ = std::make_unique<group_coordinator>(*this);
    if (files_) open_journal();
    for (const auto& spec : options_.topics)
        if (!find_topic(spec.name)) create_topic(spec);
    starting_ = false;
    if (files_) transactions_->recover();
    if (files_) groups_->recover();
}

cluster_state::~cluster_state() = default;

protocol::uuid cluster_state::random_uuid() noexcept {
    protocol::uuid id;
    for (std::size_t i = 0; i < id.octets.size(); i += 8) {
        auto bits = random_.next();
        for (std::size_t k = 0; k < 8; ++k, bits >>= 8) id.octets[i + k] = static_cast<std::uint8_t>(bits);
    }
    id.octets[6] = static_cast<std::uint8_t>((id.octets[6] & 0x0f) | 0x40);  // version 4, as Java's
    id.octets[8] = static_cast<std::uint8_t>((id.octets[8] & 0x3f) | 0x80);
    return id;
}

node* cluster_state::find_node(std::int32_t id) noexcept {
    const auto at = std::find_if(nodes_.begin(), nodes_.end(), [&](const node& n) { return n.id == id; });
    return at == nodes_.end() ? nullptr : &*at;
}

std::int32_t cluster_state::controller() const noexcept {
    const auto at = std::find_if(nodes_.begin(), nodes_.end(), [](const node& n) { return n.is == node::status::up; });
    return at == nodes_.end() ? -1 : at->id;
}

topic* cluster_state::find_topic(std::string_view name) noexcept {
    const auto at = topics_.find(name);
    return at == topics_.end() ? nullptr : &at->second;
}

topic* cluster_state::find_topic(const protocol::uuid& id) noexcept {
    const auto at = topic_names_.find(id);
    return at == topic_names_.end() ? nullptr : find_topic(at->second);
}

partition* cluster_state::find_partition(std::string_view name, std::int32_t index) noexcept {
    auto* t = find_topic(name);
    return t ? t->find(index) : nullptr;
}

topic& cluster_state::create_topic(const topic_spec& spec) {
    const auto wanted = spec.replication_factor > 0 ? spec.replication_factor : config_number("default.replication.factor");
    const auto copies = std::min<std::int64_t>(wanted, static_cast<std::int64_t>(nodes_.size()));
    return create_topic(spec.name, place(spec.partitions, static_cast<std::int32_t>(copies)), spec.configs);
}

topic& cluster_state::create_topic(std::string name, const placement& replicas, std::map<std::string, std::string> configs) {
    const bool internal = name == "__consumer_offsets" || name == "__transaction_state";
    topic t{std::move(name), random_uuid(), internal, std::move(configs), {}};
    if (files_ && starting_)
        if (const auto known = segment_store{files_, t.name + "-0"}.saved_topic_id()) t.id = *known;
    // What a crash left behind of a topic that was being deleted is none of the new one's.
    for (std::size_t i = 0; files_ && !starting_ && i < replicas.size(); ++i) static_cast<void>(files_->remove(t.name + '-' + std::to_string(i)));
    auto& made = add_topic(std::move(t));
    grow(made, replicas);
    if (journal_) journal_->topic_made(made, now_.wall_ms());
    return made;
}

topic& cluster_state::add_topic(topic t) {
    topic_names_.emplace(t.id, t.name);
    auto name = t.name;
    return topics_.emplace(std::move(name), std::move(t)).first->second;
}

void cluster_state::add_partitions(topic& to, const placement& replicas) {
    const auto before = to.partitions.size();
    grow(to, replicas);
    if (journal_) journal_->partitions_added(to, before, now_.wall_ms());
}

void cluster_state::grow(topic& to, const placement& replicas) {
    for (const auto& of_one : replicas) {
        const auto index = static_cast<std::int32_t>(to.partitions.size());
        auto& p = *to.partitions.emplace_back(std::make_unique<partition>(world_, to.name, to.id, index, of_one));
        if (files_) open_files(to, p);
        for (const auto id : of_one)
            if (const auto* n = find_node(id); !n || n->is == node::status::down) p.replica_down(id, false);
    }
}

// Topics are put together from their records first, and opened when all of the journal was read: a deleted one has no files any more.
void cluster_state::open_journal() {
    journal_ = std::make_unique<cluster_journal>(files_);
    if (const auto saved = journal_->saved_cluster_id(); !saved.empty()) cluster_id_ = saved;
    else static_cast<void>(journal_->save_cluster_id(cluster_id_, options_.first_node_id));
    struct found {
        topic made;
        placement replicas;
    };
    std::map<protocol::uuid, found> topics;
    const auto of_name = [&](const std::string& name) {
        return std::find_if(topics.begin(), topics.end(), [&](const auto& t) { return t.second.made.name == name; });
    };
    cluster_journal::reader to;
    to.topic = [&](const auto& r) { topics[r.topic_id].made = topic{r.name, r.topic_id, r.name == "__consumer_offsets" || r.name == "__transaction_state", {}, {}}; };
    to.partition = [&](const auto& r) {
        if (const auto at = topics.find(r.topic_id); at != topics.end()) at->second.replicas.push_back(r.replicas);
    };
    to.remove = [&](const auto& r) { topics.erase(r.topic_id); };
    to.producer_ids = [&](const auto& r) { first_free_producer_id_ = r.next_producer_id; };
    to.config = [&](const auto& r) {
        constexpr std::int8_t topic_resource = 2;
        const auto at = of_name(r.resource_name);
        if (r.resource_type == topic_resource && at == topics.end()) return;
        auto& entries = r.resource_type == topic_resource ? at->second.made.configs : dynamic_configs_[r.resource_name];
        if (r.value) entries[r.name] = *r.value;
        else entries.erase(r.name);
    };
    journal_->open(to);
    for (auto& [id, t] : topics) grow(add_topic(std::move(t.made)), t.replicas);
}

void cluster_state::take_producer_ids(std::int64_t count) {
    first_free_producer_id_ += count;
    if (journal_) journal_->producer_ids_given(first_free_producer_id_, now_.wall_ms());
}

void cluster_state::set_dynamic_configs(const std::string& node, std::map<std::string, std::string> to) {
    constexpr std::int8_t broker_resource = 4;
    if (journal_) journal_->configs_changed(broker_resource, node, dynamic_configs_[node], to, now_.wall_ms());
    dynamic_configs_[node] = std::move(to);
}

void cluster_state::set_topic_configs(topic& of, std::map<std::string, std::string> to) {
    constexpr std::int8_t topic_resource = 2;
    if (journal_) journal_->configs_changed(topic_resource, of.name, of.configs, to, now_.wall_ms());
    of.configs = std::move(to);
}

void cluster_state::open_files(const topic& of, partition& p) {
    auto store = std::make_unique<segment_store>(files_, of.name + '-' + std::to_string(p.index()));
    static_cast<void>(store->save_topic_id(of.id));
    // A folder that cannot be read makes an empty partition, which answers KAFKA_STORAGE_ERROR when it is written to.
    static_cast<void>(p.log().open(std::move(store), static_cast<std::uint64_t>(std::max<std::int64_t>(config_number(of, "segment.bytes"), 1 << 20))));
    p.recovered();
}

void cluster_state::delete_topic(std::string_view name) {
    const auto at = topics_.find(name);
    if (at == topics_.end()) return;
    if (deleted_.empty()) timers_.set(now_.steady, [this] { deleted_.clear(); });
    deleted_.push_back(std::move(at->second));
    topics_.erase(at);
    topic_names_.erase(deleted_.back().id);
    if (journal_) journal_->topic_deleted(deleted_.back().id, now_.wall_ms());
    for (const auto& p : deleted_.back().partitions) {
        p->set_leader(-1);
        if (files_) static_cast<void>(files_->remove(p->topic() + '-' + std::to_string(p->index())));
    }
    groups_->topic_deleted(deleted_.back().name);
}

fetch_sessions& cluster_state::fetch_sessions_of(std::int32_t node) {
    auto& sessions = fetch_sessions_[node];
    if (!sessions) sessions = std::make_unique<fetch_sessions>();
    return *sessions;
}

void cluster_state::clean(const topic& of, partition& p) {
    constexpr std::size_t dirt = 1u << 20;  // what may come together before the next look, beside as much as there is
    const auto policy = config(of, "cleanup.policy");
    if (policy.find("compact") != std::string::npos) {
        // A disk that fails leaves the log as it is; the next look tries again.
        static_cast<void>(compact(p, of.internal));
        if (auto* files = p.log().files()) files->roll();
    }
    const auto keep = config_number(of, "retention.bytes");
    if (policy.find("delete") != std::string::npos && keep >= 0) {
        auto left = static_cast<std::int64_t>(p.log().size_bytes());
        auto start = p.log().start_offset();
        for (const auto& batch : p.log().entries()) {
            if (left - batch.size < keep || batch.last_offset >= p.high_watermark()) break;
            left -= batch.size;
            start = batch.last_offset + 1;
        }
        static_cast<void>(p.raise_start(start));
    }
    p.look_again_at(p.log().size_bytes() * 2 + dirt);
}

void cluster_state::tell_replicas(std::int32_t node, node::status is) {
    for (auto& [name, t] : topics_) {
        const auto lossy = unclean(t);
        for (const auto& p : t.partitions) {
            if (is == node::status::down) p->replica_down(node, lossy);
            else if (is == node::status::up) p->replica_up(node, lossy);
            else p->replica_paused(node);
        }
    }
}

void cluster_state::set_node_status(std::int32_t id, node::status is) {
    auto* n = find_node(id);
    if (!n || n->is == is) return;
    n->is = is;
    ++n->status_changes;
    if (is == node::status::down) fetch_sessions_.erase(id);
    tell_replicas(id, is);
    if (is != node::status::paused) return;
    timers_.set(now_.steady + std::chrono::milliseconds{config_number("broker.session.timeout.ms")}, [this, id, changes = n->status_changes] {
        if (const auto* still = find_node(id); still && still->status_changes == changes) tell_replicas(id, node::status::down);
    });
}

cluster_state::placement cluster_state::place(std::int32_t partitions, std::int32_t copies) {
    std::vector<std::int32_t> up;
    for (const auto& n : nodes_)
        if (n.is == node::status::up) up.push_back(n.id);
    placement result;
    if (copies < 1 || static_cast<std::size_t>(copies) > up.size()) return result;
    for (std::int32_t i = 0; i < partitions; ++i, ++next_leader_) {
        auto& of_one = result.emplace_back();
        for (std::size_t r = 0; r < static_cast<std::size_t>(copies); ++r) of_one.push_back(up[(next_leader_ + r) % up.size()]);
    }
    return result;
}

void cluster_state::settle_defaults() {
    const auto nodes = options_.nodes;
    // What a small cluster needs to work at all, and what keeps tests short; whoever sets an entry has it as it was set.
    options_.configs.emplace("default.replication.factor", std::to_string(std::min(3, nodes)));
    options_.configs.emplace("offsets.topic.replication.factor", std::to_string(std::min(3, nodes)));
    options_.configs.emplace("transaction.state.log.replication.factor", std::to_string(std::min(3, nodes)));
    options_.configs.emplace("transaction.state.log.min.isr", std::to_string(std::min(2, nodes)));
    options_.configs.emplace("group.initial.rebalance.delay.ms", "0");
    // Kafka 4.1 and later keep this one as a default of the whole cluster (eligible leader replicas, KIP-966).
    dynamic_configs_[""].emplace("min.insync.replicas", config("min.insync.replicas"));
}

std::string cluster_state::config(std::string_view name) const {
    const auto key = std::string{name};
    if (const auto all = dynamic_configs_.find(""); all != dynamic_configs_.end())
        if (const auto at = all->second.find(key); at != all->second.end()) return at->second;
    if (const auto at = options_.configs.find(key); at != options_.configs.end()) return at->second;
    const auto* entry = find_broker_config(name);
    return entry ? std::string{entry->default_value} : std::string{};
}

const std::map<std::string, std::string>& cluster_state::dynamic_configs(const std::string& node) const {
    static const std::map<std::string, std::string> nothing;
    const auto at = dynamic_configs_.find(node);
    return at == dynamic_configs_.end() ? nothing : at->second;
}

namespace {

std::int64_t number_of(const std::string& text) {
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

}  // namespace

std::int64_t cluster_state::config_number(std::string_view name) const { return number_of(config(name)); }
bool cluster_state::config_flag(std::string_view name) const { return config(name) == "true"; }

std::string cluster_state::config(const topic& of, std::string_view name) const {
    if (const auto at = of.configs.find(std::string{name}); at != of.configs.end()) return at->second;
    const auto* entry = find_topic_config(name);
    if (!entry) return {};
    if (!entry->broker_name.empty())
        if (auto of_broker = config(entry->broker_name); !of_broker.empty()) return of_broker;
    return std::string{entry->default_value};
}

std::int64_t cluster_state::config_number(const topic& of, std::string_view name) const { return number_of(config(of, name)); }

}  // namespace kafkawire::broker
