#include "app/service_core.hpp"

#include <kafkawire/detail/client_environment.hpp>

#include <algorithm>
#include <charconv>

namespace kafkawire::inline v0_1 {
namespace app {
namespace detail {

namespace {

// What confirming after the work asks of a consumer.
consumer_options as_server(consumer_options o) {
    if (o.group.empty()) throw system_error{configuration_error("group is empty", "a consumer server confirms what its handler has taken in a group")};
    o.auto_commit = true;
    o.auto_mark = false;
    o.max_poll_interval = std::chrono::milliseconds{0};
    return o;
}

handler_options checked(handler_options o, const handler& what) {
    if (auto wrong = validate(o)) throw system_error{std::move(wrong)};
    if (what.batched() && o.batch == 0) throw system_error{configuration_error("batch is 0", "a handler of batches needs batch, the most messages that it is given at a time")};
    if (what.batched()) o.max_pending = std::max(o.max_pending, o.batch);
    return o;
}

// How what nobody could handle is sent on.
producer_options sending_on(producer_options o, const handler_options& how) {
    if (how.compression && *how.compression != o.compression) {
        o.compression = *how.compression;
        o.compression_level = protocol::default_level;  // the other codec's level says nothing of this one's
    }
    if (auto wrong = validate(o)) throw system_error{std::move(wrong)};
    return o;
}

// The same on every machine.
std::uint64_t hash_of(std::string_view key) noexcept {
    std::uint64_t h = 0xcbf29ce484222325;
    for (const char c : key) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return h;
}

}  // namespace

service_core::service_core(client& c, const consumer_options& read, handler what, const handler_options& how, const producer_options& send)
    : reader{c, as_server(read)}, client_{c}, executor_{c.get_executor()}, env_{client_detail::environment_of(c)}, group_{read.group}, handler_{std::move(what)},
      options_{checked(how, handler_)}, send_{sending_on(send, options_)}, machine_{options_, handler_.batched()} {
    timer_ = env_->make_timer([this] {
        timer_at_.reset();
        feed(handling_event::tick{});
    });
    poll_again_ = env_->make_timer([this] { poll(); });
}

service_core::~service_core() {
    // Steps that are left finish with us: the group must not wait.
    if (auto told = std::move(over_)) told(error{.code = kafkawire::errc::client_closed, .text = "the consumer server was destroyed"});
}

void service_core::run(unique_function<void(error)> over) {
    if (std::exchange(started_, true)) return over(error{.code = make_error_code(errc::stopped), .text = "a consumer server runs once"});
    if (stopped_before_) return over({});
    over_ = std::move(over);
    const auto weak = weak_from_this();
    reader.on_assigned([weak](rebalance_step step) {
        if (const auto self = weak.lock())
            for (const auto& p : step.partitions()) (void)self->number_of(p.topic, p.partition);
    });
    reader.on_revoked([weak](rebalance_step step) {
        if (const auto self = weak.lock()) self->going(std::move(step), false);
    });
    reader.on_lost([weak](rebalance_step step) {
        if (const auto self = weak.lock()) self->going(std::move(step), true);
    });
    poll();
}

void service_core::stop(std::optional<std::chrono::milliseconds> patience) {
    asio::post(executor_, [weak = weak_from_this(), patience] {
        if (const auto self = weak.lock()) {
            self->stopped_before_ = !self->started_;
            self->feed(handling_event::stop_requested{patience.value_or(self->options_.stop_timeout)});
        }
    });
}

void service_core::cancel() {
    // Who has stopped it already is told of that.
    if (machine_.takes()) stop_reason_ = error{.code = kafkawire::errc::canceled, .text = "the run was canceled"};
    feed(handling_event::stop_requested{options_.stop_timeout});
}

void service_core::poll() {
    if (closing_ || !machine_.takes() || std::exchange(polling_, true)) return;
    auto most = reader.options().max_poll_records;
    if (most == 0) most = options_.max_pending;
    reader.async_poll(most, detailed([weak = weak_from_this()](error why, records got) {
                          const auto self = weak.lock();
                          if (!self) return;
                          self->polling_ = false;
                          self->arrived(std::move(why), got);
                      }));
}

void service_core::arrived(error why, const records& got) {
    if (why) {
        if (closing_) return;
        if (why.code == kafkawire::errc::client_closed) return over(std::move(why));
        if (const auto m = reader.membership(); m && m->state == "broken" && machine_.takes()) {
            // The group will not have us: each poll would say so at once, for ever.
            stop_reason_ = why;
            tell(service_error::source::client, std::move(why));
            return feed(handling_event::stop_requested{options_.stop_timeout});
        }
        tell(service_error::source::client, std::move(why));
        return poll_again_->set(env_->now() + reader.options().retry_backoff);
    }
    if (!machine_.takes()) return;
    for (const auto& part : got.partitions()) {
        const auto number = number_of(part.topic(), part.partition());
        auto& p = partitions_.at(number);
        const auto keep = std::make_shared<const partition_records>(part);
        const bool from_retry = !options_.retry_topic.empty() && part.topic() == options_.retry_topic;
        handling_event::arrived e{number, {}};
        for (const auto& r : *keep) {
            if (p.initial < 0) p.initial = r.offset;
            p.messages.emplace_back(held{r, keep, {}});
            handling_event::message m{r.offset, r.leader_epoch, {}, from_retry};
            if (!r.key.is_null()) m.key = hash_of(r.key.text());
            e.messages.push_back(m);
        }
        if (!e.messages.empty()) feed(std::move(e));
    }
    poll();
}

std::uint32_t service_core::number_of(const std::string& topic, std::int32_t index) {
    const auto [at, fresh] = open_.try_emplace(topic_partition{topic, index}, next_partition_);
    if (fresh) {
        partitions_.emplace(next_partition_, partition{topic, index, {}});
        ++next_partition_;
    }
    return at->second;
}

// Partitions go: nothing of them is begun, and the step is over when the machine has let go of all of them.
void service_core::going(rebalance_step step, bool lost) {
    std::vector<std::uint32_t> numbers;
    for (const auto& p : step.partitions()) {
        const auto at = open_.find(p);
        if (at == open_.end()) continue;
        numbers.push_back(at->second);
        open_.erase(at);
    }
    if (numbers.empty()) return;
    if (lost) return feed(handling_event::lost{std::move(numbers)});
    auto deadline = step.deadline();
    if (deadline) {
        // What was confirmed last is to be committed in time.
        const auto left = *deadline - env_->now();
        *deadline -= std::min<std::chrono::nanoseconds>(std::chrono::seconds{1}, left / 10);
    }
    going_.push_back({std::move(step), numbers});
    feed(handling_event::revoked{std::move(numbers), deadline});
}

void service_core::feed(handling_happening what) {
    machine_.step(std::move(what), env_->now(), actions_);
    if (std::exchange(carrying_out_, true)) return;
    const auto self = shared_from_this();
    for (std::size_t i = 0; i < actions_.size(); ++i) {
        auto a = std::move(actions_[i]);
        std::visit([this](auto& deed) { on(deed); }, a);
    }
    actions_.clear();
    carrying_out_ = false;
    keep_timer();
}

void service_core::keep_timer() {
    const auto next = machine_.next_wakeup();
    if (next == timer_at_) return;
    timer_at_ = next;
    if (next) timer_->set(*next);
    else timer_->clear();
}

service_core::held* service_core::find(const message_place& m) {
    const auto at = partitions_.find(m.partition);
    if (at == partitions_.end() || m.seq < at->second.base) return nullptr;
    auto& slot = at->second.messages[m.seq - at->second.base];
    return slot ? &*slot : nullptr;
}

void service_core::on(handling_action::call& a) {
    std::vector<record_view> views;
    std::vector<std::shared_ptr<const void>> keep;
    views.reserve(a.messages.size());
    for (const auto seq : a.messages) {
        const auto* h = find({a.partition, seq});
        if (!h) continue;
        views.push_back(h->view);
        if (keep.empty() || keep.back() != h->keep) keep.push_back(h->keep);
    }
    // Its partition went between the decision and now.
    if (views.empty()) return feed(handling_event::finished{a.call, false});
    calls_.emplace(a.call, call_under_way{a.partition, std::move(a.messages), std::string{views.front().topic}, views.front().partition, views.front().offset, a.attempt});
    call c{std::move(views), std::move(keep), a.attempt, executor_, [weak = weak_from_this(), ex = executor_, id = a.call](error why) {
               asio::post(ex, [weak, id, why = std::move(why)]() mutable {
                   if (const auto self = weak.lock()) self->call_finished(id, std::move(why));
               });
           }};
    if (pool) return asio::post(pool, [h = handler_, c = std::move(c)]() mutable { h(std::move(c)); });
    handler_(std::move(c));
}

void service_core::call_finished(std::uint64_t id, error why) {
    const auto at = calls_.find(id);
    if (at == calls_.end()) return;
    const bool well = !why;
    if (!well) {
        last_error_ = std::make_shared<const error>(why);
        tell(service_error::source::handler, std::move(why), &at->second);
        for (const auto seq : at->second.messages)
            if (auto* h = find({at->second.partition, seq})) h->why = last_error_;
    }
    feed(handling_event::finished{id, well});
    calls_.erase(id);
}

void service_core::tell(service_error::source from, error why, const call_under_way* of) {
    if (!on_error) return;
    service_error e;
    e.service = name;
    e.from = from;
    e.why = std::move(why);
    if (of) {
        e.topic = of->topic;
        e.partition = of->partition_index;
        e.offset = of->offset;
        e.attempt = of->attempt;
    }
    on_error(e);
}

void service_core::on(handling_action::give_up& a) {
    const auto* h = find(a.message);
    if (!h) return;
    error e;
    e.code = make_error_code(errc::given_up);
    e.attempt = a.tries;
    e.text = "no try could handle the message, and it is confirmed all the same (after_last_try is go_on)";
    e.cause = h->why;
    const call_under_way of{a.message.partition, {}, std::string{h->view.topic}, h->view.partition, h->view.offset, a.tries};
    tell(service_error::source::handler, std::move(e), &of);
}

// A message and the headers that say why, when and how often; its bytes are borrowed until the producer has them.
struct service_core::outgoing {
    held message;
    std::vector<header_view> headers;
    std::deque<std::string> texts;

