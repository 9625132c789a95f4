// Messages: bytes to fields, fields to bytes, sizes, JSON, annotations.
#include <kafkawire/protocol/annotate.hpp>
#include <kafkawire/protocol/api.hpp>

#include <algorithm>

#include "conformance/checks.hpp"

namespace kafkawire::conformance {

using namespace protocol;

namespace {

// ListClientMetricsResources became ListConfigResources in 4.1 and renamed its fields with it; version 0 has the same bytes under both.
// Vectors made by older classes come with the old names.
nlohmann::json with_new_names(nlohmann::json line) {
    if (line.at("api") != "ListClientMetricsResources") return line;
    auto& fields = line.at("json");
    const auto old = fields.find("clientMetricsResources");
    if (old == fields.end()) return line;
    auto renamed = nlohmann::json::array();
    for (const auto& resource : *old) renamed.push_back({{"resourceName", resource.at("name")}});
    fields.erase(old);
    fields["configResources"] = std::move(renamed);
    return line;
}

// One vector of a message, and what has been found so far. Each step gives what is wrong, or nothing.
class message_vector {
public:
    message_vector(const nlohmann::json& line, const message_schema& schema)
        : line_{line}, schema_{schema}, version_{line.at("version").get<std::int16_t>()}, wire_{hex_member(line, "hex")}, decoded_{schema} {}

    std::string decodes() const {
        const auto known_flexible = schema_.flexible.contains(version_);
        if (line_.value("flexible", known_flexible) != known_flexible) return std::string{"version is "} + (known_flexible ? "" : "not ") + "flexible for us";
        if (const auto error = decode(schema_, decoded_.get(), wire_, version_)) return "decode: " + error.message();
        std::string text;
        if (const auto error = write_json(schema_, decoded_.get(), version_, text)) return "write JSON: " + error.message();
        if (auto d = json_difference(line_.at("json"), nlohmann::json::parse(text)); !d.empty()) return "decoded fields: " + d;
        if (auto d = json_difference(sorted_tags(line_.value("unknownTags", nlohmann::json::array())), sorted_tags(json::unknown_tags(schema_, decoded_.get()))); !d.empty())
            return "decoded unknown tags: " + d;
        return {};
    }

    std::string encodes_what_it_decoded() const { return encodes(decoded_.get(), wire_, "decode, then encode: "); }

    std::string encodes_from_json() const {
        any_message built{schema_};
        json::byte_store store;
        if (const auto error = json::read_json(schema_, built.get(), version_, line_.at("json"), store)) return "read JSON: " + error.message();
        const auto bare = line_.contains("hexWithoutUnknownTags") ? hex_member(line_, "hexWithoutUnknownTags") : wire_;
        if (auto wrong = encodes(built.get(), bare, "JSON, then encode: "); !wrong.empty() || !line_.contains("unknownTags")) return wrong;
        for (const auto& t : line_.at("unknownTags"))
            if (const auto error = json::add_unknown_tag(schema_, built.get(), t.at("path").get<std::string>(), t.at("tag").get<std::uint32_t>(), hex_member(t, "hex")))
                return "unknown tags of the line: " + error.message();
        return encodes(built.get(), wire_, "JSON and unknown tags, then encode: ");
    }

    // Every byte is explained exactly once, in order.
    std::string annotates() const {
        const auto notes = annotate(schema_, wire_, version_);
        if (notes.error) return "annotate: " + notes.error.message();
        std::size_t at = 0;
        for (const auto& v : notes.values) {
            if (v.offset != at || v.size == 0) return "annotate: " + v.path + " (" + v.type + ") stands at byte " + std::to_string(v.offset) + ", " + std::to_string(at) + " expected";
            at += v.size;
        }
        return at == wire_.size() ? std::string{} : "annotate: ends at byte " + std::to_string(at) + " of " + std::to_string(wire_.size());
    }

    // What travels in records and in JoinGroup has two bytes before it: the version, or the type of a record key.
    std::string has_its_prefix() const {
        if (!line_.contains("prefixedHex")) return {};
        const auto prefix = static_cast<std::uint16_t>(line_.at("type") == "coordinator-key" ? schema_.key : version_);
        bytes whole{static_cast<std::byte>(prefix >> 8), static_cast<std::byte>(prefix & 0xff)};
        whole.insert(whole.end(), wire_.begin(), wire_.end());
        const auto d = difference(hex_member(line_, "prefixedHex"), whole);
        return d.empty() ? d : "prefixed form: " + d;
    }

private:
    std::string encodes(const void* message, bytes_view wanted, const std::string& step) const {
        bytes made;
        if (const auto error = encode(schema_, message, version_, made)) return step + error.message();
        if (auto d = difference(wanted, made); !d.empty()) return step + d;
        std::size_t size = 0;
        if (const auto error = measure(schema_, message, version_, size)) return step + "measure: " + error.message();
        if (size != wanted.size()) return step + "measured " + std::to_string(size) + " bytes of " + std::to_string(wanted.size());
        scatter pieces;
        if (const auto error = encode(schema_, message, version_, pieces)) return step + "scattered: " + error.message();
        bytes together;
        for (const auto part : pieces.parts()) together.insert(together.end(), part.begin(), part.end());
        if (auto d = difference(wanted, together); !d.empty()) return step + "scattered: " + d;
        return pieces.size() == wanted.size() ? std::string{} : step + "scattered: wrong size";
    }

    // The order in which structs are walked is nobody's promise.
    static nlohmann::json sorted_tags(nlohmann::json tags) {
        std::sort(tags.begin(), tags.end(), [](const auto& a, const auto& b) { return a.dump() < b.dump(); });
        return tags;
    }

    const nlohmann::json& line_;
    const message_schema& schema_;
    std::int16_t version_;
    bytes wire_;
    mutable any_message decoded_;  // filled by decodes()
};

}  // namespace

const message_schema* schema_of_line(const nlohmann::json& line) {
    const auto& name = line.at("api").get_ref<const std::string&>();
    const auto& type = line.at("type").get_ref<const std::string&>();
    if (type != "request" && type != "response") return find_data_message(name);
    const auto* api = find_api(name);
    // An API that has been renamed: its key stays (ListClientMetricsResources is ListConfigResources since 4.1).
    if (!api && line.contains("key") && line.at("key").is_number()) api = find_api(line.at("key").get<std::int16_t>());
    if (!api) return nullptr;
    return type == "request" ? api->request : api->response;
}

std::string check_message(const nlohmann::json& line) {
    const auto* schema = schema_of_line(line);
    if (!schema) return "no such message";
    if (const auto key = line.find("key"); key != line.end() && key->is_number() && *key != schema->key) return "its key is " + std::to_string(schema->key) + " for us";
    const auto renamed = with_new_names(line);
    message_vector v{renamed, *schema};
    for (const auto step : {&message_vector::decodes, &message_vector::encodes_what_it_decoded, &message_vector::encodes_from_json, &message_vector::annotates,
                            &message_vector::has_its_prefix})
        if (auto wrong = (v.*step)(); !wrong.empty()) return wrong;
    return {};
}

}  // namespace kafkawire::conformance
