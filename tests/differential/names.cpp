#include "names.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace differential {

namespace {

std::string shown(const document& d) {
    auto text = d.dump();
    if (text.size() > 200) text = text.substr(0, 200) + "...";
    return text;
}

// One step of a path: a name, and an index or a member that must have a value.
const document* step(const document* from, std::string_view part) {
    const auto open = part.find('[');
    const auto name = part.substr(0, open);
    if (!name.empty()) {
        if (!from->is_object()) return nullptr;
        const auto at = from->find(std::string{name});
        if (at == from->end()) return nullptr;
        from = &*at;
    }
    if (open == std::string_view::npos) return from;
    const auto inside = part.substr(open + 1, part.size() - open - 2);
    if (!from->is_array()) return nullptr;
    if (const auto equal = inside.find('='); equal != std::string_view::npos) {
        for (const auto& each : *from) {
            const auto* member = step(&each, inside.substr(0, equal));
            if (member && (member->is_string() ? member->get<std::string>() : member->dump()) == inside.substr(equal + 1)) return &each;
        }
        return nullptr;
    }
    std::size_t index = 0;
    std::from_chars(inside.data(), inside.data() + inside.size(), index);
    return index < from->size() ? &(*from)[index] : nullptr;
}

// The list of APIs as an object, so that one that is missing is one difference.
document by_key(const document& list) {
    auto out = document::object();
    for (const auto& each : list)
        if (const auto key = each.find("apiKey"); key != each.end()) out[key->dump()] = each;
    return out;
}

void compare(const document& a, const document& b, const std::string& path, std::vector<std::string>& out) {
    if (a == b) return;
    if (a.is_object() && b.is_object()) {
        for (const auto& [name, value] : a.items()) {
            const auto below = path.empty() ? name : path + "." + name;
            const auto other = b.find(name);
            if (other == b.end())
                out.push_back(below + ": Kafka " + shown(value) + ", not here");
            else
                compare(value, *other, below, out);
        }
        for (const auto& [name, value] : b.items())
            if (!a.contains(name)) out.push_back((path.empty() ? name : path + "." + name) + ": not in Kafka, here " + shown(value));
        return;
    }
    if (a.is_array() && b.is_array() && !a.empty() && a[0].is_object() && a[0].contains("apiKey"))
        return compare(by_key(a), by_key(b), path, out);
    if (a.is_array() && b.is_array()) {
        for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
            const auto below = path + "[" + std::to_string(i) + "]";
            if (i >= b.size())
                out.push_back(below + ": Kafka " + shown(a[i]) + ", not here");
            else if (i >= a.size())
                out.push_back(below + ": not in Kafka, here " + shown(b[i]));
            else
                compare(a[i], b[i], below, out);
        }
        return;
    }
    out.push_back(path + ": Kafka " + shown(a) + ", here " + shown(b));
}

}  // namespace

