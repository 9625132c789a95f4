// consume: records of topics to standard output.
#include <cstddef>  // before Asio: see kafkawire/detail/asio.hpp

#include <asio/steady_timer.hpp>
#include <fmt/format.h>

#include <memory>

#include "cli/configuration.hpp"
#include "cli/consume_member.hpp"
#include "cli/duration.hpp"
#include "cli/fetcher.hpp"
#include "cli/group_offsets.hpp"
#include "cli/offset_finder.hpp"
#include "cli/position.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

struct consume_arguments {
    std::vector<std::string> topics, partitions;
    std::vector<std::string> exclude, assignors;
    std::optional<std::string> offset, default_offset, format, group, protocol, instance;
    std::optional<std::int64_t> count;
    bool until_end = false, read_committed = false, control = false, unbuffered = false;
};

struct consume_plan {
    std::optional<reading_range> range;    // said by -o
    position fallback;                     // where there is neither -o nor a stored offset
    std::vector<std::int32_t> partitions;  // empty: all
    std::optional<record_format> format;
    std::optional<member_plan> member;     // -g without a place or partitions of one's own
};

std::vector<std::string> at_commas(const std::vector<std::string>& texts) {
    std::vector<std::string> all;
    for (const auto& text : texts)
        for (std::size_t at = 0; at <= text.size();) {
            const auto comma = std::min(text.find(',', at), text.size());
            all.push_back(text.substr(at, comma - at));
            at = comma + 1;
        }
    return all;
}

// Partitions and places by hand are no membership.
bool is_member(const consume_arguments& a) { return a.group && !a.offset && a.partitions.empty() && !a.control; }

member_plan member_plan_of(const consume_arguments& a, const position& fallback, const context& c) {
    member_plan m;
    auto& o = m.reading;
    if (const auto* configured = configured_consumer(c)) o = configured->options;
    // Only what standard output has taken is committed, which this command does itself.
    o.auto_commit = false;
    o.auto_mark = true;
    o.group = *a.group;
    o.topics = a.topics;
    o.exclude_topics = a.exclude;
    if (a.read_committed || !is_configured(c, "consumer", "isolation")) o.isolation = a.read_committed ? isolation::read_committed : isolation::read_uncommitted;
    if (a.default_offset || !is_configured(c, "consumer", "auto_offset_reset")) o.auto_offset_reset = fallback.what == position::kind::start ? offset_reset::earliest : offset_reset::latest;
    if (a.instance) o.group_instance_id = *a.instance;
    if (a.protocol && *a.protocol == "consumer") o.group_protocol = group_protocol::consumer;
    else if (a.protocol && *a.protocol != "classic") throw usage_error(fmt::format("--protocol {} is neither classic nor consumer", *a.protocol));
    if (auto names = at_commas(a.assignors); !names.empty()) {
        if (o.group_protocol == group_protocol::classic) o.assignors = std::move(names);
        else if (names.size() == 1) o.server_assignor = std::move(names.front());
        else throw usage_error("with --protocol consumer there is one --assignor, of the broker's");
    }
    if (a.count) m.most = static_cast<std::uint64_t>(*a.count);
    m.until_end = a.until_end;
    m.unbuffered = a.unbuffered;
    if (const auto wrong = validate(o)) throw usage_error(wrong.text);
    return m;
}

