#include <kafkawire/app/reader_writer.hpp>

#include <algorithm>

namespace kafkawire::inline v0_1 {
namespace app {

namespace {

[[noreturn]] void refuse(std::error_code code, std::string text, std::string hint) {
    error e;
    e.code = code;
    e.text = std::move(text);
    e.hint = std::move(hint);
    throw system_error{std::move(e)};
}
[[noreturn]] void refuse(std::string text, std::string hint) { refuse(kafkawire::errc::bad_configuration, std::move(text), std::move(hint)); }

client_options client_of(const std::string& brokers) {
    client_options c;
    c.bootstrap = brokers;
    return c;
}

producer_options producer_of(const writer_options& o) {
    if (auto wrong = kafkawire::validate(o)) throw system_error{std::move(wrong)};
    producer_options p;
    p.acks = o.required_acks;
    p.partitioner = o.balancer == "hash" ? "fnv1a" : o.balancer;
    p.batch_bytes = o.batch_bytes;
    p.linger = o.batch_timeout;
    p.compression = o.compression;
    p.delivery_timeout = std::max(o.write_timeout * o.max_attempts, o.batch_timeout + o.write_timeout);
    return p;
}

// Where the numbers -2 and -1 begin.
start_position start_at(std::int64_t offset) {
    if (offset == -2) return start_position::beginning();
    return offset == -1 ? start_position::end() : start_position::at(offset);
}

consumer_options consumer_of(const reader_options& o) {
    if (auto wrong = kafkawire::validate(o)) throw system_error{std::move(wrong)};
    if (o.topic.empty()) refuse("topic is empty", "name the topic that is read");
    if (o.partition && !o.group_id.empty()) refuse("partition and group_id are both set", "a group shares the partitions among its members: leave one of the two out");
    if (o.start_offset >= 0 && !o.group_id.empty()) refuse("start_offset is an offset, and group_id is set", "a group goes on where it has committed: first and last say where it begins");
    consumer_options c;
    c.isolation = o.isolation;
    c.auto_offset_reset = o.start_offset == -1 ? offset_reset::latest : offset_reset::earliest;
    c.fetch_min_bytes = o.min_bytes;
    c.fetch_max_bytes = c.partition_bytes = o.max_bytes;
    c.fetch_max_wait = o.max_wait;
    if (o.group_id.empty()) return c;
    c.group = o.group_id;
    c.topics = {o.topic};
    c.session_timeout = o.session_timeout;
    c.heartbeat_interval = o.heartbeat_interval;
    c.rebalance_timeout = o.rebalance_timeout;
    // Whoever fetches one message after the other may take long over each.
    c.max_poll_interval = std::chrono::milliseconds{0};
    if (o.commit_interval.count() > 0) {
        c.auto_commit = true;
        c.auto_mark = false;
        c.auto_commit_interval = o.commit_interval;
    }
    return c;
}

}  // namespace

writer::writer(const writer_options& options) : options_{options}, host_{std::make_shared<client_detail::hosted_client>(client_of(options.brokers))} {
    host_->loop.run([&] { producer_.emplace(*host_->client, producer_of(options_)); });
}
writer::~writer() { client_detail::destroy_on(host_->loop, producer_); }

batch_result writer::write_messages(std::span<const record> messages) {
    std::vector<record> all{messages.begin(), messages.end()};
    for (auto& m : all) {
        if (m.topic.empty() == options_.topic.empty())
            refuse(std::make_error_code(std::errc::invalid_argument), m.topic.empty() ? "a message names no topic, and neither does the writer" : "a message names a topic, and so does the writer",
                   "the topic stands in the writer's options or in each message");
        if (m.topic.empty()) m.topic = options_.topic;
        bytes_ += m.key.size() + m.value.size();
    }
    ++writes_;
    messages_ += all.size();
    if (options_.async) {
        for (const auto& m : all) {
            auto [refused] = host_->loop.call<>([&](auto h) { producer_->async_enqueue(m, detailed(std::move(h))); });
            if (refused) throw system_error{std::move(refused)};
        }
        return {};
    }
    auto [why, r] = host_->loop.call<batch_result>([&](auto h) {
        producer_->async_send_batch(all, detailed(std::move(h)));
        // A full batch waits for nobody.
        if (all.size() >= options_.batch_size) producer_->async_flush(options_.write_timeout, [](std::error_code, std::size_t) {});
    });
    if (why) {
        errors_ += r.not_persisted + r.maybe_persisted;
        throw system_error{std::move(why)};
    }
    return r;
}

void writer::on_completion(unique_function<void(const delivery_report&)> what) {
    host_->loop.run([&] { producer_->on_delivery(std::move(what)); });
}

writer_statistics writer::stats() const {
    producer_statistics p;
    host_->loop.run([&] { p = producer_->statistics(); });
    return {writes_, messages_, bytes_, p.batches, errors_, p.retries};
}

std::size_t writer::close(std::chrono::milliseconds patience) {
    auto [why, left] = host_->loop.call<std::size_t>([&](auto h) { producer_->async_close(patience, detailed(std::move(h))); });
    return left;
}

reader::reader(const reader_options& options) : options_{options}, consumer_{client_of(options.brokers), consumer_of(options)} {
    if (options_.group_id.empty()) consumer_.with([&](consumer& c) { c.assign(options_.topic, options_.partition.value_or(0), start_at(options_.start_offset)); });
}
reader::~reader() = default;

consumer_record reader::fetch_message(patience within) {
    for (;;) {
        std::optional<consumer_record> m;
        try {
            m = consumer_.read(within.value_or(std::chrono::minutes{1}));
        } catch (...) {
            ++errors_;
            throw;
        }
        if (m) {
            ++messages_;
            bytes_ += (m->key ? m->key->size() : 0) + (m->value ? m->value->size() : 0);
            return std::move(*m);
        }
        if (!within) continue;
        ++timeouts_;
        refuse(kafkawire::errc::request_timed_out, "no message came within " + std::to_string(within->count()) + " ms", {});
    }
}

consumer_record reader::read_message(patience within) {
    auto m = fetch_message(within);
    if (!options_.group_id.empty()) commit_messages({&m, 1});
    return m;
}

void reader::commit_messages(std::span<const consumer_record> done) {
    if (options_.commit_interval.count() > 0 && !options_.group_id.empty()) {
        const auto wrong = consumer_.with([&](consumer& c) {
            std::error_code first;
            for (const auto& m : done)
                if (const auto ec = c.mark(m); ec && !first) first = ec;
            return first;
        });
        if (wrong) refuse(wrong, "a message could not be committed", {});
        return;
    }
    // The last of each partition is enough.
    std::map<topic_partition, committed_offset> last;
    for (const auto& m : done) {
        auto& o = last[{m.topic, m.partition}];
        if (m.offset + 1 > o.offset) o = {m.topic, m.partition, m.offset + 1, m.leader_epoch, {}};
    }
    std::vector<committed_offset> offsets;
    for (auto& [where, o] : last) offsets.push_back(std::move(o));
    consumer_.commit(std::move(offsets));
}

void reader::set_offset(std::int64_t offset) {
    if (!options_.group_id.empty()) refuse(std::make_error_code(std::errc::operation_not_permitted), "a reader with a group goes on where the group has committed", "leave group_id out to say where");
    consumer_.with([&](consumer& c) { (void)c.seek(options_.topic, options_.partition.value_or(0), start_at(offset)); });
}

std::int64_t reader::offset() {
    if (!options_.group_id.empty()) return -1;
    return consumer_.with([&](consumer& c) { return c.position(options_.topic, options_.partition.value_or(0)).value_or(-1); });
}

std::int64_t reader::lag() {
    return consumer_.with([](consumer& c) {
        std::int64_t sum = 0;
        const auto all = c.readings();
        for (const auto& r : all) {
            if (r.lag < 0) return std::int64_t{-1};
            sum += r.lag;
        }
        return all.empty() ? std::int64_t{-1} : sum;
    });
}

reader_statistics reader::stats() {
    reader_statistics s{messages_, bytes_, errors_, timeouts_, 0, offset(), lag()};
    s.rebalances = consumer_.with([](consumer& c) {
        const auto m = c.membership();
        return m ? m->rebalances : std::uint64_t{0};
    });
    return s;
}

void reader::close(std::chrono::milliseconds within) { consumer_.close(within); }

}  // namespace app
}  // namespace kafkawire::inline v0_1