std::optional<document> at_path(const document& from, std::string_view path) {
    const auto* here = &from;
    while (here && !path.empty()) {
        // A dot inside brackets belongs to a value.
        std::size_t end = 0;
        for (bool inside = false; end < path.size() && (inside || path[end] != '.'); ++end)
            inside = path[end] == '[' || (inside && path[end] != ']');
        here = step(here, path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return here ? std::optional{*here} : std::nullopt;
}

allowances::allowances(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::string line;
    while (std::getline(in, line)) {
        const auto hash = line.find("  # ");
        if (line.empty() || line.front() == '#') continue;
        if (hash == std::string::npos || line.size() < hash + 8) throw script_error("allowed: a reason is missing in \"" + line + "\"");
        std::istringstream words{line.substr(0, hash)};
        std::string first, second, third, fourth;
        words >> first >> second >> third >> fourth;
        if (first == "order") {
            lists_.insert({second, third});
        } else if (first == "absent") {
            member m;
            const auto equal = fourth.find('=');
            m.name = fourth.substr(0, equal);
            std::istringstream values{fourth.substr(equal + 1)};
            for (std::string value; std::getline(values, value, ',');) m.values.insert(value);
            absent_.insert({{second, third}, std::move(m)});
        } else
            fields_.insert({first, second});
    }
}

bool allowances::absent(const std::string& api, const std::string& path, const document& element) const {
    const auto [from, to] = absent_.equal_range({api, path});
    return element.is_object() && std::any_of(from, to, [&](const auto& a) {
               const auto at = element.find(a.second.name);
               return at != element.end() && a.second.values.contains(at->is_string() ? at->template get<std::string>() : at->dump());
           });
}

bool allowances::has(const table& in, const std::string& api, const std::string& path) {
    return in.contains({api, path}) || in.contains({"*", path.substr(path.rfind('.') + 1)});
}

void names::give(const std::string& name, const document& value, std::string_view field) {
    values_[name] = value;
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) texts_[value.get<std::string>()] = "$" + name;
    // Generations and epochs are counted, and so the same everywhere.
    const bool handed_out = field == "producerId" || field == "sessionId";
    if (handed_out && value.is_number_integer() && value.get<std::int64_t>() > 0)
        numbers_[{std::string{field}, value.get<std::int64_t>()}] = "$" + name;
}

void names::note_topic_ids(const document& answer) {
    if (answer.is_array())
        for (const auto& each : answer) note_topic_ids(each);
    if (!answer.is_object()) return;
    for (const auto& [name, value] : answer.items()) note_topic_ids(value);
    const auto name = answer.find("name"), id = answer.find("topicId");
    if (name == answer.end() || id == answer.end() || !name->is_string() || !id->is_string()) return;
    const auto& text = id->get_ref<const std::string&>();
    if (text == "AAAAAAAAAAAAAAAAAAAAAA" || texts_.contains(text)) return;
    const auto topic = name->get<std::string>();
    const auto count = ++topics_[topic];
    values_["id." + topic] = text;
    texts_[text] = "$id." + topic + (count > 1 ? "#" + std::to_string(count) : "");
}

std::optional<document> names::value_of(std::string_view text) const {
    text.remove_prefix(1);
    if (const auto exact = values_.find(std::string{text}); exact != values_.end()) return exact->second;
    const auto sign = text.find_last_of("+-");
    const auto name = text.substr(0, sign);
    std::int64_t more = 0;
    if (sign != std::string_view::npos) {
        std::from_chars(text.data() + sign + 1, text.data() + text.size(), more);
        if (text[sign] == '-') more = -more;
    }
    if (name == "t") return document(first_time_ + more);
    const auto at = values_.find(std::string{name});
    if (at == values_.end() || (sign != std::string_view::npos && !at->second.is_number_integer())) return {};
    return at->second.is_number_integer() ? document(at->second.get<std::int64_t>() + more) : at->second;
}

document names::renamed(const document& value, const std::string& field) const {
    if (value.is_string()) {
        auto text = value.get<std::string>();
        if (const auto whole = texts_.find(text); whole != texts_.end()) return whole->second;
        for (const auto& [id, name] : texts_)
            if (id.size() >= 16)
                for (auto at = text.find(id); at != std::string::npos; at = text.find(id, at + name.size()))
                    text.replace(at, id.size(), name);
        return text;
    }
    if (!value.is_number_integer()) return value;
    const auto n = value.get<std::int64_t>();
    if (const auto at = numbers_.find({field, n}); at != numbers_.end()) return at->second;
    if (n >= first_time_ && n < first_time_ + 1'000) return "t+" + std::to_string(n - first_time_);
    if (n >= first_time_ + 1'000 && n < first_time_ + 1'000'000'000) return "time";
    return value;
}

document names::normal(const document& answer, const std::string& api, const allowances& allowed,
                       const std::set<std::string>& ignored) const {
    const auto walk = [&](const auto& self, const document& value, const std::string& path) -> document {
        if (allowed.may_differ(api, path) || ignored.contains(path)) return "*";
        if (value.is_object()) {
            auto out = document::object();
            for (const auto& [name, member] : value.items()) out[name] = self(self, member, path.empty() ? name : path + "." + name);
            return out;
        }
        if (value.is_array()) {
            std::vector<document> list;
            for (const auto& each : value)
                if (!allowed.absent(api, path, each)) list.push_back(self(self, each, path));
            if (allowed.unordered(api, path))
                std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.dump() < b.dump(); });
            return list;
        }
        return renamed(value, path.substr(path.rfind('.') + 1));
    };
    return walk(walk, answer, "");
}

std::vector<std::string> differences(const document& expected, const document& got) {
    std::vector<std::string> out;
    compare(expected, got, "", out);
    return out;
}

}  // namespace differential
