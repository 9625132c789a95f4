#include "group_stage.hpp"

#include <testcontainers/proxy.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "../numbered_record.hpp"
#include "../topic_reader.hpp"

namespace faults {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

kafkawire::testing::kafka_cluster start(const stage_options& o) {
    auto image = kafkawire::testing::kafka_image{}.version(o.version).nodes(o.nodes).with_proxies();
    const auto session = std::to_string(o.session_timeout.count());
    // Of KIP-848 the broker says how long a member may be silent.
    image.with_property("group.consumer.min.session.timeout.ms", "1000")
        .with_property("group.consumer.session.timeout.ms", session)
        .with_property("group.consumer.min.heartbeat.interval.ms", "100")
        .with_property("group.consumer.heartbeat.interval.ms", "300")
        // From 4.3 on it works out a group's assignment at most once a second, if it is not told otherwise.
        .with_property("group.consumer.min.assignment.interval.ms", "0")
        .with_property("group.consumer.assignment.interval.ms", "0");
    return image.start();
}

std::string counts_of(const std::map<std::string, std::uint64_t>& m) {
    std::string out = "{";
    for (const auto& [name, n] : m) out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + std::to_string(n);
    return out + "}";
}

std::string output_of(const group_plan& p) { return "output-of-" + p.name; }

bool number(std::string_view& text, std::string_view label, char end, std::int64_t& to) {
    if (!text.starts_with(label)) return false;
    text.remove_prefix(label.size());
    const auto [behind, ec] = std::from_chars(text.data(), text.data() + text.size(), to);
    if (ec != std::errc{} || behind == text.data() + text.size() || *behind != end) return false;
    text.remove_prefix(static_cast<std::size_t>(behind - text.data()) + 1);
    return true;
}

}  // namespace

group_stage::group_stage(const stage_options& o)
    : kafka{start(o)},
      admin{kafka},
      options{o},
      random{o.seed},
      folder_{(kafka.directory() / "members").string()},
      log_{static_cast<std::size_t>(o.most_partitions)},
      input_log_{static_cast<std::size_t>(o.most_partitions)},
      partitions_{o.partitions} {
    std::filesystem::create_directories(folder_);
    fleet_ = std::make_unique<fleet>(folder_);
    admin.create(topic, o.partitions);
    admin.create(probe, 3);
    for (const auto& p : o.groups) groups.push_back(std::make_unique<group_state>(p, p.pipeline ? input_log_ : log_));
    if (pipelines()) {
        admin.create(input, 6);
        for (const auto& p : o.groups)
            if (p.pipeline) admin.create(output_of(p), 6);
    }
    const auto into = [this](acknowledged_log& log) {
        return [this, &log](std::int32_t partition, std::uint64_t index, std::int64_t at) {
            const std::lock_guard lock{mutex_};
            log.acknowledged(partition, index, at);
        };
    };
    feeder_ = std::make_unique<feeder>(feeder_options{kafka.bootstrap_servers(), topic, o.partitions, o.rate, o.seed, o.version.starts_with("0.10")}, into(log_));
    if (pipelines())
        input_feeder_ = std::make_unique<feeder>(feeder_options{kafka.bootstrap_servers(), input, 6, o.pipeline_rate, o.seed, false}, into(input_log_));
}

group_stage::~group_stage() {
    feeder_.reset();
    input_feeder_.reset();
    fleet_.reset();
}

bool group_stage::pipelines() const {
    return std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g->plan.pipeline; });
}

void group_stage::begin() {
    complete_groups();
    for (auto& g : groups) {
        for (int i = 0; i < g->plan.java; ++i) start_java(*g);
        for (int i = 0; i < g->plan.kcat; ++i) start_kcat(*g);
    }
    feeder_->start();
    if (input_feeder_) input_feeder_->start();
}

int group_stage::start_member(group_state& g) {
    member_options m;
    m.bootstrap = kafka.bootstrap_servers();
    m.group = g.plan.name;
    m.topic = g.plan.pipeline ? input : topic;
    m.consumer_protocol = g.plan.consumer_protocol;
    m.session_timeout = options.session_timeout;
    m.run = options.seed;
    int slot = slots_;
    if (free_slots_.empty()) ++slots_;
    else {
        slot = free_slots_.back();
        free_slots_.pop_back();
    }
    m.auto_commit = g.plan.auto_commit > 0 && slot % g.plan.auto_commit == 0;
    if (g.plan.pipeline) {
        m.output = output_of(g.plan);
        m.transactional_id = g.plan.name + "-" + std::to_string(slot);
    }
    const int member = fleet_->start(g.plan.name + "-member", {options.program, "--member", text_of(m)}, [this, &g](int who, const report& r) { take(g, who, r); });
    slot_of_[member] = slot;
    return member;
}

