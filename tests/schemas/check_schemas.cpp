// check-schemas ALLOWED FOLDER-4.3 FOLDER-3.9: compares our declarations with the schema files of Apache Kafka, version by version: which
// fields there are, in which order, their types, nullability, tags, defaults, whether they are ignorable, and which versions are flexible.
// Of 3.9 only the versions are compared that 4.3 does not have. What differs must stand in ALLOWED, with its reason; an entry that
// matches nothing is an error too.
#include <kafkawire/protocol/api.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace {

using namespace kafkawire::protocol;
using nlohmann::json;

version_range parse_versions(const std::string& text) {
    if (text.empty() || text == "none") return none();
    const auto lowest = std::stoi(text);
    if (text.back() == '+') return since(lowest);
    const auto dash = text.find('-');
    return between(lowest, dash == std::string::npos ? lowest : std::stoi(text.substr(dash + 1)));
}
version_range versions_of(const json& field, const char* name, version_range otherwise) {
    const auto at = field.find(name);
    return at == field.end() ? otherwise : parse_versions(at->get<std::string>());
}

// A field as it is in one version. What Kafka says and what we say, in the same words.
struct field_facts {
    std::string path, type, standard;  // standard: the default
    bool nullable = false, ignorable = false, flexible = false;
    int tag = -1;
};

std::string lower_first(std::string name) {
    if (!name.empty()) name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
    return name;
}

// ---- Kafka's side
class kafka_schema {
public:
    explicit kafka_schema(const json& file) : file_{file}, flexible_{versions_of(file, "flexibleVersions", none())} {
        for (const auto& s : file.value("commonStructs", json::array())) common_[s.at("name")] = s.at("fields");
    }
    std::vector<field_facts> at(std::int16_t version) const {
        std::vector<field_facts> all;
        add(file_.at("fields"), "", version, all);
        return all;
    }

private:
    void add(const json& fields, const std::string& prefix, std::int16_t version, std::vector<field_facts>& to) const {
        for (const auto& f : fields) {
            // Some tagged fields say only since when they are tagged.
            if (!versions_of(f, "versions", versions_of(f, "taggedVersions", all())).contains(version)) continue;
            field_facts facts;
            facts.path = prefix + lower_first(f.at("name"));
            auto type = f.at("type").get<std::string>();
            const bool array = type.starts_with("[]");
            const auto element = array ? type.substr(2) : type;
            const bool structure = std::isupper(static_cast<unsigned char>(element[0])) != 0;
            facts.type = (array ? "[]" : "") + (structure ? "struct" : element);
            facts.nullable = versions_of(f, "nullableVersions", none()).contains(version);
            facts.flexible = flexible_.contains(version) && versions_of(f, "flexibleVersions", all()).contains(version);
            if (versions_of(f, "taggedVersions", none()).contains(version)) facts.tag = f.at("tag");
            facts.ignorable = f.contains("ignorable") && (f.at("ignorable") == true || f.at("ignorable") == "true");
            facts.standard = default_of(f, array, structure, facts.type);
            to.push_back(facts);
            if (structure) add(f.contains("fields") ? f.at("fields") : common_.at(element), facts.path + ".", version, to);
        }
    }
    // An absent default, and a JSON null where the text "null" is meant, is the type's own.
    static std::string default_of(const json& f, bool array, bool structure, const std::string& type) {
        const auto at = f.find("default");
        const auto text = at == f.end() || at->is_null() ? std::string{} : at->is_string() ? at->get<std::string>() : at->dump();
        if (text == "null") return "null";
        if (array) return "empty";
        if (structure) return "struct";
        if (type == "string") return "\"" + text + "\"";
        if (type == "bytes") return "empty";
        if (type == "records") return "null";  // the one type whose own default is null
        if (type == "bool") return text == "true" ? "true" : "false";
        if (type == "uuid") return "zero";
        if (type == "float64") return std::to_string(text.empty() ? 0.0 : std::stod(text));
        return std::to_string(text.empty() ? 0LL : std::stoll(text, nullptr, 0));
    }

