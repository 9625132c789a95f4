// produce: lines or JSON records to a topic.
#include <fmt/format.h>

#include <memory>
#include <tuple>

#include "cli/bench_plan.hpp"
#include "cli/configuration.hpp"
#include "cli/duration.hpp"
#include "cli/line_source.hpp"
#include "cli/nearest.hpp"
#include "cli/sender.hpp"
#include "cli/text.hpp"
#include "cli/topics.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

struct produce_arguments {
    std::string topic;
    std::vector<std::string> files, headers;
    std::optional<std::string> input, key_separator, key, value, compression, acks, create, linger;
    std::optional<std::int64_t> partition, batch_bytes;
    bool report = false, tombstone = false, repartition = false;
};

// What was said, checked before anybody is asked anything.
struct produce_plan {
    sender_options sending;
    bool json = false;
    std::string separator;
    std::vector<new_record::header> headers;
    std::optional<std::pair<int, int>> create;
    std::chrono::milliseconds linger{20};
    std::optional<std::int32_t> partition;
};

std::string unescaped(const std::string& text) {
    if (text == "\\t") return "\t";
    if (text == "\\0") return std::string(1, '\0');
    return text;
}

// What the configuration says of a producer, for what the command line leaves out.
void take_configuration(const context& c, produce_plan& p) {
    const auto* configured = configured_producer(c);
    if (!configured) return;
    const auto& o = configured->options;
    if (is_configured(c, "producer", "acks")) p.sending.acks = static_cast<std::int16_t>(o.acks);
    if (is_configured(c, "producer", "compression")) p.sending.codec = o.compression;
    if (is_configured(c, "producer", "compression_level")) p.sending.level = o.compression_level;
    if (is_configured(c, "producer", "batch_bytes")) p.sending.batch_bytes = o.batch_bytes;
    if (is_configured(c, "producer", "linger")) p.linger = o.linger;
}

produce_plan produce_plan_of(const produce_arguments& a, const context& c) {
    produce_plan p;
    take_configuration(c, p);
    if (a.compression) std::tie(p.sending.codec, p.sending.level) = parse_compression(*a.compression);
    const auto acks = a.acks.value_or(std::to_string(p.sending.acks));
    if (acks == "all" || acks == "-1") p.sending.acks = -1;
    else if (acks == "0" || acks == "1") p.sending.acks = acks == "0" ? 0 : 1;
    else throw usage_error(fmt::format("--acks {} is none of all, 1, 0", acks), "all waits for the replicas in sync, 1 for the leader, 0 for nobody");
    if (a.input && *a.input != "lines" && *a.input != "json")
        throw usage_error(fmt::format("--input {} is none of lines, json", *a.input), did_you_mean(*a.input, std::vector<std::string>{"lines", "json"}, "json is what `kafka-cli consume --output json` prints"));
    p.json = a.input == "json";
    if (a.key_separator) {
        p.separator = unescaped(*a.key_separator);
        if (p.separator.empty()) throw usage_error("-K needs a separator", "for example -K : or -K '\\t'");
        if (p.json) throw usage_error("-K is for lines; JSON records have their key in \"key\"");
    }
    for (const auto& h : a.headers) {
        const auto equals = h.find('=');
        if (equals == h.npos) throw usage_error(fmt::format("-H {} is not NAME=VALUE", h), "for example -H source=billing");
        p.headers.push_back({h.substr(0, equals), h.substr(equals + 1)});
    }
    if (a.create) p.create = parse_create(*a.create);
    if (a.linger) {
        const auto t = parse_duration(*a.linger);
        if (!t) throw usage_error(fmt::format("--linger {} is no length of time", *a.linger), "for example --linger 5ms");
        p.linger = *t;
    }
    if (a.batch_bytes) {
        if (*a.batch_bytes < 1 || *a.batch_bytes > (1 << 30)) throw usage_error(fmt::format("--batch-bytes {} is out of range", *a.batch_bytes));
        p.sending.batch_bytes = static_cast<std::size_t>(*a.batch_bytes);
    }
    if (a.partition) {
        if (*a.partition < 0 || *a.partition > 0x7fffffff) throw usage_error(fmt::format("--partition {} is out of range", *a.partition));
        p.partition = static_cast<std::int32_t>(*a.partition);
    }
    if (a.value && !a.files.empty()) throw usage_error("--value is the record itself; it does not go with files");
    if (a.tombstone && (a.value || !a.key)) throw usage_error("--tombstone sends a null value for a key", "for example --tombstone --key 42");
    p.sending.report = a.report;
    return p;
}

