// DeleteTopics: takes topics away, by name or, from version 6 on, by id. What was named twice, or by both, is refused; the others go.
// Versions 1 to 5 only know names. Version 5 adds error messages. Kafka answers in no particular order; here it is that of the checks.
#include <kafkawire/protocol/messages/20_delete_topics.hpp>

#include <map>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::delete_topics_request;
using protocol::messages::delete_topics_response;

struct wanted {
    std::map<std::string, int> names;  // and how often
    std::map<protocol::uuid, int> ids;
};

void answer_one(delete_topics_response& to, std::optional<std::string> name, const protocol::uuid& id, broker_errc code, std::optional<std::string> text = {}) {
    auto& one = to.responses.emplace_back();
    one.name = std::move(name);
    one.topic_id = id;
    one.error_code = code_of(code);
    one.error_message = std::move(text);
}

wanted read(const delete_topics_request& asked, delete_topics_response& to) {
    wanted w;
    for (const auto& name : asked.topic_names) ++w.names[name];
    for (const auto& t : asked.topics) {
        if (!t.name && t.topic_id.is_zero()) answer_one(to, {}, {}, broker_errc::invalid_request, "Neither topic name nor id were specified.");
        else if (!t.name) ++w.ids[t.topic_id];
        else if (t.topic_id.is_zero()) ++w.names[*t.name];
        else answer_one(to, t.name, t.topic_id, broker_errc::invalid_request, "You may not specify both topic name and topic id.");
    }
    for (const auto& [name, times] : w.names)
        if (times > 1) answer_one(to, name, {}, broker_errc::invalid_request, "Duplicate topic name.");
    for (const auto& [id, times] : w.ids)
        if (times > 1) answer_one(to, {}, id, broker_errc::invalid_request, "Duplicate topic id.");
    return w;
}

}  // namespace

void delete_topics(cluster_state& cluster, exchange from, const delete_topics_request& asked) {
    delete_topics_response answer;
    if (!cluster.config_flag("delete.topic.enable")) {
        const auto code = from.version() < 3 ? broker_errc::invalid_request : broker_errc::topic_deletion_disabled;
        for (const auto& name : asked.topic_names) answer_one(answer, name, {}, code);
        for (const auto& t : asked.topics) answer_one(answer, t.name, t.topic_id, code);
        return from.answer(answer);
    }
    const auto w = read(asked, answer);
    std::map<protocol::uuid, std::string> going;
    for (const auto& [id, times] : w.ids) {
        if (times > 1) continue;
        if (const auto* t = cluster.find_topic(id)) going.emplace(id, t->name);
        else answer_one(answer, {}, id, broker_errc::unknown_topic_id, "This server does not host this topic ID.");
    }
    for (const auto& [name, times] : w.names) {
        if (times > 1) continue;
        const auto* t = cluster.find_topic(name);
        if (!t) {
            answer_one(answer, name, {}, broker_errc::unknown_topic_or_partition, "This server does not host this topic-partition.");
        } else if (!going.emplace(t->id, name).second) {
            going.erase(t->id);
            answer_one(answer, name, t->id, broker_errc::invalid_request, "The provided topic name maps to an ID that was already supplied.");
        }
    }
    for (const auto& [id, name] : going) {
        answer_one(answer, name, id, broker_errc::none);
        cluster.delete_topic(name);
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