    const json& file_;
    version_range flexible_;
    std::map<std::string, json> common_;
};

// ---- our side
std::string default_of(const field_schema& f, const struct_schema& owner) {
    void* member = f.get(const_cast<void*>(owner.prototype));
    if (f.optional && !(member = f.optional->value(member))) return "null";
    switch (f.what) {
        case kind::boolean: return *static_cast<bool*>(member) ? "true" : "false";
        case kind::int8: return std::to_string(*static_cast<std::int8_t*>(member));
        case kind::int16: return std::to_string(*static_cast<std::int16_t*>(member));
        case kind::uint16: return std::to_string(*static_cast<std::uint16_t*>(member));
        case kind::int32: return std::to_string(*static_cast<std::int32_t*>(member));
        case kind::uint32: return std::to_string(*static_cast<std::uint32_t*>(member));
        case kind::int64: return std::to_string(*static_cast<std::int64_t*>(member));
        case kind::float64: return std::to_string(*static_cast<double*>(member));
        case kind::uuid: return static_cast<uuid*>(member)->is_zero() ? "zero" : "not zero";
        case kind::string: return "\"" + *static_cast<std::string*>(member) + "\"";
        case kind::bytes: return static_cast<bytes*>(member)->empty() ? "empty" : "not empty";
        case kind::records: return "null";  // an empty view without a std::optional around it says the same
        case kind::structure: return "struct";
        case kind::array: return f.array->size(member) == 0 ? "empty" : "not empty";
    }
    return "?";
}

void add_ours(const struct_schema& schema, const std::string& prefix, std::int16_t version, bool flexible, std::vector<field_facts>& to) {
    for (const auto& f : schema.fields) {
        const auto& o = f.options;
        if (!o.in.contains(version)) continue;
        field_facts facts{prefix + std::string{f.name}, std::string{to_string(f.what)}, default_of(f, schema)};
        if (f.what == kind::array) facts.type = "[]" + std::string{to_string(f.array->element)};
        facts.nullable = o.nullable.contains(version);
        facts.ignorable = o.ignorable;
        facts.flexible = flexible && o.flexible.contains(version);
        if (o.tagged.contains(version)) facts.tag = o.tag;
        to.push_back(facts);
        const struct_schema* inner = f.what == kind::structure ? f.schema() : f.what == kind::array && f.array->element == kind::structure ? f.array->element_schema() : nullptr;
        if (inner) add_ours(*inner, to.back().path + ".", version, flexible, to);
    }
}

