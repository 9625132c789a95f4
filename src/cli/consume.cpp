// consume: records of topics to standard output.
#include <cstddef>  // before Asio: see kafkawire/detail/asio.hpp

#include <asio/steady_timer.hpp>
#include <fmt/format.h>

#include <memory>

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
    std::optional<std::string> offset, default_offset, format, group;
    std::optional<std::int64_t> count;
    bool until_end = false, read_committed = false, control = false, unbuffered = false;
};

struct consume_plan {
    std::optional<reading_range> range;    // said by -o
    position fallback;                     // where there is neither -o nor a stored offset
    std::vector<std::int32_t> partitions;  // empty: all
    std::optional<record_format> format;
};

consume_plan consume_plan_of(const consume_arguments& a) {
    consume_plan p;
    const auto now = wall_clock();
    if (a.offset) p.range = parse_range(*a.offset, now);
    if (a.default_offset) {
        const auto r = parse_range(*a.default_offset, now);
        if (r.to || (r.from.what != position::kind::start && r.from.what != position::kind::end)) throw usage_error(fmt::format("--default-offset {} is neither start nor end", *a.default_offset));
        p.fallback = r.from;
    }
    for (const auto& text : a.partitions)
        for (std::size_t at = 0; at <= text.size();) {
            const auto comma = std::min(text.find(',', at), text.size());
            const auto n = number<std::int32_t>(std::string_view{text}.substr(at, comma - at));
            if (!n || *n < 0) throw usage_error(fmt::format("--partition {} is no partition", text), "give a number, or several with commas between");
            p.partitions.push_back(*n);
            at = comma + 1;
        }
    if (a.count && *a.count < 1) throw usage_error("-n needs a number above 0", "without -n, -e stops at the end, and nothing at all reads on");
    if (a.format) {
        p.format.emplace(*a.format);
        if (!p.format->hint().empty()) note("hint: " + p.format->hint());
    }
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

// How a record is written.
class printer {
public:
    printer(context& c, const consume_plan& p) : context_{c}, plan_{p} {}
    void print(const shown_record& r, std::uint64_t count) {
        line_.clear();
        if (plan_.format) {
            plan_.format->append(line_, r, count);
        } else if (context_.format == output_format::json) {
            append_json(line_, r);
            line_ += '\n';
        } else if (context_.format == output_format::tsv) {
            table t;
            t.add({std::string{r.topic}, std::to_string(r.partition), std::to_string(r.offset), std::to_string(r.timestamp), std::string{r.key.value_or("")}, std::string{r.value.value_or("")}});
            line_ = t.tsv();
        } else {
            if (r.control.empty()) line_ += r.value.value_or("");
            else line_ += fmt::format("[{} of producer {}]", r.control, r.producer_id);
            line_ += '\n';
        }
        context_.out->write(line_);
    }

private:
    context& context_;
    const consume_plan& plan_;
    std::string line_;
};

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
    printer out{s.ctx(), p};
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
    sub.words("TOPIC", a->topics, "Topics", true);
    sub.option("-o,--offset", a->offset, std::string{"Where to begin: "} + range_grammar + " (default end)", "PLACE");
    sub.option("-n,--count", a->count, "Stop after so many records");
    sub.flag("-e,--until-end", a->until_end, "Stop at what is the end now");
    sub.option("-p,--partition", a->partitions, "Only these, with commas between or repeated", "N,...");
    sub.option("-f,--format", a->format, "How each record is written; without it the value and a line feed", "FORMAT");
    sub.option("-g,--group", a->group,
               "Begin where this group left off, and store its offset after what was printed. This is no membership: nothing is shared with other members, "
               "and a group that has members refuses it",
               "NAME");
    sub.option("--default-offset", a->default_offset, "start or end: where a group without a stored offset begins (default end)", "PLACE");
    sub.flag("--read-committed", a->read_committed, "Leave out records of open and aborted transactions (default: what is in the log)");
    sub.flag("--control", a->control, "Show control records too");
    sub.flag("-u,--unbuffered", a->unbuffered, "Write each record at once");
    sub.examples(std::string{"  kafka-cli consume orders -o start -e              all that is there\n"
                             "  kafka-cli consume orders -o -10 -n 10 --output json\n"
                             "  kafka-cli consume orders -o @-1h:now -f '%d{iso} %p/%o %k=%v\\n'\n"
                             "  kafka-cli consume orders -g audit -n 100           the next hundred of a group\n\n"} +
                 format_grammar);
    sub.does([a](context& c) {
        const auto p = consume_plan_of(*a);
        session s{c};
        return s.run([&](session& in) { return consume(in, *a, p); });
    });
}

}  // namespace kafkawire::cli
