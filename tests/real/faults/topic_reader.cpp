#include "topic_reader.hpp"

#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>

#include "cluster_admin.hpp"

namespace faults {

namespace {

using namespace kafkawire::protocol;
using messages::fetch_request;

// At most so much of a topic's end is missed in a row before the reader gives up.
constexpr int patience = 200;

// Transactions that were aborted begin at an offset of their producer, and end with its next control batch.
class aborted_ranges {
public:
    void learn(const messages::fetch_response::partition_data& data) {
        if (!data.aborted_transactions) return;
        for (const auto& a : *data.aborted_transactions)
            if (a.first_offset >= known_to_) starts_.emplace(a.producer_id, a.first_offset);
    }
    [[nodiscard]] bool hides(const record_batch& b) {
        if (b.is_control()) return true;
        if (!b.is_transactional()) return false;
        const auto [from, to] = starts_.equal_range(b.producer_id);
        return std::any_of(from, to, [&](const auto& s) { return s.second <= b.base_offset; });
    }
    // A control batch of a producer ends its transaction; the next of its aborted ones begins later.
    void ends(const record_batch& b) {
        for (auto at = starts_.lower_bound(b.producer_id); at != starts_.end() && at->first == b.producer_id;)
            at = at->second <= b.base_offset ? starts_.erase(at) : std::next(at);
        known_to_ = b.base_offset;
    }

private:
    std::multimap<std::int64_t, std::int64_t> starts_;
    std::int64_t known_to_ = 0;
};

void read_partition(blocking::connection& leader, const std::string& topic, std::int32_t number, bool committed_only,
                    const record_sink& sink) {
    fetch_request ask;
    ask.max_wait_ms = 200;
    ask.min_bytes = 1;
    ask.isolation_level = committed_only ? 1 : 0;
    auto& t = ask.topics.emplace_back();
    t.topic = topic;
    auto& p = t.partitions.emplace_back();
    p.partition = number;
    p.partition_max_bytes = 4 << 20;
    aborted_ranges aborted;
    record_reader reader;
    reader.include_control_batches(true);
    for (int idle = 0;;) {
        const auto answer = leader.call(ask, leader.version<fetch_request>(12));
        const auto& data = answer.responses.at(0).partitions.at(0);
        if (data.error_code)
            throw std::runtime_error("fetching " + topic + "-" + std::to_string(number) + ": error " + std::to_string(data.error_code));
        const auto end = committed_only ? data.last_stable_offset : data.high_watermark;
        aborted.learn(data);
        reader.start(data.records ? data.records->data : bytes_view{});
        const auto from = p.fetch_offset;
        for (const auto& r : reader) {
            if (reader.batch().is_control()) aborted.ends(reader.batch());
            if (r.offset < from || aborted.hides(reader.batch())) continue;
            sink(number, r.offset, r.value.text());
        }
        if (reader.error()) throw std::runtime_error("reading " + topic + "-" + std::to_string(number) + ": " + reader.error().message());
        if (reader.next_offset() >= 0) p.fetch_offset = std::max(p.fetch_offset, reader.next_offset());
        if (p.fetch_offset >= end) return;
        idle = p.fetch_offset == from ? idle + 1 : 0;
        if (idle > patience) throw std::runtime_error("the end of " + topic + "-" + std::to_string(number) + " does not come");
    }
}

std::string quoted(const std::string& word) {
    std::string out = "'";
    for (const char c : word) out += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return out + "'";
}

// "Partition:3\tOffset:17\tVALUE"
void take_line(std::string_view line, const record_sink& sink) {
    const auto tab = line.find('\t'), second = line.find('\t', tab + 1);
    const auto number = [](std::string_view text, std::string_view label, std::int64_t& to) {
        if (!text.starts_with(label)) return false;
        text.remove_prefix(label.size());
        return std::from_chars(text.data(), text.data() + text.size(), to).ec == std::errc{};
    };
    std::int64_t partition = -1, offset = -1;
    if (second == line.npos || !number(line.substr(0, tab), "Partition:", partition) ||
        !number(line.substr(tab + 1, second - tab - 1), "Offset:", offset))
        throw std::runtime_error("the console consumer prints '" + std::string{line.substr(0, 100)} + "'");
    sink(static_cast<std::int32_t>(partition), offset, line.substr(second + 1));
}

}  // namespace

void read_by_fetch(const kafkawire::testing::kafka_cluster& kafka, const std::string& topic, bool committed_only, const record_sink& sink) {
    cluster_admin admin{kafka};
    const auto leaders = admin.leaders(topic);
    for (std::size_t p = 0; p < leaders.size(); ++p) {
        blocking::connection leader{admin.address(leaders[p]), std::chrono::seconds{30}};
        read_partition(leader, topic, static_cast<std::int32_t>(p), committed_only, sink);
    }
}

void read_by_java(const kafkawire::testing::kafka_cluster& kafka, const std::string& topic, bool committed_only,
                  std::chrono::milliseconds quiet, const record_sink& sink) {
    const auto words = kafka.java_command(
        "console-consumer", {"--bootstrap-server", kafka.internal_bootstrap_servers(), "--topic", topic, "--from-beginning", "--timeout-ms",
                             std::to_string(quiet.count()), "--isolation-level", committed_only ? "read_committed" : "read_uncommitted",
                             "--formatter-property", "print.partition=true", "--formatter-property", "print.offset=true"});
    std::string command;
    for (const auto& w : words) command += quoted(w) + " ";
    command += "2>/dev/null";  // it ends with an error of its own, that nothing came any more
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out{::popen(command.c_str(), "r"), ::pclose};
    if (!out) throw std::runtime_error("the console consumer cannot be started");
    char* line = nullptr;
    std::size_t room = 0;
    const std::unique_ptr<char*, void (*)(char**)> owner{&line, [](char** l) { std::free(*l); }};
    for (::ssize_t n; (n = ::getline(&line, &room, out.get())) > 0;)
        take_line({line, static_cast<std::size_t>(n - (line[n - 1] == '\n'))}, sink);
}

}  // namespace faults