// ---- differences
class report {
public:
    explicit report(const char* allowed_file) {
        std::ifstream in{allowed_file};
        if (!in) throw std::runtime_error{std::string{"cannot read "} + allowed_file};
        std::string line;
        while (std::getline(in, line))
            if (const auto why = line.find("  # "); !line.empty() && line[0] != '#') {
                if (why == std::string::npos || why + 4 >= line.size()) throw std::runtime_error{"an entry without a reason: " + line};
                allowed_[line.substr(0, line.find_last_not_of(' ', why) + 1)] = 0;
            }
    }
    void differs(const std::string& message, std::int16_t version, const std::string& what) {
        // An entry names message and field; it holds for all versions.
        const auto key = message + " " + what;
        for (auto& [entry, used] : allowed_)
            if (key.starts_with(entry)) {
                ++used;
                ++let_pass_;
                return;
            }
        std::printf("%s v%d: %s\n", message.c_str(), version, what.c_str());
        ++count_;
    }
    void compare(const std::string& message, std::int16_t version, const std::vector<field_facts>& kafka, const std::vector<field_facts>& ours) {
        std::map<std::string, const field_facts*> mine, theirs;
        for (const auto& f : ours) mine[f.path] = &f;
        for (const auto& f : kafka) theirs[f.path] = &f;
        for (const auto& f : kafka)
            if (!mine.contains(f.path)) differs(message, version, f.path + ": not ours");
        std::vector<std::string> order, our_order;
        for (const auto& f : ours) {
            const auto at = theirs.find(f.path);
            if (at == theirs.end()) {
                differs(message, version, f.path + ": not Kafka's");
                continue;
            }
            if (f.tag < 0) our_order.push_back(f.path);
            const auto& k = *at->second;
            const auto same = [&](const char* what, const auto& a, const auto& b) {
                if (a == b) return;
                const auto text = [](const auto& v) {
                    if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string>) return v;
                    else return std::to_string(v);
                };
                differs(message, version, f.path + ": " + what + " " + text(a) + " in Kafka, " + text(b) + " here");
            };
            same("type", k.type, f.type);
            same("nullable", k.nullable, f.nullable);
            same("tag", k.tag, f.tag);
            same("default", k.standard, f.standard);
            same("ignorable", k.ignorable, f.ignorable);
            same("flexible", k.flexible, f.flexible);
        }
        for (const auto& f : kafka)
            if (mine.contains(f.path) && f.tag < 0) order.push_back(f.path);
        if (order != our_order) differs(message, version, "the fields stand in another order");
        fields_ += kafka.size();
        ++compared_;
    }
    int end() {
        for (const auto& [entry, used] : allowed_)
            if (used == 0) {
                std::printf("allowed, but it does not differ: %s\n", entry.c_str());
                ++count_;
            }
        std::printf("%zu messages and versions, %zu fields compared: %zu differences, %zu more that are allowed (%zu entries)\n", compared_, fields_, count_, let_pass_, allowed_.size());
        return count_ == 0 && compared_ > 0 ? 0 : 1;
    }

private:
    std::map<std::string, std::size_t> allowed_;
    std::size_t count_ = 0, let_pass_ = 0, compared_ = 0, fields_ = 0;
};

const message_schema* ours_for(const json& file) {
    const auto& type = file.at("type");
    if (type != "request" && type != "response") return find_data_message(file.at("name").get<std::string>());
    const auto* api = find_api(file.at("apiKey").get<std::int16_t>());
    return !api ? nullptr : type == "request" ? api->request : api->response;
}

using versions_done = std::map<const message_schema*, std::set<std::int16_t>>;

void compare_folder(const char* folder, report& to, versions_done& done) {
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream in{entry.path()};
        const auto file = json::parse(in, nullptr, true, true);  // with comments
        const auto name = file.value("name", entry.path().stem().string());
        const auto versions = versions_of(file, "validVersions", none());
        if (versions.empty()) continue;  // the key is kept, the message is gone
        const auto* schema = ours_for(file);
        if (!schema) {
            to.differs(name, versions.lowest, "no such message here");
            continue;
        }
        const auto flexible = versions_of(file, "flexibleVersions", none());
        const kafka_schema kafka{file};
        for (auto v = versions.lowest; v <= versions.highest; ++v) {
            if (!schema->versions.contains(v)) {
                to.differs(name, v, "no such version here");
                continue;
            }
            if (!done[schema].insert(v).second) continue;  // 4.3 has it
            if (flexible.contains(v) != schema->flexible.contains(v)) to.differs(name, v, "flexible in one of them only");
            std::vector<field_facts> ours;
            add_ours(*schema->body, "", v, schema->flexible.contains(v), ours);
            to.compare(name, v, kafka.at(v), ours);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: check-schemas ALLOWED FOLDER-4.3 FOLDER-3.9\n");
        return 2;
    }
    try {
        report differences{argv[1]};
        versions_done done;
        compare_folder(argv[2], differences, done);
        compare_folder(argv[3], differences, done);
        // And the other way round: what we declare, one of them has.
        for (const auto* m : messages_list())
            for (auto v = m->versions.lowest; v <= m->versions.highest; ++v)
                if (!done[m].contains(v)) differences.differs(std::string{m->name} + (m->as == role::request ? "Request" : m->as == role::response ? "Response" : ""), v, "Kafka has no such version");
        return differences.end();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "check-schemas: %s\n", e.what());
        return 2;
    }
}