void group_stage::start_java(group_state& g) {
    const auto words = kafka.java_command(
        "console-consumer",
        {"--bootstrap-server", kafka.bootstrap_servers(), "--topic", topic, "--group", g.plan.name, "--formatter-property", "print.partition=true",
         "--formatter-property", "print.offset=true", "--command-property",
         "partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "--command-property",
         "session.timeout.ms=" + std::to_string(options.session_timeout.count()), "--command-property", "heartbeat.interval.ms=300", "--command-property",
         "auto.offset.reset=earliest", "--command-property", "auto.commit.interval.ms=500", "--command-property", "metadata.max.age.ms=3000",
         "--command-property", "max.poll.interval.ms=60000"});
    fleet_->start_foreign(g.plan.name + "-other-java", words, [this, &g](int who, std::string_view l) { take_line(g, who, l); });
}

void group_stage::start_kcat(group_state& g) {
    std::vector<std::string> words{"kcat", "-b", kafka.bootstrap_servers(), "-G", g.plan.name, "-q", "-u", "-E", "-f", "Partition:%p\tOffset:%o\t%s\n"};
    for (const std::string x : {"partition.assignment.strategy=cooperative-sticky", "heartbeat.interval.ms=300", "auto.offset.reset=earliest",
                                "auto.commit.interval.ms=500", "topic.metadata.refresh.interval.ms=3000", "fetch.wait.max.ms=100"})
        words.insert(words.end(), {"-X", x});
    words.insert(words.end(), {"-X", "session.timeout.ms=" + std::to_string(options.session_timeout.count()), topic});
    fleet_->start_foreign(g.plan.name + "-other-kcat", words, [this, &g](int who, std::string_view l) { take_line(g, who, l); });
}

bool group_stage::leave(int member) {
    const bool well = fleet_->stop(member, 20s);
    const auto name = fleet_->name(member);
    std::this_thread::sleep_for(200ms);  // until its last lines are read
    const std::lock_guard lock{mutex_};
    for (auto& g : groups)
        if (name.starts_with(g->plan.name + "-other")) g->book.foreign_leaves(member);
    return well;
}

void group_stage::complete_groups() {
    for (const auto& [member, status] : fleet_->collect()) {
        const auto name = fleet_->name(member);
        for (auto& g : groups)
            if (name.starts_with(g->plan.name + "-")) {
                std::cerr << name << " " << member << " has ended by itself: " << status << std::endl;
                if (!g->plan.pipeline) ++g->died;
            }
    }
    for (auto& g : groups) {
        const auto there = members(*g);
        for (auto at = slot_of_.begin(); at != slot_of_.end();) {
            const bool ours = fleet_->name(at->first).starts_with(g->plan.name + "-member");
            if (ours && std::find(there.begin(), there.end(), at->first) == there.end()) {
                free_slots_.push_back(at->second);
                at = slot_of_.erase(at);
            } else
                ++at;
        }
        for (auto n = static_cast<int>(there.size()); n < g->plan.ours; ++n) start_member(*g);
    }
}

void group_stage::add_partitions(std::int32_t more) {
    partitions_ = std::min(partitions_ + more, options.most_partitions);
    admin.add_partitions(topic, partitions_);
    feeder_->set_partitions(partitions_);
}

std::vector<std::uint64_t> group_stage::acknowledged_ends() {
    const std::lock_guard lock{mutex_};
    return log_.ends();
}
std::uint64_t group_stage::again(const group_state& g) {
    const std::lock_guard lock{mutex_};
    return g.book.again();
}

void group_stage::take(group_state& g, int member, const report& r) {
    const std::lock_guard lock{mutex_};
    ++g.counts[r.what];
    switch (r.what) {
        case told::assigned: return g.plan.pipeline ? void() : g.book.assigned(member, r.partition, r.at);
        case told::records:
            return g.book.delivered(member, r.partition, r.epoch, r.offset, r.index, static_cast<std::uint64_t>(r.count), r.at);
        case told::altered: return g.book.altered(member, r.partition, r.offset);
        case told::committed: return g.book.committed(member, r.partition, r.offset, r.at);
        case told::done: g.in_transactions += static_cast<std::uint64_t>(r.count); return;
        default: return;
    }
}

void group_stage::take_line(group_state& g, int member, std::string_view line) {
    std::int64_t partition = -1, offset = -1;
    const std::lock_guard lock{mutex_};
    if (!number(line, "Partition:", '\t', partition) || !number(line, "Offset:", '\t', offset)) {
        std::cerr << fleet_->name(member) << ": " << line.substr(0, 200) << "\n";
        return;
    }
    const auto n = read_value(options.seed, line, scratch_);
    const auto p = static_cast<std::int32_t>(partition);
    if (!n || n->partition != p) return g.book.altered(member, p, offset);
    g.book.delivered_by_foreign(member, p, offset, n->index, shared_clock());
}

