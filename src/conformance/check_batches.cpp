// Record batches: every field and record as Kafka reads them, uncompressed format 2 written byte for byte, damaged ones refused.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include "conformance/checks.hpp"
#include "protocol/text.hpp"

namespace kafkawire::conformance {

using namespace protocol;

namespace {

nlohmann::json base64(const nullable_bytes& data) {
    if (data.is_null()) return nullptr;
    std::string text;
    append_base64(text, std::as_bytes(std::span{data.text()}));
    return text;
}

nlohmann::json json_of(const record_view& r, const record_batch& batch) {
    nlohmann::json j{{"offset", r.offset}, {"timestamp", r.timestamp}, {"key", base64(r.key)}, {"value", base64(r.value)}};
    if (batch.magic < 2) return j;
    j["sequence"] = r.sequence;
    j["headers"] = nlohmann::json::array();
    for (const auto h : r.headers) j["headers"].push_back({h.key, base64(h.value)});
    if (!batch.is_control()) return j;
    constexpr std::array names = {"ABORT", "COMMIT", "LEADER_CHANGE", "SNAPSHOT_HEADER", "SNAPSHOT_FOOTER", "KRAFT_VERSION", "KRAFT_VOTERS"};
    const auto control = parse_control(r);
    j["controlType"] = control ? names.at(static_cast<std::size_t>(control->type)) : "none";
    if (control && static_cast<std::size_t>(control->type) < 2) j["coordinatorEpoch"] = control->coordinator_epoch;
    return j;
}

nlohmann::json json_of(const record_batch& b) {
    const auto* times = b.timestamps() == timestamp_type::none ? "NoTimestampType" : b.timestamps() == timestamp_type::create ? "CreateTime" : "LogAppendTime";
    nlohmann::json j{{"magic", b.magic}, {"baseOffset", b.base_offset}, {"lastOffset", b.last_offset}, {"nextOffset", b.next_offset()},
                     {"sizeInBytes", b.whole.size()}, {"crc", b.crc}, {"attributes", b.attributes}, {"compression", to_string(b.codec())},
                     {"timestampType", times}, {"maxTimestamp", b.max_timestamp}, {"records", nlohmann::json::array()}};
    if (b.magic < 2) return j;
    j.update({{"baseTimestamp", b.base_timestamp}, {"partitionLeaderEpoch", b.partition_leader_epoch}, {"producerId", b.producer_id},
              {"producerEpoch", b.producer_epoch}, {"baseSequence", b.base_sequence}, {"lastSequence", b.last_sequence()}, {"count", b.count},
              {"isTransactional", b.is_transactional()}, {"isControl", b.is_control()}, {"deleteHorizonMs", nullptr}});
    if (b.has_delete_horizon()) j["deleteHorizonMs"] = b.base_timestamp;
    return j;
}

batch_options options_of(const nlohmann::json& b) {
    batch_options o;
    o.magic = 2;
    o.base_offset = b.at("baseOffset");
    o.last_offset = b.at("lastOffset").get<std::int64_t>();
    o.partition_leader_epoch = b.at("partitionLeaderEpoch");
    o.producer_id = b.at("producerId");
    o.producer_epoch = b.at("producerEpoch");
    o.base_sequence = b.at("baseSequence");
    o.transactional = b.at("isTransactional");
    o.control = b.at("isControl");
    if (!b.at("deleteHorizonMs").is_null()) o.delete_horizon = b.at("deleteHorizonMs").get<std::int64_t>();
    o.base_timestamp = b.at("baseTimestamp").get<std::int64_t>();  // compaction keeps what the records that are left cannot tell
    o.max_timestamp = b.at("maxTimestamp").get<std::int64_t>();
    return o;
}

std::optional<bytes> bytes_or_null(const nlohmann::json& text) {
    if (text.is_null()) return {};
    auto data = json::from_base64(text.get_ref<const std::string&>());
    if (!data) throw std::runtime_error{"a key, value or header that is not base64"};
    return data;
}
nullable_bytes view_of(const std::optional<bytes>& data) {
    return data ? nullable_bytes{std::string_view{reinterpret_cast<const char*>(data->data()), data->size()}} : nullable_bytes{};
}

// Built from the line alone, a batch of format 2 has the same bytes.
std::string writes(const nlohmann::json& batch, bytes_view wanted) {
    batch_builder builder;
    builder.start(options_of(batch));
    for (const auto& r : batch.at("records")) {
        const auto key = bytes_or_null(r.at("key")), value = bytes_or_null(r.at("value"));
        std::vector<std::pair<std::string, std::optional<bytes>>> kept;
        for (const auto& h : r.at("headers")) kept.emplace_back(h.at(0).get<std::string>(), bytes_or_null(h.at(1)));
        std::vector<header_view> headers;
        for (const auto& [name, data] : kept) headers.push_back({name, view_of(data)});
        if (builder.append_at(r.at("offset"), r.at("timestamp"), view_of(key), view_of(value), headers) != errc{}) return "write: a record is refused";
    }
    bytes_view made;
    if (const auto error = builder.close(made)) return "write: the batch is refused";
    const auto d = difference(wanted, made);
    return d.empty() ? d : "write: " + d;
}

}  // namespace

std::string check_batches(const nlohmann::json& line) {
    const auto wire = hex_member(line, "hex");
    record_batches found{wire};
    decompressor with;
    byte_buffer scratch;
    auto ours = nlohmann::json::array();
    while (const auto* next = found.next()) {
        auto batch = *next;
        record_cursor cursor;
        if (const auto error = open_batch(batch, with, scratch, {}, cursor)) return "batch " + std::to_string(ours.size()) + ": " + error.message();
        auto j = json_of(batch);
        while (const auto* r = cursor.next()) j["records"].push_back(json_of(*r, batch));
        if (cursor.error()) return "batch " + std::to_string(ours.size()) + ": " + cursor.error().message();
        // With LogAppendTime the records keep the producer's timestamps in bytes that nobody reads; the line does not say them.
        const auto& wanted = line.at("batches");
        if (batch.magic == 2 && batch.codec() == compression::none && batch.timestamps() != timestamp_type::log_append && ours.size() < wanted.size())
            if (auto wrong = writes(wanted.at(ours.size()), batch.whole); !wrong.empty()) return "batch " + std::to_string(ours.size()) + ": " + wrong;
        ours.push_back(std::move(j));
    }
    if (found.error()) return found.error().message();
    return json_difference(line.at("batches"), ours);
}

std::string check_invalid_batches(const nlohmann::json& line) {
    const auto wire = hex_member(line, "hex");
    record_reader reader{wire};
    reader.include_control_batches(true);
    while (reader.next()) {
    }
    return reader.error() ? std::string{} : "taken as good; " + line.at("fault").get<std::string>() + " is wrong with it";
}

}  // namespace kafkawire::conformance
