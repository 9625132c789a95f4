// kw::consumer itself, and the calls that its templates make.
#include <kafkawire/consumer.hpp>

#include "client/consumer_core.hpp"
#include "client/group_core.hpp"

// Opened as the header does that declares them: clang's names of symbols go by that.
namespace kafkawire::inline v0_1 {
namespace client_detail {

void begin_read(consumer_core& c, std::shared_ptr<read_operation> what) { c.read(std::move(what)); }
void cancel_read(const std::shared_ptr<consumer_core>& c, const std::weak_ptr<read_operation>& what) {
    // Not inline: we are called from inside the slot that telling would empty.
    asio::post(c->client().executor(), [core = std::weak_ptr{c}, what] {
        const auto alive = core.lock();
        const auto op = what.lock();
        if (alive && op) alive->cancel(op);
    });
}
void close_reading(consumer_core& c, std::chrono::milliseconds patience, unique_function<void()> over) { c.close(patience, std::move(over)); }
const asio::any_io_executor& executor_of(const consumer_core& c) noexcept { return const_cast<consumer_core&>(c).client().executor(); }

std::vector<place_behind> places_behind(std::span<const partition_records> parts) {
    std::vector<place_behind> all;
    all.reserve(parts.size());
    for (const auto& p : parts) all.push_back({{p.topic(), p.partition(), p.next_offset(), p.leader_epoch(), {}}, p.assignment_epoch()});
    return all;
}

std::vector<place_behind> place_behind_record(std::string_view topic, std::int32_t partition, std::int64_t offset, std::int32_t leader_epoch) {
    std::vector<place_behind> one(1);
    one[0].at = {std::string{topic}, partition, offset + 1, leader_epoch, {}};
    return one;
}

std::error_code mark_as_done(consumer_core& c, const std::vector<place_behind>& what) { return c.group() ? c.group()->mark(what) : errc::no_group; }

std::shared_ptr<begun> prepare_commit(const std::shared_ptr<consumer_core>& c, std::unique_ptr<waiting_operation> who, commit_wish what) {
    commit_call::positions positions;
    error gone;
    if (const auto* offsets = std::get_if<std::vector<committed_offset>>(&what)) {
        for (const auto& o : *offsets) {
            if (c->group() && c->group()->of_former_assignment(o.topic, o.partition, 0)) {
                gone.code = broker_errc::unknown_topic_id;
                gone.text = "the topic of " + o.topic + '-' + std::to_string(o.partition) + " is another one now, which the next poll tells";
            } else {
                positions[{o.topic, o.partition}] = {o.offset, o.leader_epoch, o.metadata, c->group() ? c->group()->id_of(o.topic, o.partition) : protocol::uuid{}};
            }
        }
    } else if (const auto* places = std::get_if<std::vector<place_behind>>(&what); places && c->group()) {
        for (const auto& [o, assignment] : *places) {
            if (c->group()->of_former_assignment(o.topic, o.partition, assignment)) {
                gone.code = broker_errc::illegal_generation;
                gone.text = o.topic + '-' + std::to_string(o.partition) + " has gone to another member since these records were handed out, or its topic was made anew";
            } else {
                positions[{o.topic, o.partition}] = {o.offset, o.leader_epoch, {}, c->group()->id_of(o.topic, o.partition)};
            }
        }
    } else if (c->group()) {
        positions = c->group()->standing();
    }
    return std::make_shared<commit_call>(c, std::move(who), std::move(positions), std::move(gone));
}

std::shared_ptr<begun> prepare_committed(const std::shared_ptr<consumer_core>& c, std::unique_ptr<committed_operation> who, std::vector<topic_partition> of) {
    return std::make_shared<committed_call>(c, std::move(who), std::move(of));
}

namespace {

group_core& group_of(const std::shared_ptr<consumer_core>& c) {
    if (c->group()) return *c->group();
    error why;
    why.code = errc::no_group;
    why.text = "topics are subscribed to by members of a group";
    why.hint = "name one in consumer_options, or assign() partitions";
    throw system_error{std::move(why)};
}

partition_reading reading_of(const reading_partition& p, bool read_committed) {
    partition_reading r;
    r.topic = *p.topic;
    r.partition = p.index;
    r.state = static_cast<partition_reading::status>(p.state.index());
    r.paused = p.paused;
    r.position = p.position;
    r.leader_epoch = p.position_epoch;
    r.log = {p.log_start, p.high_watermark, p.last_stable};
    const auto end = read_committed && p.last_stable >= 0 ? p.last_stable : p.high_watermark;
    if (p.position >= 0 && end >= 0) r.lag = std::max<std::int64_t>(end - p.position, 0);
    r.assignment_epoch = p.number;
    r.preferred_replica = p.replica;
    if (const auto* const f = std::get_if<reading_failed>(&p.state)) r.why = f->why;
    return r;
}

}  // namespace
}  // namespace client_detail

consumer::consumer(client& c, const consumer_options& options) {
    if (auto wrong = validate(options)) throw system_error{std::move(wrong)};
    core_ = std::make_shared<client_detail::consumer_core>(client_detail::core_of(c), options);
    core_->start();
}

consumer::~consumer() {
    if (!core_) return;
    error why;
    why.code = errc::client_closed;
    why.text = "the consumer was destroyed";
    core_->stop(why);
}

consumer& consumer::operator=(consumer&& other) noexcept {
    if (this != &other) {
        consumer before{std::move(*this)};
        core_ = std::move(other.core_);
    }
    return *this;
}

void consumer::subscribe(std::vector<std::string> topics, std::vector<std::string> exclude) {
    client_detail::group_of(core_).subscribe(std::move(topics), std::move(exclude));
}
void consumer::unsubscribe() { client_detail::group_of(core_).unsubscribe(); }
void consumer::on_assigned(rebalance_handler what) { client_detail::group_of(core_).on_rebalance(client_detail::group_core::assigned, std::move(what)); }
void consumer::on_revoked(rebalance_handler what) { client_detail::group_of(core_).on_rebalance(client_detail::group_core::revoked, std::move(what)); }
void consumer::on_lost(rebalance_handler what) { client_detail::group_of(core_).on_rebalance(client_detail::group_core::lost, std::move(what)); }
std::optional<group_membership> consumer::membership() const { return core_->group() ? std::optional{core_->group()->view()} : std::nullopt; }
group_metadata consumer::group_metadata() const { return client_detail::group_of(core_).metadata(); }

const consumer_options& consumer::options() const noexcept { return core_->options(); }
void consumer::assign(std::vector<partition_start> what) { core_->assign(std::move(what)); }
std::error_code consumer::unassign(std::string_view topic, std::int32_t partition) { return core_->unassign(topic, partition); }
void consumer::unassign_all() { core_->unassign_all(); }
std::error_code consumer::seek(std::string_view topic, std::int32_t partition, start_position to) { return core_->seek(topic, partition, to); }
std::error_code consumer::pause(std::string_view topic, std::int32_t partition) { return core_->pause(topic, partition, true); }
std::error_code consumer::resume(std::string_view topic, std::int32_t partition) { return core_->pause(topic, partition, false); }
std::error_code consumer::skip(std::string_view topic, std::int32_t partition) { return core_->skip(topic, partition); }

std::optional<std::int64_t> consumer::position(std::string_view topic, std::int32_t partition) const {
    const auto* const p = core_->machine().find(topic, partition);
    return p && p->position >= 0 ? std::optional{p->position} : std::nullopt;
}
std::optional<partition_reading> consumer::reading(std::string_view topic, std::int32_t partition) const {
    const auto* const p = core_->machine().find(topic, partition);
    return p ? std::optional{client_detail::reading_of(*p, options().isolation == isolation::read_committed)} : std::nullopt;
}
std::vector<partition_reading> consumer::readings() const {
    std::vector<partition_reading> all;
    core_->machine().each([&](const auto& p) { all.push_back(client_detail::reading_of(p, options().isolation == isolation::read_committed)); });
    return all;
}
consumer_statistics consumer::statistics() const noexcept { return core_->statistics(); }
void consumer::on_reset(unique_function<void(const position_reset&)> what) { core_->reset_handler = std::move(what); }
void consumer::on_standstill(unique_function<void(const reading_standstill&)> what) { core_->standstill_handler = std::move(what); }
void consumer::on_rebalanced(unique_function<void(const rebalance_report&)> what) {
    (void)client_detail::group_of(core_);
    core_->rebalanced_handler = std::move(what);
}
std::size_t consumer::buffered_bytes() const noexcept { return core_->buffered(); }

}  // namespace kafkawire::inline v0_1