nullable_bytes view(const std::optional<std::string>& s) { return s ? nullable_bytes{std::string_view{*s}} : nullable_bytes{}; }

// Turns lines into records and hands them on, one at a time.
class record_maker {
public:
    record_maker(const produce_arguments& a, const produce_plan& p, sender& to, bool key_decides) : args_{a}, plan_{p}, to_{to}, key_decides_{key_decides} {
        for (const auto& h : p.headers) fixed_.push_back({h.key, view(h.value)});
    }
    // False: there is no room; the same line must come again.
    bool send_line(std::string_view line) {
        if (plan_.json) return line.find_first_not_of(" \t\r") == line.npos || send_json(line);
        sender::item i;
        i.timestamp = wall_clock();
        i.headers = fixed_;
        i.partition = key_decides_ ? std::nullopt : plan_.partition;
        if (args_.key) i.key = view(args_.key);
        i.value = nullable_bytes{line};
        if (!plan_.separator.empty()) {
            if (const auto at = line.find(plan_.separator); at != line.npos) {
                i.key = nullable_bytes{line.substr(0, at)};
                i.value = nullable_bytes{line.substr(at + plan_.separator.size())};
            }
        }
        return to_.add(i);
    }
    bool send_one(const std::optional<std::string>& value) {
        sender::item i;
        i.timestamp = wall_clock();
        i.headers = fixed_;
        i.partition = key_decides_ ? std::nullopt : plan_.partition;
        i.key = view(args_.key);
        i.value = view(value);
        return to_.add(i);
    }

private:
    bool send_json(std::string_view line) {
        const auto r = record_from_json(line);
        std::vector<header_view> headers;
        for (const auto& h : r.headers) headers.push_back({h.key, view(h.value)});
        headers.insert(headers.end(), fixed_.begin(), fixed_.end());
        sender::item i;
        i.timestamp = r.timestamp.value_or(wall_clock());
        i.headers = headers;
        i.key = r.key ? view(r.key) : view(args_.key);
        i.value = view(r.value);
        if (plan_.partition) i.partition = plan_.partition;
        // A copy keeps its partition where the topic has it.
        else if (r.partition && !args_.repartition && *r.partition < to_.partitions()) i.partition = r.partition;
        return to_.add(i);
    }

    const produce_arguments& args_;
    const produce_plan& plan_;
    sender& to_;
    bool key_decides_;
    std::vector<header_view> fixed_;
};

asio::awaitable<std::uint64_t> send_lines(session& s, const produce_arguments& a, const produce_plan& p, sender& to, record_maker& maker) {
    line_source in{s, a.files};
    s.on_stop([&in] { in.stop(); });
    std::uint64_t lines = 0;
    std::string_view line;
    for (;;) {
        while (in.next(line)) {
            ++lines;
            try {
                while (!maker.send_line(line)) co_await to.room();
            } catch (failure& f) {
                if (f.name == "bad_json") f.message = fmt::format("line {}: {}", lines, f.message);
                throw;
            }
        }
        if (in.at_end()) break;
        const bool came = co_await in.more(p.linger);
        // Nobody is typing: what is here goes out, and then there is all the time in the world.
        if (!came && !in.at_end() && !s.stopping()) {
            to.flush();
            (void)co_await in.more(std::chrono::hours{24});
        }
    }
    s.on_stop([] {});
    co_return lines;
}

asio::awaitable<topic_view> target(session& s, const produce_arguments& a, const produce_plan& p, bool& made) {
    if (p.create) {
        std::vector<std::string> names{a.topic};
        const auto views = co_await find_topics(s, names);
        if (static_cast<broker_errc>(views.front().error) == broker_errc::unknown_topic_or_partition) {
            const auto code = co_await create_topic(s, a.topic, p.create->first, p.create->second);
            made = code == 0;
            if (code != 0 && static_cast<broker_errc>(code) != broker_errc::topic_already_exists) throw from_broker_code(code, fmt::format("cannot create topic \"{}\"", a.topic));
        }
    }
    std::vector<std::string> names{a.topic};
    auto views = co_await need_topics(s, std::move(names));
    co_return std::move(views.front());
}

