#include <kafkawire/app/reader_writer.hpp>

#include <algorithm>

#include "app/settings.hpp"

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

client_options client_of(const std::string& brokers, const client_options& dialer) {
    auto c = dialer;
    c.bootstrap = brokers;
    return c;
}

producer_options producer_of(const writer_options& o) {
    if (auto wrong = kafkawire::validate(o)) throw system_error{std::move(wrong)};
    producer_options p;
    p.acks = o.required_acks;
    p.partitioner = o.balancer == "hash" ? "fnv1a" : o.balancer;
    p.batch_bytes = o.batch_bytes;
    p.batch_records = o.batch_size;
    p.max_retries = static_cast<std::int32_t>(o.max_attempts) - 1;
    p.linger = o.batch_timeout;
    p.compression = o.compression;
    p.delivery_timeout = std::max(o.write_timeout * o.max_attempts, o.batch_timeout + o.write_timeout);
    return p;
}

writer_options writer_options_of(const config::producer_settings& s) {
    writer_options w;
    w.brokers = s.client.bootstrap;
    w.topic = s.sending.topic;
    w.balancer = s.sending.balancer;
    // Without a number of messages a call waits for the linger, whatever it brings.
    w.batch_size = s.options.batch_records > 0 ? s.options.batch_records : std::numeric_limits<std::uint32_t>::max();
    w.write_timeout = s.client.request_timeout;
    w.async = s.sending.async;
    return w;
}

std::shared_ptr<client_detail::hosted_client> host_of(const config::producer_settings& s, asio::io_context* io) {
    return io ? std::make_shared<client_detail::hosted_client>(*io, s.client) : std::make_shared<client_detail::hosted_client>(s.client);
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

consumer_options consumer_of(const config::consumer_settings& s) {
    const auto& r = s.reading;
    if (s.options.group.empty() && r.topic.empty()) refuse("topic is empty", "name the topic that is read");
    if (!s.options.group.empty() && r.partition) refuse("partition and group are both set", "a group shares the partitions among its members: leave one of the two out");
    auto c = s.options;
    c.topics = c.group.empty() ? std::vector<std::string>{} : c.topics;
    // Whoever fetches one message after the other may take long over each.
    c.max_poll_interval = std::chrono::milliseconds{0};
    return c;
}

reader_options reader_options_of(const config::consumer_settings& s) {
    reader_options o;
    o.brokers = s.client.bootstrap;
    o.group_id = s.options.group;
    o.topic = s.reading.topic.empty() && !s.options.topics.empty() ? s.options.topics.front() : s.reading.topic;
    o.partition = s.reading.partition;
    o.start_offset = s.reading.start_offset.value_or(s.options.auto_offset_reset == offset_reset::earliest ? -2 : -1);
    o.commit_interval = s.reading.commit_interval;
    return o;
}

blocking::consumer consumer_on(const config::consumer_settings& s, asio::io_context* io) {
    return io ? blocking::consumer{*io, s.client, consumer_of(s)} : blocking::consumer{s.client, consumer_of(s)};
}

std::size_t bytes_of(const record& m) {
    auto n = m.key.size() + m.value.size();
    for (const auto& h : m.headers) n += h.key.size() + h.value.size();
    return n;
}

}  // namespace

producer_options detail::producer_options_of(const config::producer_settings& s) {
    auto p = s.options;
    if (!s.sending.balancer.empty()) p.partitioner = s.sending.balancer;
    return p;
}

struct writer::state {
    std::optional<producer> sender;                  // on the loop
    std::function<void(const message&, position)> success;
    std::function<void(const message&, const error&)> failure;
    std::atomic<std::uint64_t> errors{0};
};