consume_plan consume_plan_of(const consume_arguments& a, const context& c) {
    consume_plan p;
    const auto now = wall_clock();
    if (a.offset) p.range = parse_range(*a.offset, now);
    if (a.default_offset) {
        const auto r = parse_range(*a.default_offset, now);
        if (r.to || (r.from.what != position::kind::start && r.from.what != position::kind::end)) throw usage_error(fmt::format("--default-offset {} is neither start nor end", *a.default_offset));
        p.fallback = r.from;
    }
    for (const auto& text : at_commas(a.partitions)) {
        const auto n = number<std::int32_t>(text);
        if (!n || *n < 0) throw usage_error(fmt::format("--partition {} is no partition", text), "give a number, or several with commas between");
        p.partitions.push_back(*n);
    }
    if (a.count && *a.count < 1) throw usage_error("-n needs a number above 0", "without -n, -e stops at the end, and nothing at all reads on");
    if (a.format) {
        p.format.emplace(*a.format);
        if (!p.format->hint().empty()) note("hint: " + p.format->hint());
    }
    if (is_member(a)) p.member = member_plan_of(a, p.fallback, c);
    else if (!a.assignors.empty() || a.protocol || a.instance || !a.exclude.empty())
        throw usage_error("--assignor, --protocol, --instance and --exclude are a group member's", "give -g, and neither -o nor -p nor --control, which choose by hand");
    else if (std::any_of(a.topics.begin(), a.topics.end(), [](const auto& t) { return t.starts_with('^'); }))
        throw usage_error("a pattern of topics needs -g", "members of a group follow topics that come and go");
    return p;
}

std::vector<partition_key> chosen(const std::vector<topic_view>& topics, const consume_plan& p) {
    std::vector<partition_key> keys;
    for (const auto& t : topics) {
        for (const auto id : p.partitions)
            if (!t.find(id)) throw failure{status::failed, "UNKNOWN_TOPIC_OR_PARTITION", fmt::format("topic \"{}\" has no partition {}", t.name, id), fmt::format("it has {} partitions, counted from 0", t.partitions.size())};
        for (const auto& v : t.partitions)
            if (p.partitions.empty() || std::find(p.partitions.begin(), p.partitions.end(), v.id) != p.partitions.end()) keys.emplace_back(t.name, v.id);
    }
    return keys;
}

// Where each partition begins and ends: -o first, then the group's stored offset, then the fallback.
asio::awaitable<std::vector<reading_partition>> begin_reading(session& s, const consume_arguments& a, const consume_plan& p, const std::vector<topic_view>& topics, group_offsets* group) {
    const auto keys = chosen(topics, p);
    offset_finder finder{s, topics, keys, a.read_committed};
    std::map<partition_key, std::int64_t> from, to, stored;
    if (p.range) from = co_await finder.find(p.range->from);
    else from = co_await finder.find(p.fallback);
    if (group && !p.range) stored = co_await group->fetch(topics, keys);
    position end;
    if (p.range && p.range->to) to = co_await finder.find(*p.range->to);
    else if (a.until_end) to = co_await finder.find(end);
    if (a.until_end && p.range && p.range->to) {
        const auto ends = co_await finder.find(end);
        for (auto& [k, v] : to) v = std::min(v, ends.at(k));
    }
    std::vector<reading_partition> list;
    for (const auto& k : keys) {
        reading_partition one;
        for (const auto& t : topics)
            if (t.name == k.first) {
                one.topic_id = t.id;
                one.leader = t.find(k.second)->leader;
            }
        one.topic = k.first;
        one.id = k.second;
        const auto at = stored.find(k);
        one.position = at != stored.end() ? at->second : from.at(k);
        if (const auto e = to.find(k); e != to.end()) one.stop_at = e->second;
        list.push_back(std::move(one));
    }
    co_return list;
}

std::map<partition_key, std::int64_t> read_so_far(const fetcher& f) {
    std::map<partition_key, std::int64_t> offsets;
    for (const auto& p : f.partitions())
        if (p.given >= 0) offsets[{p.topic, p.id}] = p.given;
    return offsets;
}

