#include "cli/sender.hpp"

#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/murmur2.hpp>

#include <asio/co_spawn.hpp>
#include <fmt/format.h>

namespace kafkawire::cli {

using namespace protocol;

namespace {

// A broker's refusal that is worth another try: the code travels out of attempt().
struct try_again {
    std::int16_t code;
    failure what;
};

}  // namespace

sender::sender(session& s, topic_view topic, sender_options o) : session_{s}, topic_{std::move(topic)}, options_{o}, changed_{s.io()} {
    changed_.expires_at(asio::steady_timer::time_point::max());
    for (const auto& p : topic_.partitions) {
        out_.emplace_back();
        out_.back().id = p.id;
    }
}

asio::awaitable<void> sender::prepare() {
    // One version for all leaders: a batch must not change its format when its partition moves.
    std::optional<std::int16_t> lowest;
    std::vector<std::int32_t> leaders;
    for (const auto& p : topic_.partitions)
        if (p.leader >= 0 && std::find(leaders.begin(), leaders.end(), p.leader) == leaders.end()) leaders.push_back(p.leader);
    std::optional<failure> unreachable;
    for (const auto leader : leaders) {
        try {
            const auto v = co_await session_.version_of(messages::produce_request::key, leader, "cannot produce");
            lowest = std::min(lowest.value_or(v), v);
        } catch (const failure& f) {
            // One that is down gets a successor, which is one of the others.
            if (!f.retriable) throw;
            unreachable = f;
        }
    }
    if (!lowest && unreachable) throw *unreachable;
    if (!lowest) throw failure{status::failed, "LEADER_NOT_AVAILABLE", fmt::format("no partition of \"{}\" has a leader", topic_.name), "are enough brokers up? `kafka-cli topics describe` shows its replicas"};
    version_ = *lowest;
    if (topic_.id.is_zero()) version_ = std::min<std::int16_t>(version_, 12);
    magic_ = version_ >= 3 ? 2 : version_ == 2 ? 1 : 0;
    if (options_.codec == compression::zstd && version_ < 7)
        throw failure{status::failed, "UNSUPPORTED_COMPRESSION_TYPE", fmt::format("zstd needs Produce v7, and this broker speaks up to v{}", version_), "brokers take zstd since 2.1; use gzip, snappy or lz4 here"};
    if (magic_ == 2 && options_.acks == -1) co_await get_producer_id();
}

// With a producer id the broker knows a repeated batch again. Nobody has asked for that here, so a user without the right to one (brokers
// before 2.8 want a right of its own for it) or a broker without the API does not keep the records from being sent; but it is said.
asio::awaitable<void> sender::get_producer_id() {
    const std::string doing = "cannot get a producer id";
    const auto give_up = std::chrono::steady_clock::now() + session_.ctx().timeout;
    for (;;) {
        messages::init_producer_id_request request;
        request.transactional_id = std::nullopt;
        request.transaction_timeout_ms = 60'000;
        std::optional<failure> wrong;
        try {
            const auto a = co_await session_.ask(std::move(request), {}, doing);
            if (a.error_code == 0) {
                producer_id_ = a.producer_id;
                producer_epoch_ = a.producer_epoch;
                co_return;
            }
            wrong = from_broker_code(a.error_code, doing);
        } catch (const failure& f) {
            wrong = f;
        }
        if (!wrong->retriable) {
            note(fmt::format("{}; going on without: a batch that has to be sent again may be there twice", wrong->message));
            co_return;
        }
        // A broker's first answer after its start is that it is still fetching ids (COORDINATOR_LOAD_IN_PROGRESS).
        if (std::chrono::steady_clock::now() > give_up) throw *wrong;
        co_await session_.sleep(std::chrono::milliseconds{50});
    }
}

sender::partition_out& sender::choose(const item& i) {
    if (i.partition) {
        if (*i.partition < 0 || *i.partition >= partitions())
            throw failure{status::failed, "UNKNOWN_TOPIC_OR_PARTITION", fmt::format("topic \"{}\" has no partition {}", topic_.name, *i.partition), fmt::format("it has {} partitions, counted from 0", partitions())};
        return out_[static_cast<std::size_t>(*i.partition)];
    }
    if (!i.key.is_null()) return out_[static_cast<std::size_t>(partition_of(i.key.view(), partitions()))];
    return out_[sticky_ % out_.size()];
}

void sender::start_batch(partition_out& p) {
    if (!spare_.empty()) {
        p.open = std::move(spare_.back());
        spare_.pop_back();
    } else {
        p.open = std::make_unique<batch_builder>();
    }
    batch_options o;
    o.magic = magic_;
    o.codec = options_.codec;
    o.level = options_.level;
    o.producer_id = producer_id_;
    o.producer_epoch = producer_epoch_;
    o.base_sequence = producer_id_ >= 0 ? p.next_sequence : -1;
    p.open->start(o);
}

bool sender::add(const item& i) {
    if (failed_) throw *failed_;
    if (outstanding_ >= options_.most_outstanding) return false;
    auto* p = &choose(i);
    const auto most = batch_builder::most_bytes(i.key, i.value, i.headers);
    if (p->open && !p->open->empty() && p->open->size() + most > options_.batch_bytes) {
        close_batch(*p);
        p = &choose(i);
        if (p->open && !p->open->empty() && p->open->size() + most > options_.batch_bytes) close_batch(*p);
    }
    if (!p->open) start_batch(*p);
    const auto e = p->open->append(i.timestamp, i.key, i.value, i.headers);
    if (e == errc::not_in_version)
        throw failure{status::failed, "not_in_version", fmt::format("a record with headers cannot be sent: the broker speaks Produce v{}", version_), "headers need brokers from 0.11 on"};
    if (e != errc{}) throw failure{status::failed, "bad_record", "a record cannot be sent: " + make_error_code(e).message()};
    return true;
}

void sender::close_batch(partition_out& p) {
    if (!p.open || p.open->empty()) return;
    closed_batch b;
    b.keeper = std::move(p.open);
    b.count = b.keeper->count();
    if (const auto e = b.keeper->close(b.bytes)) throw failure{status::failed, "compression_failed", fmt::format("a batch cannot be built: {}", e.what)};
    p.next_sequence = static_cast<std::int32_t>((static_cast<std::uint32_t>(p.next_sequence) + static_cast<std::uint32_t>(b.count)) & 0x7fffffffu);
    b.charged = b.keeper->size();
    outstanding_ += b.charged;
    p.queue.push_back(std::move(b));
    ++sticky_;
    if (p.sending) return;
    p.sending = true;
    asio::co_spawn(session_.io(), deliver(p.id), [this](std::exception_ptr e) {
        try {
            if (e) std::rethrow_exception(e);
        } catch (const failure& f) {
            if (!failed_) failed_ = f;
        } catch (const std::exception& other) {
            if (!failed_) failed_ = failure{status::failed, "internal", other.what()};
        }
        wake();
    });
}

void sender::flush() {
    for (auto& p : out_) close_batch(p);
}

void sender::wake() { changed_.cancel(); }

asio::awaitable<void> sender::room() {
    while (!failed_ && outstanding_ >= options_.most_outstanding) {
        std::error_code ignored;
        co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

asio::awaitable<void> sender::drain() {
    flush();
    while (!failed_ && outstanding_ > 0) {
        std::error_code ignored;
        co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (failed_) throw *failed_;
}

asio::awaitable<void> sender::deliver(std::int32_t partition) {
    auto& p = out_[static_cast<std::size_t>(partition)];
    while (!p.queue.empty() && !failed_) {
        auto batch = std::move(p.queue.front());
        p.queue.pop_front();
        co_await deliver_one(partition, batch);
        outstanding_ -= batch.charged;
        spare_.push_back(std::move(batch.keeper));
        wake();
    }
    p.sending = false;
}

asio::awaitable<void> sender::deliver_one(std::int32_t partition, closed_batch& batch) {
    const auto give_up = std::chrono::steady_clock::now() + session_.ctx().timeout;
    for (;;) {
        std::optional<failure> last;
        const auto* p = topic_.find(partition);
        if (p && p->leader >= 0) {
            try {
                const auto base = co_await attempt(partition, p->leader, batch.bytes);
                delivered_ += batch.count;
                wire_bytes_ += static_cast<std::int64_t>(batch.bytes.size());
                report(partition, base, batch.count);
                co_return;
            } catch (const try_again& e) {
                last = e.what;
            }
        } else {
            last = failure{status::failed, "LEADER_NOT_AVAILABLE", fmt::format("{}-{} has no leader", topic_.name, partition), "are enough brokers up?"};
        }
        if (std::chrono::steady_clock::now() > give_up) throw *last;
        co_await session_.sleep(std::chrono::milliseconds{100});
        try {
            std::vector<std::string> names{topic_.name};
            auto views = co_await find_topics(session_, std::move(names));
            if (views.front().error == 0) topic_ = std::move(views.front());
        } catch (const failure&) {
            // The next attempt will tell what is wrong, if it still is.
        }
    }
}

asio::awaitable<std::int64_t> sender::attempt(std::int32_t partition, std::int32_t leader, bytes_view batch) {
    messages::produce_request request;
    request.acks = options_.acks;
    request.timeout_ms = static_cast<std::int32_t>(std::min<std::int64_t>(session_.ctx().timeout.count(), 30'000));
    messages::produce_request::topic_produce_data t;
    t.name = topic_.name;
    t.topic_id = topic_.id;
    messages::produce_request::partition_produce_data d;
    d.index = partition;
    d.records = raw_records{batch};
    t.partition_data.push_back(std::move(d));
    request.topic_data.push_back(std::move(t));
    request_options options;
    options.broker = leader;
    options.version = version_;
    const auto doing = fmt::format("cannot produce to {}-{}", topic_.name, partition);
    error why;
    try {
        const auto a = co_await session_.cluster().async_request(std::move(request), options, detailed(asio::use_awaitable));
        if (options_.acks == 0) co_return -1;
        for (const auto& topic : a.responses)
            for (const auto& r : topic.partition_responses) {
                // A repeated batch that the broker already has is as good as a new one.
                if (r.error_code == 0 || static_cast<broker_errc>(r.error_code) == broker_errc::duplicate_sequence_number) co_return r.base_offset;
                auto f = from_broker_code(r.error_code, doing);
                f.broker = a.info.broker;
                f.api = fmt::format("Produce v{}", version_);
                if (r.error_message) f.cause = *r.error_message;
                if (static_cast<broker_errc>(r.error_code) == broker_errc::message_too_large) f.hint = "the topic's max.message.bytes is the limit; --batch-bytes makes smaller batches";
                if (make_error_code(static_cast<broker_errc>(r.error_code)) == condition::retriable) throw try_again{r.error_code, std::move(f)};
                throw f;
            }
        throw failure{status::failed, "bad_answer", fmt::format("{}: the broker's answer does not name the partition", doing)};
    } catch (const system_error& e) {
        why = e.detail();
    }
    // acks=0: nobody will ever tell whether it arrived, so sending it again would only make doubles.
    if (why.code == condition::retriable && options_.acks != 0) throw try_again{0, from_error(why, doing)};
    throw from_error(why, doing);
}

void sender::report(std::int32_t partition, std::int64_t base, std::int32_t count) {
    if (!options_.report) return;
    auto& c = session_.ctx();
    for (std::int32_t i = 0; i < count; ++i) {
        const auto offset = base < 0 ? -1 : base + i;
        if (c.format == output_format::json) {
            std::string line = "{\"topic\":\"" + topic_.name + "\"";
            c.out->write(fmt::format("{},\"partition\":{},\"offset\":{}}}\n", line, partition, offset));
        } else if (c.format == output_format::tsv) {
            c.out->write(fmt::format("{}\t{}\t{}\n", topic_.name, partition, offset));
        } else {
            c.out->write(fmt::format("topic={} partition={} offset={}\n", topic_.name, partition, offset));
        }
    }
    c.out->flush_point();
}

}  // namespace kafkawire::cli
