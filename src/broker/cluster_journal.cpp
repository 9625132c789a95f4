#include "broker/cluster_journal.hpp"

#include <kafkawire/error.hpp>
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <kafkawire/protocol/varint.hpp>

#include "broker/cluster_state.hpp"

namespace kafkawire::broker {
namespace {

namespace messages = protocol::messages;

// A record's value: an unsigned varint each for the frame's version, the record's key and its version; then the record.
constexpr std::uint32_t frame_version = 1;
constexpr std::uint64_t segment_bytes = 1u << 30;

void put_varint(protocol::bytes& to, std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::byte>(value | 0x80));
    to.push_back(static_cast<std::byte>(value));
}

bool take_varint(protocol::bytes_view& from, std::uint32_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 35 && !from.empty(); shift += 7) {
        const auto b = std::to_integer<std::uint32_t>(from.front());
        from = from.subspan(1);
        value |= (b & 0x7f) << shift;
        if (!(b & 0x80)) return true;
    }
    return false;
}

template <class Record>
bool give(protocol::bytes_view body, std::int16_t version, const std::function<void(const Record&)>& to) {
    Record record;
    if (protocol::decode(record, body, version)) return false;
    to(record);
    return true;
}

bool read_record(protocol::bytes_view value, const cluster_journal::reader& to) {
    std::uint32_t frame = 0, key = 0, version = 0;
    if (!take_varint(value, frame) || !take_varint(value, key) || !take_varint(value, version) || frame != frame_version) return false;
    const auto v = static_cast<std::int16_t>(version);
    switch (key) {
        case messages::topic_record::key: return give(value, v, to.topic);
        case messages::partition_record::key: return give(value, v, to.partition);
        case messages::config_record::key: return give(value, v, to.config);
        case messages::remove_topic_record::key: return give(value, v, to.remove);
        case messages::producer_ids_record::key: return give(value, v, to.producer_ids);
        default: return false;
    }
}

}  // namespace

std::error_code cluster_journal::open(const reader& to) {
    protocol::record_reader records;
    bool good = true;
    const auto ec = store_.open([&](const protocol::record_batch& batch, const segment_store::place&) {
        records.start(batch.whole);
        for (const auto& r : records) good = good && !r.value.is_null() && read_record(r.value.view(), to);
        good = good && !records.error();
        end_offset_ = batch.next_offset();
    });
    error_ = ec || good ? ec : make_error_code(errc::bad_record);
    return error_;
}

std::string cluster_journal::saved_cluster_id() {
    constexpr std::string_view name = "\ncluster.id=";
    const auto text = '\n' + files_->load("meta.properties").value_or("");
    const auto at = text.find(name);
    if (at == std::string::npos) return {};
    const auto from = at + name.size();
    return text.substr(from, text.find('\n', from) - from);
}

std::error_code cluster_journal::save_cluster_id(std::string_view id, std::int32_t node) {
    return files_->replace("meta.properties", "version=1\ncluster.id=" + std::string{id} + "\nnode.id=" + std::to_string(node) + '\n');
}

template <class Record>
void cluster_journal::add(const Record& record, std::int16_t version) {
    auto& to = pending_.emplace_back();
    put_varint(to, frame_version);
    put_varint(to, Record::key);
    put_varint(to, static_cast<std::uint32_t>(version));
    if (protocol::encode(record, version, to) && !error_) error_ = errc::bad_value;
}

void cluster_journal::add_partitions(const topic& t, std::size_t from) {
    for (auto i = from; i < t.partitions.size(); ++i) {
        const auto& p = *t.partitions[i];
        messages::partition_record r;
        r.partition_id = p.index();
        r.topic_id = t.id;
        r.replicas = p.replicas();
        r.isr = p.isr();
        r.leader = p.leader();
        r.leader_epoch = p.leader_epoch();
        r.partition_epoch = 0;
        add(r, 0);
    }
}

void cluster_journal::topic_made(const topic& t, std::int64_t when) {
    messages::topic_record made;
    made.name = t.name;
    made.topic_id = t.id;
    add(made, 0);
    for (const auto& [name, value] : t.configs) add(messages::config_record{2, t.name, name, value, {}}, 0);
    add_partitions(t, 0);
    write(when);
}

void cluster_journal::partitions_added(const topic& t, std::size_t from, std::int64_t when) {
    add_partitions(t, from);
    write(when);
}

void cluster_journal::topic_deleted(const protocol::uuid& id, std::int64_t when) {
    add(messages::remove_topic_record{id, {}}, 0);
    write(when);
}

void cluster_journal::configs_changed(std::int8_t resource_type, const std::string& resource, const std::map<std::string, std::string>& before,
                                      const std::map<std::string, std::string>& after, std::int64_t when) {
    for (const auto& [name, value] : before)
        if (!after.count(name)) add(messages::config_record{resource_type, resource, name, std::nullopt, {}}, 0);
    for (const auto& [name, value] : after)
        if (const auto was = before.find(name); was == before.end() || was->second != value) add(messages::config_record{resource_type, resource, name, value, {}}, 0);
    write(when);
}

void cluster_journal::producer_ids_given(std::int64_t next, std::int64_t when) {
    add(messages::producer_ids_record{0, -1, next, {}}, 0);
    write(when);
}

// One change is one batch, so that a crash leaves all of it or nothing.
void cluster_journal::write(std::int64_t when) {
    if (pending_.empty()) return;
    protocol::batch_builder batch{{.base_offset = end_offset_, .partition_leader_epoch = 0}};
    auto wrong = errc{};
    for (const auto& value : pending_)
        if (wrong == errc{}) wrong = batch.append(when, {}, protocol::bytes_view{value});
    protocol::bytes_view bytes;
    segment_store::place where;
    auto ec = wrong != errc{} ? make_error_code(wrong) : std::error_code{};
    if (!ec && batch.close(bytes)) ec = errc::bad_value;
    if (!ec) ec = store_.append(bytes, end_offset_, segment_bytes, where);
    if (!ec) end_offset_ += static_cast<std::int64_t>(pending_.size());
    else if (!error_) error_ = ec;
    pending_.clear();
}

}  // namespace kafkawire::broker
