#include "batches.hpp"

#include <kafkawire/json.hpp>
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/crc32c.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace differential {

using namespace kafkawire::protocol;

namespace {

constexpr std::array<std::string_view, 5> codec_names{"none", "gzip", "snappy", "lz4", "zstd"};

compression codec_named(const std::string& name) {
    for (std::size_t i = 0; i < codec_names.size(); ++i)
        if (codec_names[i] == name) return static_cast<compression>(i);
    throw std::runtime_error("there is no codec \"" + name + "\"");
}

std::optional<std::string> blob(const document& record, const char* name) {
    const auto at = record.find(name);
    if (at == record.end() || at->is_null()) return {};
    if (at->is_number()) return std::string(at->get<std::size_t>(), 'x');  // a value of that many bytes
    return at->get<std::string>();
}

nullable_bytes view_of(const std::optional<std::string>& s) { return s ? nullable_bytes{std::string_view{*s}} : nullable_bytes{}; }

void append_record(batch_builder& to, const document& r, std::int64_t first_time) {
    const auto key = blob(r, "k"), value = blob(r, "v");
    std::vector<std::string> kept;
    std::vector<header_view> headers;
    if (const auto h = r.find("h"); h != r.end()) {
        kept.reserve(h->size() * 2);
        for (const auto& [name, content] : h->items()) {
            const auto& k = kept.emplace_back(name);
            headers.push_back({k, content.is_null() ? nullable_bytes{}
                                                    : nullable_bytes{std::string_view{kept.emplace_back(content.get<std::string>())}}});
        }
    }
    const auto time = r.contains("time") ? r.at("time").get<std::int64_t>() : first_time + r.value("t", 0);
    const auto wrong = r.contains("offset") ? to.append_at(r.at("offset").get<std::int64_t>(), time, view_of(key), view_of(value), headers)
                                            : to.append(time, view_of(key), view_of(value), headers);
    if (wrong != kafkawire::errc{}) throw std::runtime_error("a record cannot be in this batch");
}

// `set`: bytes of the finished batch that are overwritten, {"23": "00ff"}, and then the checksum made good again.
void patch(bytes& batch, const document& d) {
    if (const auto set = d.find("set"); set != d.end()) {
        for (const auto& [place, hex] : set->items()) {
            const auto at = std::stoul(place);
            const auto with = kafkawire::json::from_hex(hex.get<std::string>());
            if (!with || at + with->size() > batch.size()) throw std::runtime_error("a patch lies outside of its batch");
            std::copy(with->begin(), with->end(), batch.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (batch.size() > 21 && batch[16] == std::byte{2}) {
            const auto crc = crc32c(bytes_view{batch}.subspan(21));
            for (int i = 0; i < 4; ++i) batch[static_cast<std::size_t>(17 + i)] = static_cast<std::byte>(crc >> (24 - 8 * i));
        }
    }
    if (d.value("crc", std::string{}) == "broken") batch.at(17) ^= std::byte{0xff};
    if (const auto cut = d.value("cut", std::size_t{0})) batch.resize(batch.size() - std::min(cut, batch.size()));
}

bytes build_batch(const document& d, std::int64_t first_time) {
    if (const auto hex = d.find("hex"); hex != d.end()) return kafkawire::json::from_hex(hex->get<std::string>()).value();
    batch_options o;
    o.magic = static_cast<std::int8_t>(d.value("magic", 2));
    o.codec = codec_named(d.value("codec", std::string{"none"}));
    o.base_offset = d.value("baseOffset", std::int64_t{0});
    o.partition_leader_epoch = d.value("leaderEpoch", -1);
    o.producer_id = d.value("pid", std::int64_t{-1});
    o.producer_epoch = static_cast<std::int16_t>(d.value("epoch", -1));
    o.base_sequence = d.value("seq", -1);
    o.transactional = d.value("txn", false);
    o.control = d.value("control", false);
    if (d.contains("last")) o.last_offset = d.at("last").get<std::int64_t>();
    batch_builder builder{o};
    for (const auto& r : d.value("with", document::array())) append_record(builder, r, first_time);
    for (int i = 0; i < d.value("count", 0); ++i)
        append_record(builder, {{"k", "k" + std::to_string(i)}, {"v", d.value("size", 10)}, {"t", i}}, first_time);
    if (const auto marker = d.find("marker"); marker != d.end()) {
        const auto m = make_end_transaction_marker(*marker == "commit" ? control_type::commit : control_type::abort, 0);
        if (builder.append(first_time, bytes_view{m.key}, bytes_view{m.value}) != kafkawire::errc{})
            throw std::runtime_error("no marker fits here");
    }
    bytes_view made;
    if (const auto e = builder.close(made); e) throw std::runtime_error("the batch cannot be closed");
    bytes out{made.begin(), made.end()};
    patch(out, d);
    return out;
}

document text_or_hex(nullable_bytes b) {
    if (b.is_null()) return nullptr;
    for (const char c : b.text())
        if (c < ' ' || c > '~') return "hex:" + kafkawire::json::to_hex(b.view());
    if (b.size() > 40) return std::to_string(b.size()) + " bytes of " + std::string{b.text().substr(0, 4)};
    return std::string{b.text()};
}

document describe_record(const record_view& r) {
    document out{{"offset", r.offset}, {"timestamp", r.timestamp}, {"key", text_or_hex(r.key)}, {"value", text_or_hex(r.value)}};
    auto headers = document::array();
    for (const auto h : r.headers) headers.push_back({{"key", h.key}, {"value", text_or_hex(h.value)}});
    if (!headers.empty()) out["headers"] = std::move(headers);
    return out;
}

}  // namespace

bytes build_batches(const document& description, std::int64_t first_time) {
    if (description.is_object()) return build_batch(description, first_time);
    bytes out;
    for (const auto& d : description) {
        const auto one = build_batch(d, first_time);
        out.insert(out.end(), one.begin(), one.end());
    }
    return out;
}

document describe_batches(bytes_view records) {
    auto out = document::array();
    record_batches batches{records};
    decompressor inflate;
    byte_buffer scratch;
    while (const auto* found = batches.next()) {
        auto b = *found;
        record_cursor cursor;
        const auto wrong = open_batch(b, inflate, scratch, {}, cursor);
        document one{{"baseOffset", b.base_offset},
                     {"lastOffset", b.last_offset},
                     {"leaderEpoch", b.partition_leader_epoch},
                     {"magic", b.magic},
                     {"attributes", b.attributes}};
        one["baseTimestamp"] = b.base_timestamp;
        one["maxTimestamp"] = b.max_timestamp;
        one["producerId"] = b.producer_id;
        one["producerEpoch"] = b.producer_epoch;
        one["baseSequence"] = b.base_sequence;
        one["count"] = b.count;
        if (wrong) one["error"] = wrong.message();
        auto& list = one["records"] = document::array();
        while (const auto* r = cursor.next()) list.push_back(describe_record(*r));
        if (cursor.error()) one["error"] = cursor.error().message();
        out.push_back(std::move(one));
    }
    if (batches.error()) out.push_back({{"error", batches.error().message()}});
    if (batches.cut_bytes()) out.push_back({{"cut", batches.cut_bytes()}});
    return out;
}

}  // namespace differential