    void add(std::string_view key, std::string value) {
        texts.push_back(std::move(value));
        headers.push_back({key, nullable_bytes{std::string_view{texts.back()}}});
    }
};

void service_core::on(handling_action::park& a) {
    const auto* h = find(a.message);
    if (!h) return;
    auto out = std::make_shared<outgoing>();
    out->message = *h;
    const auto& r = out->message.view;
    int tries = a.tries;
    bool known_origin = false;
    for (const auto& header : r.headers) {
        if (header.key == failure_header::tries) {
            int before = 0;
            const auto text = header.value.text();
            std::from_chars(text.data(), text.data() + text.size(), before);
            tries += std::clamp(before, 0, 1'000'000'000);
        } else if (header.key != failure_header::error && header.key != failure_header::failed_at && header.key != failure_header::group) {
            known_origin = known_origin || header.key == failure_header::topic;
            out->headers.push_back(header);
        }
    }
    out->add(failure_header::error, h->why ? h->why->message() : "unknown");
    out->add(failure_header::failed_at, std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(env_->wall_now().time_since_epoch()).count()));
    out->add(failure_header::tries, std::to_string(tries));
    out->add(failure_header::group, group_);
    if (!known_origin) {
        out->add(failure_header::topic, std::string{r.topic});
        out->add(failure_header::partition, std::to_string(r.partition));
        out->add(failure_header::offset, std::to_string(r.offset));
    }
    if (!producer_) producer_.emplace(client_, send_);
    record to{.topic = a.dead ? options_.dead_letter_topic : options_.retry_topic, .key = r.key, .value = r.value, .headers = out->headers};
    if (r.timestamp.time_since_epoch().count() >= 0) to.timestamp = r.timestamp;
    producer_->async_send(to, detailed([weak = weak_from_this(), out, place = a.message](error why, const delivery&) {
                              const auto self = weak.lock();
                              if (!self) return;
                              const bool well = !why;
                              if (!well) {
                                  const call_under_way of{place.partition, {}, std::string{out->message.view.topic}, out->message.view.partition, out->message.view.offset, 0};
                                  self->tell(service_error::source::sending, std::move(why), &of);
                              }
                              self->feed(handling_event::parked{place, well});
                          }));
}

void service_core::on(handling_action::confirm& a) {
    const auto at = partitions_.find(a.partition);
    if (at == partitions_.end()) return;
    auto& p = at->second;
    record_view done;
    done.topic = p.topic;
    done.partition = p.number;
    done.offset = a.offset;
    done.leader_epoch = a.leader_epoch;
    if (!reader.mark(done)) p.confirmed = a.offset + 1;
}

void service_core::on(handling_action::drop& a) {
    const auto at = partitions_.find(a.message.partition);
    if (at == partitions_.end() || a.message.seq < at->second.base) return;
    auto& p = at->second;
    p.messages[a.message.seq - p.base].reset();
    while (!p.messages.empty() && !p.messages.front()) {
        p.messages.pop_front();
        ++p.base;
    }
}

void service_core::on(handling_action::pause& a) {
    if (const auto at = partitions_.find(a.partition); at != partitions_.end()) (void)reader.pause(at->second.topic, at->second.number);
}

void service_core::on(handling_action::resume& a) {
    if (const auto at = partitions_.find(a.partition); at != partitions_.end()) (void)reader.resume(at->second.topic, at->second.number);
}

void service_core::on(handling_action::release& a) {
    if (const auto at = partitions_.find(a.partition); at != partitions_.end()) {
        if (const auto now = open_.find(topic_partition{at->second.topic, at->second.number}); now != open_.end() && now->second == a.partition) open_.erase(now);
        partitions_.erase(at);
    }
    for (auto& g : going_) std::erase(g.left, a.partition);
    for (auto at = going_.begin(); at != going_.end();) {
        if (!at->left.empty()) {
            ++at;
            continue;
        }
        auto step = std::move(at->step);
        at = going_.erase(at);
        step.finish();
        at = going_.begin();
    }
}

void service_core::on(handling_action::slow& a) {
    const auto at = calls_.find(a.call);
    if (at == calls_.end()) return;
    error e;
    e.code = make_error_code(errc::handler_slow);
    e.text = "the handler has taken longer than max_processing_time (" + std::to_string(options_.max_processing_time.count()) + " ms) and goes on";
    tell(service_error::source::handler, std::move(e), &at->second);
}

void service_core::on(handling_action::failing&) {
    if (last_error_) stop_reason_ = *last_error_;
}

void service_core::on(handling_action::stopped& a) {
    if (a.running > 0) {
        error e;
        e.code = make_error_code(errc::stopped);
        e.text = std::to_string(a.running) + " calls had not ended within stop_timeout; what they do is not confirmed";
        tell(service_error::source::handler, std::move(e));
    }
    close(std::exchange(stop_reason_, {}));
}

// What is marked is committed, and the group left; then what was sent away is acknowledged already.
void service_core::close(error why) {
    if (std::exchange(closing_, true)) return;
    reader.async_close([self = shared_from_this(), why = std::move(why)](std::error_code) mutable { self->over(std::move(why)); });
}

void service_core::over(error why) {
    closing_ = true;
    if (auto told = std::move(over_)) told(std::move(why));
}

service_statistics service_core::statistics() const noexcept {
    const auto& n = machine_.numbers();
    return {n.arrived, n.handled, n.failures, n.retries, n.given_up, n.to_retry_topic, n.to_dead_letters, machine_.under_way()};
}

app::session service_core::session() const {
    app::session s;
    if (const auto m = reader.membership()) {
        s.member_id = m->member_id;
        s.generation = m->generation;
    }
    for (const auto& [which, number] : open_) {
        const auto& p = partitions_.at(number);
        claim c{which.topic, which.partition, p.initial, p.confirmed, -1, -1};
        if (const auto r = reader.reading(which.topic, which.partition)) {
            c.high_watermark = r->log.high;
            c.lag = r->lag;
        }
        s.claims.push_back(std::move(c));
    }
    return s;
}

void run(service_core& c, unique_function<void(error)> over) { c.run(std::move(over)); }
void cancel(const std::weak_ptr<service_core>& c) {
    if (const auto alive = c.lock())
        asio::post(alive->executor(), [c] {
            if (const auto self = c.lock()) self->cancel();
        });
}
const asio::any_io_executor& executor_of(const service_core& c) noexcept { return c.executor(); }

}  // namespace detail
}  // namespace app
}  // namespace kafkawire::inline v0_1