asio::awaitable<status> consume(session& s, const consume_arguments& a, const consume_plan& p) {
    const auto topics = co_await need_topics(s, a.topics);
    std::optional<group_offsets> group;
    if (a.group) group.emplace(s, *a.group);
    auto partitions = co_await begin_reading(s, a, p, topics, group ? &*group : nullptr);
    const auto how_many = partitions.size();
    record_printer out{s.ctx(), p.format};
    std::uint64_t count = 0;
    const auto most = a.count ? static_cast<std::uint64_t>(*a.count) : ~std::uint64_t{0};
    fetch_plan fetching;
    fetching.read_committed = a.read_committed;
    fetching.control = a.control;
    fetcher f{s, fetching, std::move(partitions), [&](const shown_record& r) {
                  out.print(r, ++count);
                  if (a.unbuffered) s.ctx().out->flush();
                  return count < most;
              }};
    bool late = false;
    asio::steady_timer deadline{s.io()};
    const bool bounded = a.count || a.until_end || (p.range && p.range->to);
    if (bounded && s.ctx().timeout_given) {
        deadline.expires_after(s.ctx().timeout);
        deadline.async_wait([&](std::error_code ec) {
            if (ec) return;
            late = true;
            f.stop();
        });
    }
    // What was written before the pause is seen before the pause: a reader behind a pipe waits for it.
    f.on_answer = [&] { s.ctx().out->flush(); };
    f.on_caught_up = [&] {
        if (!a.until_end) note(fmt::format("at the end of {} partition{}; waiting for more, Ctrl-C to stop", how_many, how_many == 1 ? "" : "s"));
    };
    s.on_stop([&] { f.stop(); });
    std::optional<failure> wrong;
    try {
        co_await f.run();
    } catch (const failure& e) {
        wrong = e;
    }
    s.ctx().out->flush();
    // Only what standard output has taken is stored as read.
    if (group) co_await group->commit(read_so_far(f));
    if (wrong) throw *wrong;
    const bool missing = late && (a.count ? count < most : true);
    if (missing) note(fmt::format("the time is up after {} record{}", count, count == 1 ? "" : "s"));
    co_return missing ? status::partial : status::done;
}

}  // namespace

void add_consume(command root) {
    auto sub = root.add("consume", "Reads records of topics");
    auto a = std::make_shared<consume_arguments>();
    sub.words("TOPIC", a->topics, "Topics; with -g also patterns of whole names, which begin with ^", true);
    sub.option("-o,--offset", a->offset, std::string{"Where to begin: "} + range_grammar + " (default end)", "PLACE");
    sub.option("-n,--count", a->count, "Stop after so many records");
    sub.flag("-e,--until-end", a->until_end, "Stop at what is the end now");
    sub.option("-p,--partition", a->partitions, "Only these, with commas between or repeated", "N,...");
    sub.option("-f,--format", a->format, "How each record is written; without it the value and a line feed", "FORMAT");
    sub.option("-g,--group", a->group,
               "Read as a member of this group, beginning where it left off; what was printed is committed. With -o, -p or --control it is no membership: "
               "offsets are stored the same, but nothing is shared, and a group that has members refuses it",
               "NAME");
    sub.option("--assignor", a->assignors, "With -g: strategies, best first, with commas between: cooperative-sticky (default), sticky, range, roundrobin", "NAME,...");
    sub.option("--protocol", a->protocol, "With -g: classic (default), or consumer: the brokers assign (KIP-848, from Kafka 4.0)", "NAME");
    sub.option("--instance", a->instance, "With -g: a name that this member keeps across restarts (KIP-345)", "NAME");
    sub.option("--exclude", a->exclude, "With -g: topics that a pattern has and that are not read", "TOPIC");
    sub.option("--default-offset", a->default_offset, "start or end: where a group without a stored offset begins (default end)", "PLACE");
    sub.flag("--read-committed", a->read_committed, "Leave out records of open and aborted transactions (default: what is in the log)");
    sub.flag("--control", a->control, "Show control records too");
    sub.flag("-u,--unbuffered", a->unbuffered, "Write each record at once");
    sub.examples(std::string{"  kafka-cli consume orders -o start -e              all that is there\n"
                             "  kafka-cli consume orders -o -10 -n 10 --output json\n"
                             "  kafka-cli consume orders -o @-1h:now -f '%d{iso} %p/%o %k=%v\\n'\n"
                             "  kafka-cli consume orders -g audit -n 100           the next hundred of a group\n"
                             "  kafka-cli consume '^orders-.*' -g audit --protocol consumer\n\n"} +
                 format_grammar);
    sub.does([a](context& c) {
        const auto p = consume_plan_of(*a, c);
        session s{c};
        return s.run([&](session& in) {
            return p.member ? consume_as_member(in, *p.member, record_printer{in.ctx(), p.format}) : consume(in, *a, p);
        });
    });
}

}  // namespace kafkawire::cli