asio::awaitable<status> produce(session& s, const produce_arguments& a, const produce_plan& p) {
    // Files are looked at before the cluster is, so that a wrong name costs no time.
    if (!a.value && !a.tombstone)
        for (const auto& f : a.files)
            if (f != "-") line_source probe{s, {f}};
    bool made = false;
    auto topic = co_await target(s, a, p, made);
    sender to{s, std::move(topic), p.sending};
    co_await to.prepare();
    const bool key_decides = made && p.partition && *p.partition >= to.partitions();
    record_maker maker{a, p, to, key_decides};
    const auto begin = std::chrono::steady_clock::now();
    std::optional<failure> wrong;
    try {
        if (a.value || a.tombstone) (void)maker.send_one(a.value);
        else (void)co_await send_lines(s, a, p, to, maker);
    } catch (const failure& f) {
        wrong = f;
    }
    // A line that is no record does not cost those before it.
    try {
        co_await to.drain();
    } catch (const failure& f) {
        if (!wrong) wrong = f;
    }
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    note(fmt::format("{} record{} to {} in {:.2f} s ({:.0f} records/s, {:.2f} MB of batches){}", to.delivered(), to.delivered() == 1 ? "" : "s", a.topic, seconds,
                     static_cast<double>(to.delivered()) / std::max(seconds, 1e-6), static_cast<double>(to.wire_bytes()) / 1e6, p.sending.acks == 0 ? ", not acknowledged (acks=0)" : ""));
    if (wrong) throw *wrong;
    co_return status::done;
}

}  // namespace

std::pair<compression, int> parse_compression(const std::string& text) {
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    const auto codec = compression_from(name);
    if (!codec) {
        const std::vector<std::string> names = {"none", "gzip", "snappy", "lz4", "zstd"};
        throw usage_error(fmt::format("there is no compression \"{}\"", name), did_you_mean(name, names, "codecs are none, gzip, snappy, lz4 and zstd, with a level as in zstd:9"));
    }
    if (colon == text.npos) return {*codec, default_level};
    const auto level = number<int>(text.substr(colon + 1));
    if (!level || *codec == compression::none || *codec == compression::snappy)
        throw usage_error(fmt::format("\"{}\" is no compression with a level", text), "gzip, lz4 and zstd have levels, as in zstd:9");
    return {*codec, *level};
}

std::pair<int, int> parse_create(const std::string& text) {
    const auto colon = text.find(':');
    const auto partitions = number<int>(text.substr(0, colon));
    const auto replicas = colon == std::string::npos ? std::optional{1} : number<int>(text.substr(colon + 1));
    if (!partitions || !replicas || *partitions < 1 || *replicas < 1) throw usage_error(fmt::format("--create {} is not PARTITIONS:REPLICAS", text), "for example --create 6:3");
    return {*partitions, *replicas};
}

void add_produce(command root) {
    auto sub = root.add("produce", "Writes lines, or records as JSON, to a topic");
    auto a = std::make_shared<produce_arguments>();
    sub.word("TOPIC", a->topic, "The topic");
    sub.words("FILE", a->files, "Files to read, one after the other; none or -: standard input", false);
    sub.option("--input", a->input, "lines: each line is a value (default). json: what `consume --output json` prints", "FORMAT");
    sub.option("-K,--key-separator", a->key_separator, "The key is what stands before this in each line", "TEXT");
    sub.option("-k,--key", a->key, "The key of all records (JSON: of those without one)");
    sub.option("--value", a->value, "Send this one record instead of reading any");
    sub.flag("--tombstone", a->tombstone, "Send one record with --key and a null value");
    sub.option("-H,--header", a->headers, "A header for all records; may be repeated", "NAME=VALUE");
    sub.option("-p,--partition", a->partition, "To this partition; else the key's murmur2 decides, as in Java's client; JSON records keep their own");
    sub.flag("--repartition", a->repartition, "JSON records: the key decides, not their \"partition\"");
    sub.option("-z,--compression", a->compression, "none (default), gzip, snappy, lz4 or zstd, with a level as in zstd:9", "CODEC[:LEVEL]");
    sub.option("--acks", a->acks, "all (default), 1 (the leader alone) or 0 (nobody)", "N");
    sub.option("--linger", a->linger, "How long a batch waits for the next line (default 20ms)", "TIME");
    sub.option("--batch-bytes", a->batch_bytes, "Size of a batch before compression (default 900000)");
    sub.option("--create", a->create, "Make the topic if it is missing", "PARTITIONS:REPLICAS");
    sub.flag("--report", a->report, "Print topic, partition and offset of each record");
    sub.examples("  kafka-cli produce orders < lines.txt\n"
                 "  kafka-cli produce orders -K : -z zstd access.log\n"
                 "  kafka-cli consume orders -o start -e --output json | kafka-cli produce copy --input json");
    sub.does([a](context& c) {
        const auto p = produce_plan_of(*a, c);
        session s{c};
        return s.run([&](session& in) { return produce(in, *a, p); });
    });
}

}  // namespace kafkawire::cli
