// topics list | describe | create | delete.
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/20_delete_topics.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/confirm.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/topics.hpp"

namespace kafkawire::cli {

using namespace protocol;
using json = nlohmann::ordered_json;

namespace {

struct topics_arguments {
    std::vector<std::string> names, configs;
    std::optional<std::int64_t> partitions, replicas;
    bool only_names = false, under_replicated = false, unavailable = false, if_not_exists = false, yes = false, dry_run = false;
};

std::string joined(const std::vector<std::int32_t>& ids) { return fmt::format("{}", fmt::join(ids, ",")); }

asio::awaitable<status> list(session& s, const topics_arguments& a) {
    const auto topics = co_await all_topics(s);
    auto& c = s.ctx();
    if (c.format == output_format::json) {
        auto rows = json::array();
        for (const auto& t : topics)
            rows.push_back({{"name", t.name}, {"topic_id", t.id.is_zero() ? json{} : json(t.id.to_string())}, {"partitions", t.partitions.size()},
                            {"replicas", t.partitions.empty() ? 0 : t.partitions.front().replicas.size()}, {"internal", t.internal}});
        c.out->write(json{{"schema", "kafka-cli/topics.list/1"}, {"topics", rows}}.dump() + "\n");
        co_return status::done;
    }
    if (a.only_names) {
        for (const auto& t : topics) c.out->write(t.name + "\n");
        co_return status::done;
    }
    table t{{"NAME", "PARTITIONS", "REPLICAS", "INTERNAL"}, {}};
    for (const auto& v : topics)
        t.add({v.name, std::to_string(v.partitions.size()), std::to_string(v.partitions.empty() ? 0 : v.partitions.front().replicas.size()), v.internal ? "yes" : "no"});
    c.out->write(t.as(c.format));
    co_return status::done;
}

struct described {
    const topic_view* topic;
    const topic_view::partition* partition;
    std::optional<std::int64_t> start, end;
};

// Partitions with their offsets; those without a leader have none.
asio::awaitable<std::vector<described>> describe_partitions(session& s, const std::vector<topic_view>& topics) {
    offsets_query query;
    for (const auto& t : topics)
        for (const auto& p : t.partitions)
            if (p.leader >= 0) query.partitions.emplace_back(t.name, p.id);
    query.time = -2;
    const auto starts = co_await list_offsets(s, topics, query);
    query.time = -1;
    const auto ends = co_await list_offsets(s, topics, query);
    std::vector<described> rows;
    for (const auto& t : topics)
        for (const auto& p : t.partitions) {
            described d{&t, &p, {}, {}};
            if (const auto at = starts.find({t.name, p.id}); at != starts.end()) d.start = at->second;
            if (const auto at = ends.find({t.name, p.id}); at != ends.end()) d.end = at->second;
            rows.push_back(d);
        }
    co_return rows;
}

asio::awaitable<status> describe(session& s, const topics_arguments& a) {
    std::vector<topic_view> topics;
    if (a.names.empty()) topics = co_await all_topics(s);
    else topics = co_await need_topics(s, a.names);
    auto rows = co_await describe_partitions(s, topics);
    if (a.under_replicated) std::erase_if(rows, [](const described& d) { return d.partition->in_sync.size() >= d.partition->replicas.size(); });
    if (a.unavailable) std::erase_if(rows, [](const described& d) { return d.partition->leader >= 0; });
    auto& c = s.ctx();
    if (c.format == output_format::json) {
        auto list = json::array();
        for (const auto& d : rows)
            list.push_back({{"topic", d.topic->name}, {"topic_id", d.topic->id.is_zero() ? json{} : json(d.topic->id.to_string())}, {"partition", d.partition->id},
                            {"leader", d.partition->leader < 0 ? json{} : json(d.partition->leader)}, {"leader_epoch", d.partition->leader_epoch},
                            {"replicas", d.partition->replicas}, {"in_sync", d.partition->in_sync}, {"offline", d.partition->offline},
                            {"start", d.start ? json(*d.start) : json{}}, {"end", d.end ? json(*d.end) : json{}}});
        c.out->write(json{{"schema", "kafka-cli/topics.describe/1"}, {"partitions", list}}.dump() + "\n");
        co_return status::done;
    }
    table t{{"TOPIC", "PARTITION", "LEADER", "REPLICAS", "IN-SYNC", "OFFLINE", "START", "END"}, {}};
    for (const auto& d : rows)
        t.add({d.topic->name, std::to_string(d.partition->id), d.partition->leader < 0 ? "none" : std::to_string(d.partition->leader), joined(d.partition->replicas),
               joined(d.partition->in_sync), joined(d.partition->offline), d.start ? std::to_string(*d.start) : "-", d.end ? std::to_string(*d.end) : "-"});
    c.out->write(t.as(c.format));
    co_return status::done;
}

// The controller takes these requests; in a KRaft cluster any broker hands them on.
asio::awaitable<std::int32_t> controller(session& s) {
    messages::metadata_request request;
    const auto a = co_await s.ask(std::move(request), {}, "cannot find the controller");
    co_return a.controller_id;
}

request_options to_broker(std::int32_t id) {
    request_options o;
    if (id >= 0) o.broker = id;
    return o;
}

struct item {
    std::string name;
    std::int16_t error = 0;
    std::string text;
};

// One line per topic, failures included; the worst decides the status.
status report(context& c, const std::vector<item>& items, std::string_view done_word, std::string_view schema) {
    const item* bad = nullptr;
    for (const auto& i : items)
        if (i.error && !bad) bad = &i;
    if (bad && items.size() == 1) {
        auto f = from_broker_code(bad->error, fmt::format("topic \"{}\"", bad->name));
        if (!bad->text.empty()) f.cause = bad->text;
        throw f;
    }
    if (c.format == output_format::json) {
        auto list = json::array();
        for (const auto& i : items) {
            const auto* e = find_broker_error(i.error);
            list.push_back({{"name", i.name}, {"ok", i.error == 0}, {"error", i.error ? json(e ? std::string{e->name} : std::to_string(i.error)) : json{}}});
        }
        c.out->write(json{{"schema", schema}, {"topics", list}}.dump() + "\n");
    } else {
        for (const auto& i : items) {
            if (i.error == 0) note(fmt::format("{} {}", done_word, i.name));
            else note(fmt::format("kafka-cli: {}", from_broker_code(i.error, fmt::format("topic \"{}\"", i.name)).message));
        }
    }
    return bad ? status::failed : status::done;
}

messages::create_topics_request create_request(const topics_arguments& a, int partitions, int replicas, std::chrono::milliseconds timeout) {
    messages::create_topics_request request;
    for (const auto& n : a.names) {
        messages::create_topics_request::creatable_topic t;
        t.name = n;
        t.num_partitions = partitions;
        t.replication_factor = static_cast<std::int16_t>(replicas);
        for (const auto& c : a.configs) {
            const auto equals = c.find('=');
            if (equals == c.npos || equals == 0) throw usage_error(fmt::format("--config {} is not NAME=VALUE", c), "for example --config retention.ms=3600000");
            messages::create_topics_request::creatable_topic_config one;
            one.name = c.substr(0, equals);
            one.value = c.substr(equals + 1);
            t.configs.push_back(std::move(one));
        }
        request.topics.push_back(std::move(t));
    }
    request.timeout_ms = static_cast<std::int32_t>(std::min<std::int64_t>(timeout.count(), 0x7fffffff));
    request.validate_only = a.dry_run;
    return request;
}

// A topic is usable when the brokers know its leaders; each of them learns of it by itself.
asio::awaitable<void> wait_until_known(session& s, std::vector<std::string> names) {
    const auto give_up = std::chrono::steady_clock::now() + std::min(s.ctx().timeout, std::chrono::milliseconds{10'000});
    const auto brokers = s.cluster().brokers();
    for (const auto& b : brokers) {
        if (b.id < 0) continue;
        for (;;) {
            messages::metadata_request request;
            for (const auto& n : names) {
                messages::metadata_request::topic t;
                t.name = n;
                request.topics->push_back(std::move(t));
            }
            bool ready = true;
            try {
                const auto a = co_await s.ask(std::move(request), to_broker(b.id), "cannot ask for the new topic");
                for (const auto& t : a.topics) {
                    ready = ready && t.error_code == 0;
                    for (const auto& p : t.partitions) ready = ready && p.leader_id >= 0;
                }
            } catch (const failure&) {
                break;  // a broker that is down cannot be waited for
            }
            if (ready || std::chrono::steady_clock::now() > give_up) break;
            co_await s.sleep(std::chrono::milliseconds{50});
        }
    }
}

}  // namespace

asio::awaitable<std::int16_t> create_topic(session& s, std::string name, int partitions, int replicas) {
    topics_arguments a;
    a.names = {name};
    auto request = create_request(a, partitions, replicas, s.ctx().timeout);
    const auto to = to_broker(co_await controller(s));
    const auto answer = co_await s.ask(std::move(request), to, "cannot create the topic");
    const auto code = answer.topics.empty() ? std::int16_t{-1} : answer.topics.front().error_code;
    std::vector<std::string> made{name};
    if (code == 0) co_await wait_until_known(s, std::move(made));
    co_return code;
}

namespace {

asio::awaitable<status> create(session& s, const topics_arguments& a) {
    if (a.partitions && (*a.partitions < 1 || *a.partitions > 100'000)) throw usage_error(fmt::format("--partitions {} is out of range", *a.partitions));
    if (a.replicas && (*a.replicas < 1 || *a.replicas > 1000)) throw usage_error(fmt::format("--replicas {} is out of range", *a.replicas));
    const auto to = to_broker(co_await controller(s));
    // From version 4 on the broker has defaults of its own, said by -1.
    const bool defaults = co_await s.version_of(messages::create_topics_request::key, to.broker, "cannot create topics") >= 4;
    const int unsaid = defaults ? -1 : 1;
    auto request = create_request(a, a.partitions ? static_cast<int>(*a.partitions) : unsaid, a.replicas ? static_cast<int>(*a.replicas) : unsaid, s.ctx().timeout);
    const auto answer = co_await s.ask(std::move(request), to, "cannot create topics");
    std::vector<item> items;
    std::vector<std::string> made;
    for (const auto& t : answer.topics) {
        const bool there_already = a.if_not_exists && static_cast<broker_errc>(t.error_code) == broker_errc::topic_already_exists;
        items.push_back({t.name, there_already ? std::int16_t{0} : t.error_code, t.error_message.value_or("")});
        if (t.error_code == 0) made.push_back(t.name);
    }
    if (!a.dry_run && !made.empty()) co_await wait_until_known(s, made);
    co_return report(s.ctx(), items, a.dry_run ? "would create" : "created", "kafka-cli/topics.create/1");
}

asio::awaitable<status> remove(session& s, const topics_arguments& a) {
    const auto to = to_broker(co_await controller(s));
    const auto version = co_await s.version_of(messages::delete_topics_request::key, to.broker, "cannot delete topics");
    messages::delete_topics_request request;
    for (const auto& n : a.names) {
        if (version < 6) {
            request.topic_names.push_back(n);
            continue;
        }
        messages::delete_topics_request::delete_topic_state t;
        t.name = n;
        request.topics.push_back(std::move(t));
    }
    request.timeout_ms = static_cast<std::int32_t>(std::min<std::int64_t>(s.ctx().timeout.count(), 0x7fffffff));
    auto options = to;
    options.version = version;
    const auto answer = co_await s.ask(std::move(request), options, "cannot delete topics");
    std::vector<item> items;
    for (const auto& t : answer.responses) items.push_back({t.name.value_or(""), t.error_code, t.error_message.value_or("")});
    for (const auto& i : items)
        if (items.size() == 1 && static_cast<broker_errc>(i.error) == broker_errc::unknown_topic_or_partition) {
            auto f = co_await unknown_topic(s, i.name);
            throw f;
        }
    co_return report(s.ctx(), items, "deleted", "kafka-cli/topics.delete/1");
}

using topics_verb = asio::awaitable<status> (*)(session&, const topics_arguments&);
action with_session(std::shared_ptr<topics_arguments> a, topics_verb v) {
    return [a, v](context& c) {
        session s{c};
        return s.run([a, v](session& in) { return v(in, *a); });
    };
}

}  // namespace

void add_topics(command root) {
    auto group = root.add("topics", "List, describe, create and delete topics");
    group.alias("topic");
    {
        auto a = std::make_shared<topics_arguments>();
        auto sub = group.add("list", "All topics");
        sub.flag("--names", a->only_names, "Only the names, one a line");
        sub.examples("  kafka-cli topics list -b broker:9092\n  kafka-cli topics list --output json | jq -r '.topics[].name'\n  kafka-cli topics list --names");
        sub.does(with_session(a, list));
    }
    {
        auto a = std::make_shared<topics_arguments>();
        auto sub = group.add("describe", "Partitions, leaders, replicas and offsets");
        sub.words("TOPIC", a->names, "Topics; none: all", false);
        sub.flag("--under-replicated", a->under_replicated, "Only partitions with a replica that lags");
        sub.flag("--unavailable", a->unavailable, "Only partitions without a leader");
        sub.examples("  kafka-cli topics describe orders\n  kafka-cli topics describe --under-replicated\n  kafka-cli topics describe orders --output json");
        sub.does(with_session(a, describe));
    }
    {
        auto a = std::make_shared<topics_arguments>();
        auto sub = group.add("create", "Makes topics, and waits until the brokers know them");
        sub.words("TOPIC", a->names, "Names", true);
        sub.option("-p,--partitions", a->partitions, "How many partitions (default: the broker's)");
        sub.option("-r,--replicas", a->replicas, "How many replicas (default: the broker's)");
        sub.option("-c,--config", a->configs, "A setting of the topic; may be repeated", "NAME=VALUE");
        sub.flag("--if-not-exists", a->if_not_exists, "A topic that is there already is no failure");
        sub.flag("--dry-run", a->dry_run, "Only check");
        sub.examples("  kafka-cli topics create orders -p 6 -r 3\n  kafka-cli topics create audit --config cleanup.policy=compact\n  kafka-cli topics create orders --dry-run");
        sub.does(with_session(a, create));
    }
    {
        auto a = std::make_shared<topics_arguments>();
        auto sub = group.add("delete", "Deletes topics with all their records");
        sub.words("TOPIC", a->names, "Names", true);
        sub.flag("--yes", a->yes, "Do not ask");
        sub.examples("  kafka-cli topics delete orders\n  kafka-cli topics delete old-1 old-2 --yes\n  kafka-cli topics delete orders --yes --output json");
        sub.does([a, run = with_session(a, remove)](context& c) {
            confirm(a->yes, "deleting", fmt::format("{}", fmt::join(a->names, ", ")), "with all records");
            return run(c);
        });
    }
}

}  // namespace kafkawire::cli