writer::writer(const writer_options& options) : options_{options}, host_{std::make_shared<client_detail::hosted_client>(client_of(options.brokers, options.dialer))}, state_{std::make_shared<state>()} {
    make(producer_of(options_));
}
writer::writer(const config::producer_settings& settings, asio::io_context* io)
    : options_{writer_options_of(settings)}, max_message_bytes_{settings.sending.max_message_bytes}, host_{host_of(settings, io)}, state_{std::make_shared<state>()} {
    if (settings.connection.caller_metadata) pass_metadata();
    make(detail::producer_options_of(settings));
}
writer::~writer() {
    try {
        host_->loop.run([&] { state_->sender.reset(); });
    } catch (const system_error&) {
        state_->sender.reset();  // this is the loop's own thread
    }
}

void writer::make(const producer_options& options) {
    host_->loop.run([&] { state_->sender.emplace(*host_->client, options); });
}
void writer::on_success(std::function<void(const message&, position)> what) { state_->success = std::move(what); }
void writer::on_error(std::function<void(const message&, const error&)> what) { state_->failure = std::move(what); }

// Messages with their topic and all of their headers.
struct writer::prepared {
    std::vector<record> messages;
    metadata along;
    std::vector<std::vector<header_view>> headers;
};

writer::prepared writer::prepare(std::span<const record> messages) {
    prepared p{{messages.begin(), messages.end()}, metadata_rule_ ? current_metadata() : metadata{}, {}};
    p.headers.reserve(p.messages.size());
    for (auto& m : p.messages) {
        if (m.topic.empty() == options_.topic.empty())
            refuse(std::make_error_code(std::errc::invalid_argument), m.topic.empty() ? "a message names no topic, and neither does the writer" : "a message names a topic, and so does the writer",
                   "the topic stands in the writer's options or in each message");
        if (m.topic.empty()) m.topic = options_.topic;
        if (!p.along.empty()) m.headers = p.headers.emplace_back(merge_metadata(m.headers, p.along, *metadata_rule_));
        const auto size = bytes_of(m);
        if (max_message_bytes_ > 0 && size > max_message_bytes_)
            refuse(kafkawire::errc::record_too_large, "a message has " + std::to_string(size) + " bytes, and max_message_bytes is " + std::to_string(max_message_bytes_), "raise max_message_bytes (maxMessageBytes), or send less");
        bytes_ += m.key.size() + m.value.size();
    }
    ++writes_;
    messages_ += p.messages.size();
    return p;
}

// Whoever is told of a message is told all of it: it is copied.
void writer::write_later(const record& m) {
    struct parcel {
        message what;
        std::vector<header_view> headers;
    };
    const auto text = [](const nullable_bytes& b) { return b.is_null() ? std::optional<std::string>{} : std::optional{std::string{b.text()}}; };
    const auto bytes = [](const std::optional<std::string>& t) { return t ? nullable_bytes{*t} : nullable_bytes{}; };
    auto p = std::make_shared<parcel>(parcel{{std::string{m.topic}, text(m.key), text(m.value), {}, m.tag}, {}});
    for (const auto& h : m.headers) p->what.headers.push_back({std::string{h.key}, text(h.value)});
    for (const auto& h : p->what.headers) p->headers.push_back({h.key, bytes(h.value)});
    const record copy{.topic = p->what.topic, .key = bytes(p->what.key), .value = bytes(p->what.value), .headers = p->headers, .partition = m.partition, .timestamp = m.timestamp};
    asio::post(host_->loop.executor(), [s = state_, p, copy] {
        if (!s->sender) return;
        s->sender->async_send(copy, detailed([s, p](error why, const delivery& at) {
            if (why) ++s->errors;
            if (!why && s->success) s->success(p->what, {at.partition, at.offset});
            if (why && s->failure) s->failure(p->what, why);
        }));
    });
}

