#include <kafkawire/consumer_options.hpp>

namespace kafkawire::inline v0_1 {

namespace {

std::string said_of_consumer(std::string_view name, const consumer_options& of) {
    for (const auto& o : options_of<consumer_options>())
        if (o.name == name) return std::string{name} + " is " + option_text(o, &of);
    return std::string{name};
}

}  // namespace

error validate(const consumer_options& o) {
    if (auto e = check_options(options_of<consumer_options>(), &o)) return e;
    const auto is = [&](std::string_view name) { return said_of_consumer(name, o); };
    if (o.auto_offset_reset == offset_reset::by_duration && o.reset_duration.count() <= 0)
        return configuration_error(is("auto_offset_reset") + ", and " + is("reset_duration") + "; how far back would be right");
    if (o.fetch_max_bytes > o.fetch_buffer) return configuration_error(is("fetch_max_bytes") + ", more than the memory for it: " + is("fetch_buffer") + "; at most that would be right");
    if (o.partition_bytes > o.fetch_max_bytes) return configuration_error(is("partition_bytes") + ", more than an answer may bring: " + is("fetch_max_bytes") + "; at most that would be right");
    if (o.retry_backoff > o.retry_backoff_max) return configuration_error(is("retry_backoff") + ", and " + is("retry_backoff_max") + "; at most that would be right");
    if (o.heartbeat_interval >= o.session_timeout)
        return configuration_error(is("heartbeat_interval") + ", and " + is("session_timeout") + ": every pause would be taken for death; a third of it would be right");
    if (o.group.empty() && o.auto_commit) return configuration_error("auto_commit is on, and group is empty: offsets are committed for a group", "name a group, or keep offsets elsewhere");
    if (o.group.empty() && !o.auto_mark) return configuration_error("auto_mark is off, and group is empty: what is marked is committed for a group", "name a group, or keep offsets elsewhere");
    if (o.group.empty() && !o.topics.empty()) return configuration_error(is("topics") + ", and group is empty: topics are shared by the members of a group", "name a group, or assign() partitions");
    if (o.match_patterns == pattern_side::broker && o.group_protocol != group_protocol::consumer)
        return configuration_error("match_patterns is broker, and " + is("group_protocol") + ": only with consumer do brokers look for topics", "let the client match them, or set group_protocol to consumer");
    if (o.match_patterns == pattern_side::broker && !o.exclude_topics.empty())
        return configuration_error("match_patterns is broker, and " + is("exclude_topics") + ": brokers exclude none", "let the client match them, or write a narrower pattern");
    if (o.retention_time && o.group_protocol == group_protocol::consumer)
        return configuration_error(is("retention_time") + ", and group_protocol is consumer, whose commits cannot say so", "leave it out, or set group_protocol to classic");
    if (o.assignors.empty()) return configuration_error("assignors is empty; at least one strategy would be right, as cooperative-sticky");
    if (o.group.empty() && !o.group_instance_id.empty()) return configuration_error("group_instance_id is \"" + o.group_instance_id + "\", and group is empty: it names a member of one");
    return {};
}

}  // namespace kafkawire::inline v0_1