bool group_stage::finish() {
    for (int n = 1; n <= kafka.size(); ++n) {
        kafka.proxy(n).heal();
        if (kafka.state(n) == kafkawire::testing::node_state::paused) kafka.resume(n);
        if (kafka.state(n) == kafkawire::testing::node_state::down) kafka.start(n);
    }
    complete_groups();
    const auto not_acknowledged = feeder_->finish();
    const auto input_not_acknowledged = input_feeder_ ? input_feeder_->finish() : 0;
    std::cout << "{\"sent\":" << feeder_->sent() << ",\"not_acknowledged\":" << not_acknowledged << ",\"input\":" << (input_feeder_ ? input_feeder_->sent() : 0)
              << ",\"input_not_acknowledged\":" << input_not_acknowledged << "}" << std::endl;
    bool well = true;
    for (const auto until = clock::now() + 60s;; std::this_thread::sleep_for(50ms)) {
        bool all = true;
        each_book([&](group_state& g) { all = all && g.book.caught_up(); });
        if (all) break;
        if (clock::now() < until) continue;
        each_book([&](group_state& g) { std::cerr << g.plan.name << " does not come to the end: " << g.book.lagging() << "\n"; });
        well = false;
        break;
    }
    for (auto& g : groups)
        if (g->plan.pipeline) well = judge_pipeline(*g) && well;
    for (auto& g : groups) {
        for (const int m : foreigners(*g)) fleet_->stop(m, 20s);
        for (const int m : members(*g))
            if (!leave(m)) {
                std::cerr << g->plan.name << " " << m << " does not leave\n";
                well = false;
            }
    }
    fleet_->drain();
    for (auto& g : groups)
        if (!g->plan.pipeline) well = judge(*g) && well;
    return well;
}

bool group_stage::judge(group_state& g) {
    const std::lock_guard lock{mutex_};
    g.book.finish();
    for (const auto& e : g.book.examples()) std::cerr << g.plan.name << ": " << e << "\n";
    std::cout << "{\"group\":\"" << g.plan.name << "\",\"acknowledged\":" << log_.count() << ",\"read\":" << g.book.unique() << ",\"again\":" << g.book.again()
              << ",\"by_former_owners\":" << g.book.by_former_owners() << ",\"by_other_clients\":" << g.book.by_foreign() << ",\"commits\":" << g.book.commits() << ",\"refused\":" << g.counts[told::refused]
              << ",\"assigned\":" << g.counts[told::assigned] << ",\"revoked\":" << g.counts[told::revoked] << ",\"lost\":" << g.counts[told::lost]
              << ",\"poll_errors\":" << g.counts[told::trouble] << ",\"died\":" << g.died << ",\"violations\":" << counts_of(g.book.violations()) << "}" << std::endl;
    return g.book.violations().empty() && g.died == 0 && g.book.unique() > 0;
}

// Each input once, in its order.
bool group_stage::judge_pipeline(group_state& g) {
    std::vector<std::uint64_t> ends;
    {
        const std::lock_guard lock{mutex_};
        ends = input_log_.ends();
    }
    std::string behind;
    for (const auto until = clock::now() + 60s; clock::now() < until; std::this_thread::sleep_for(200ms)) {
        behind.clear();
        for (std::int32_t p = 0; p < 6; ++p) {
            const auto at = admin.committed_offset(g.plan.name, input, p);
            if (at < static_cast<std::int64_t>(ends[static_cast<std::size_t>(p)])) behind += " " + std::to_string(p) + " at " + std::to_string(at) + " of " + std::to_string(ends[static_cast<std::size_t>(p)]);
        }
        if (behind.empty()) break;
        complete_groups();
    }
    std::map<std::string, std::uint64_t> violations;
    if (!behind.empty()) std::cerr << g.plan.name << " does not come to the end:" << behind << "\n";
    std::vector<std::vector<bool>> there(6);
    std::vector<std::uint64_t> next(6);
    std::uint64_t outputs = 0, inputs = 0;
    std::string scratch;
    read_by_fetch(kafka, output_of(g.plan), true, [&](std::int32_t partition, std::int64_t, std::string_view value) {
        const auto n = read_value(options.seed, value, scratch);
        if (!n || n->partition != partition) {
            ++violations["altered"];
            return;
        }
        ++outputs;
        auto& mine = there[static_cast<std::size_t>(partition)];
        if (n->index >= mine.size()) mine.resize(n->index + 1);
        if (mine[n->index]) ++violations["doubled"];
        mine[n->index] = true;
        auto& expected = next[static_cast<std::size_t>(partition)];
        if (n->index < expected) ++violations["reordered"];
        expected = n->index + 1;
    });
    if (!violations.empty()) std::cerr << fleet_->stories(g.plan.name + "-member");
    const std::lock_guard lock{mutex_};
    for (std::size_t p = 0; p < 6; ++p)
        for (std::uint64_t i = 0; i < input_log_.end(static_cast<std::int32_t>(p)); ++i) {
            if (input_log_.at(static_cast<std::int32_t>(p), i) == 0) continue;
            ++inputs;
            if (i >= there[p].size() || !there[p][i]) ++violations["lost"];
        }
    std::cout << "{\"pipeline\":\"" << g.plan.name << "\",\"inputs\":" << inputs << ",\"outputs\":" << outputs << ",\"committed\":" << g.counts[told::done]
              << ",\"aborted\":" << g.counts[told::undone] << ",\"assigned\":" << g.counts[told::assigned] << ",\"lost_partitions\":" << g.counts[told::lost]
              << ",\"violations\":" << counts_of(violations) << "}" << std::endl;
    return violations.empty() && behind.empty() && outputs > 0;
}

}  // namespace faults