batch_result writer::write_messages(std::span<const record> messages) {
    const auto all = prepare(messages);
    if (options_.async && (state_->success || state_->failure)) {
        for (const auto& m : all.messages) write_later(m);
        return {};
    }
    if (options_.async) {
        for (const auto& m : all.messages) {
            auto [refused] = host_->loop.call<>([&](auto h) { state_->sender->async_enqueue(m, detailed(std::move(h))); });
            if (refused) throw system_error{std::move(refused)};
        }
        return {};
    }
    auto [why, r] = host_->loop.call<batch_result>([&](auto h) {
        state_->sender->async_send_batch(all.messages, detailed(std::move(h)));
        // A full batch waits for nobody.
        if (all.messages.size() >= options_.batch_size) state_->sender->async_flush(options_.write_timeout, [](std::error_code, std::size_t) {});
    });
    if (why) {
        state_->errors += r.not_persisted + r.maybe_persisted;
        throw system_error{std::move(why)};
    }
    return r;
}

position writer::send(const record& message) {
    const auto one = prepare({&message, 1});
    auto [why, at] = host_->loop.call<delivery>([&](auto h) { state_->sender->async_send(one.messages.front(), detailed(std::move(h))); });
    if (why) {
        ++state_->errors;
        throw system_error{std::move(why)};
    }
    return {at.partition, at.offset};
}

void writer::on_completion(unique_function<void(const delivery_report&)> what) {
    host_->loop.run([&] { state_->sender->on_delivery(std::move(what)); });
}

writer_statistics writer::stats() const {
    producer_statistics p;
    host_->loop.run([&] { p = state_->sender->statistics(); });
    return {writes_, messages_, bytes_, p.batches, state_->errors, p.retries};
}

std::size_t writer::flush(std::chrono::milliseconds patience) {
    auto [why, left] = host_->loop.call<std::size_t>([&](auto h) { state_->sender->async_flush(patience, detailed(std::move(h))); });
    return left;
}

std::size_t writer::close(std::chrono::milliseconds patience) {
    auto [why, left] = host_->loop.call<std::size_t>([&](auto h) { state_->sender->async_close(patience, detailed(std::move(h))); });
    return left;
}

reader::reader(const reader_options& options) : options_{options}, consumer_{client_of(options.brokers, options.dialer), consumer_of(options)} {
    begin();
}
reader::reader(const config::consumer_settings& settings, asio::io_context* io)
    : options_{reader_options_of(settings)}, max_message_bytes_{settings.reading.max_message_bytes}, lag_interval_{settings.reading.lag_interval}, consumer_{consumer_on(settings, io)} {
    begin();
}
reader::~reader() = default;

void reader::begin() {
    if (options_.group_id.empty()) consumer_.with([&](consumer& c) { c.assign(options_.topic, options_.partition.value_or(0), start_at(options_.start_offset)); });
}

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
            const auto size = (m->key ? m->key->size() : 0) + (m->value ? m->value->size() : 0);
            bytes_ += size;
            if (max_message_bytes_ > 0 && size > max_message_bytes_) {
                ++errors_;
                refuse(kafkawire::errc::limit_exceeded,
                       m->topic + "-" + std::to_string(m->partition) + " at " + std::to_string(m->offset) + ": the message has " + std::to_string(size) + " bytes, and max_message_bytes is " +
                           std::to_string(max_message_bytes_),
                       "raise max_message_bytes (fetchMax); the next call goes on behind it");
            }
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
    reader_statistics s{messages_, bytes_, errors_, timeouts_, 0, offset(), -1};
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard hold{lag_lock_};
    if (!lag_measured_at_ || measured_lag_ < 0 || now - *lag_measured_at_ >= lag_interval_) {
        measured_lag_ = lag();
        lag_measured_at_ = now;
    }
    s.lag = measured_lag_;
    if (const auto m = membership()) s.rebalances = m->rebalances;
    return s;
}

std::optional<group_membership> reader::membership() {
    return consumer_.with([](consumer& c) { return c.membership(); });
}

void reader::close(std::chrono::milliseconds within) { consumer_.close(within); }

}  // namespace app
}  // namespace kafkawire::inline v0_1
