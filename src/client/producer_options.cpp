#include <kafkawire/producer_options.hpp>

#include <cstddef>
#include <utility>

namespace kafkawire::inline v0_1 {

namespace {

// "batch_bytes is 1000000": the option by its name, its value as the manual would write it.
std::string said(std::span<const option_schema> table, std::string_view name, const void* object) {
    for (const auto& o : table)
        if (o.name == name) return std::string{name} + " is " + option_text(o, object);
    return std::string{name};
}

// A level that its codec does not have.
std::string wrong_level(protocol::compression codec, std::int32_t level) {
    if (level == protocol::default_level) return {};
    const auto name = std::string{protocol::to_string(codec)};
    const auto range = levels_of(codec);
    if (!range) return codec == protocol::compression::none ? "compression is none; default would be right" : name + " has no levels; default would be right";
    if (level >= range->lowest && level <= range->highest) return {};
    return name + " has " + std::to_string(range->lowest) + " to " + std::to_string(range->highest) + ", or default";
}

error check_idempotence(const producer_options& o) {
    const auto table = options_of<producer_options>();
    const auto is = [&](std::string_view name) { return said(table, name, &o); };
    if (!o.transactional_id.empty()) {
        if (o.idempotence == toggle::off) return configuration_error(is("idempotence") + ", and transactional_id is \"" + o.transactional_id + "\": transactions need idempotence on");
        if (o.acks != acks::all) return configuration_error(is("acks") + ", and transactional_id is \"" + o.transactional_id + "\": transactions need acks all");
    }
    if (!idempotent(o)) return {};
    if (o.acks != acks::all) return configuration_error(is("acks") + ", and idempotence is on: it needs acks all", "idempotence off permits acks 0 and 1; records may then come twice or be lost");
    if (o.in_flight > 5) return configuration_error(is("in_flight") + "; with idempotence 1 to 5 would be right", "idempotence off permits more; a retry may then change the order");
    return {};
}

error check_sizes(const producer_options& o) {
    const auto table = options_of<producer_options>();
    const auto is = [&](std::string_view name) { return said(table, name, &o); };
    if (o.batch_bytes > o.request_bytes) return configuration_error(is("batch_bytes") + ", larger than a request: " + is("request_bytes") + "; at most that would be right");
    if (o.batch_bytes > o.send_buffer) return configuration_error(is("batch_bytes") + ", larger than the memory for sending: " + is("send_buffer") + "; at most that would be right");
    if (o.linger >= o.delivery_timeout) return configuration_error(is("linger") + ", and " + is("delivery_timeout") + ": a record would be too late before it is sent; a shorter linger would be right");
    if (o.retry_backoff > o.retry_backoff_max) return configuration_error(is("retry_backoff") + ", and " + is("retry_backoff_max") + "; at most that would be right");
    return {};
}

// `both`: the producer's own settings, without topics; here the topic's are laid over them.
error check_topic(producer_options both, const std::string& name, const topic_options& t) {
    if (name.empty()) return configuration_error("topics has an entry without a name");
    const auto of_topic = "topic " + name + ": ";
    if (auto e = check_options(options_of<topic_options>(), &t)) {
        e.text = of_topic + e.text;
        return e;
    }
    if (t.compression) {
        // Another codec than the producer's takes nothing from the producer's level.
        if (*t.compression != both.compression) both.compression_level = protocol::default_level;
        both.compression = *t.compression;
    }
    if (t.compression_level) both.compression_level = *t.compression_level;
    if (t.linger) both.linger = *t.linger;
    if (t.batch_bytes) both.batch_bytes = *t.batch_bytes;
    if (t.delivery_timeout) both.delivery_timeout = *t.delivery_timeout;
    if (t.unknown_topic_timeout) both.unknown_topic_timeout = *t.unknown_topic_timeout;
    auto e = validate(both);
    if (e) e.text = of_topic + e.text;
    return e;
}

}  // namespace

std::optional<level_range> levels_of(protocol::compression codec) noexcept {
    switch (codec) {
        case protocol::compression::gzip: return level_range{0, 9};
        case protocol::compression::lz4: return level_range{-100, 12};
        case protocol::compression::zstd: return level_range{-131'072, 22};
        default: return {};
    }
}

std::string check_transactional_id(std::string_view id) { return id.size() > 32'767 ? "at most 32767 bytes fit on the wire" : ""; }

error validate(const producer_options& o) {
    if (auto e = check_options(options_of<producer_options>(), &o)) return e;
    if (const auto wrong = wrong_level(o.compression, o.compression_level); !wrong.empty())
        return configuration_error("compression_level is " + std::to_string(o.compression_level) + "; " + wrong);
    if (auto e = check_idempotence(o)) return e;
    if (auto e = check_sizes(o)) return e;
    if (o.topics.empty()) return {};
    auto common = o;
    common.topics.clear();
    for (const auto& [name, topic] : o.topics)
        if (auto e = check_topic(common, name, topic)) return e;
    return {};
}

}  // namespace kafkawire::inline v0_1
