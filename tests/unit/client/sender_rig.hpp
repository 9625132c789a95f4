// The sending machine against a broker that leads one partition or several, keeps the rules of sequences and no others, in virtual time. What it
// does with each request comes from a script; when that is over it behaves.
#pragma once
#include <kafkawire/protocol/record_batch.hpp>

#include <charconv>

#include "client/sender_fsm.hpp"

namespace kafkawire::client_detail {

using namespace std::chrono_literals;

/// A log and what its leader remembers of producers, as Apache Kafka's does: the last five batches of each.
class leader_model {
public:
    std::vector<std::uint64_t> records;
    std::size_t gaps = 0;                   ///< batches that came before those that they follow

    /// The error code, and the offset of the batch's first record.
    std::pair<std::int16_t, std::int64_t> take(protocol::bytes_view bytes) {
        protocol::record_batches batches{bytes};
        const auto* found = batches.next();
        if (!found) return {2, -1};
        const auto b = *found;
        if (b.producer_id >= 0) {
            auto& p = producers_[b.producer_id];
            if (b.producer_epoch < p.epoch) return {47, -1};
            if (b.producer_epoch > p.epoch) {
                if (b.base_sequence != 0) return gap();
                p = {b.producer_epoch, -1, {}};
            }
            for (const auto& old : p.recent)
                if (old.sequence == b.base_sequence && old.count == b.count) return {0, old.offset};
            if (p.last >= 0 && b.base_sequence != protocol::add_to_sequence(p.last, 1)) return gap();
            p.last = b.last_sequence();
            p.recent.push_back({b.base_sequence, b.count, static_cast<std::int64_t>(records.size())});
            if (p.recent.size() > 5) p.recent.pop_front();
        }
        const auto offset = static_cast<std::int64_t>(records.size());
        protocol::record_reader in{bytes};
        while (const auto* r = in.next()) {
            std::uint64_t n = 0;
            const auto text = r->value.text();
            std::from_chars(text.data(), text.data() + text.size(), n);
            records.push_back(n);
        }
        return {0, offset};
    }
    /// As after a failover to a replica that had lost its state.
    void forget_producers() { producers_.clear(); }

private:
    std::pair<std::int16_t, std::int64_t> gap() {
        ++gaps;
        return {45, -1};
    }
    struct batch { std::int32_t sequence, count; std::int64_t offset; };
    struct producer { std::int16_t epoch = -1; std::int32_t last = -1; std::deque<batch> recent; };
    std::map<std::int64_t, producer> producers_;
};

/// What the leader, or the way to it, does with the oldest request that is under way.
struct treatment {
    enum class kind : std::uint8_t {
        fair,         ///< taken and answered
        answer_lost,  ///< taken; then the connection breaks, and what was behind it is lost
        all_taken,    ///< it and all behind it are taken; then the connection breaks
        all_lost,     ///< the connection breaks, nothing was taken, nobody knows
        unsent,       ///< the connection breaks before anything is written
        refused,      ///< with `code`
        told_wrong,   ///< taken, but answered with `code`
        late,         ///< taken, and answered four seconds later
    } what = kind::fair;
    std::int16_t code = 0;
};

class sender_rig {
public:
    static constexpr std::chrono::milliseconds turn_around{10};

    sender_rig(bool idempotent, std::chrono::milliseconds patience, std::size_t partitions = 1)
        : leaders(partitions), patience_{patience}, machine{{.idempotent = idempotent, .retry_backoff = 100ms}, 1} {
        info.name = "orders";
        info.known = true;
        info.partitions.resize(partitions, {.leader = 1, .leader_epoch = 1});
        topic = &machine.add_topic(info, {.batch_bytes = 110, .linger = 0ms, .delivery_timeout = patience}, {"manual", {}}, now, actions);
        run();
    }

    struct outcome {
        int told = 0;
        std::int64_t offset = -1;
        std::error_code why;
        time_point at;
    };

    void send(std::uint64_t number) {
        told.resize(std::max<std::size_t>(told.size(), number + 1));
        const auto text = std::to_string(number);
        if (machine.append(*topic, {.topic = "orders", .value = text, .partition = static_cast<std::int32_t>(number % leaders.size()), .tag = number}, 1, nullptr, [this] { return now; }, actions)) unaccepted = true;
        run();
    }
    /// Lets everything happen until all is told; `script` from the first request on.
    void play(std::span<const treatment> script) {
        for (int n = 0; n < 500 && unsettled(); ++n) {
            if (under_way.empty()) {
                const auto at = machine.next_wakeup();
                if (!at) return;
                pass_until(std::max(*at, now));
                continue;
            }
            pass_until(now + turn_around);
            if (under_way.empty()) continue;
            treat(step < script.size() ? script[step] : treatment{});
            ++step;
        }
    }
    void pass_until(time_point then) {
        for (int n = 0; n < 10'000; ++n) {
            const auto at = machine.next_wakeup();
            if (!at || *at > then) break;
            now = std::max(now, *at);
            machine.tick(now, 1, actions);
            run();
        }
        now = std::max(now, then);
    }
    /// What is not as it was promised; empty: all is well.
    [[nodiscard]] std::string wrong() const {
        if (unaccepted) return "a record was not accepted";
        std::vector<int> seen(told.size());
        for (std::size_t p = 0; p < leaders.size(); ++p) {
            const auto& log = leaders[p].records;
            for (std::size_t i = 0; i < log.size(); ++i) {
                const auto n = log[i];
                if (n >= seen.size() || n % leaders.size() != p) return "the log holds what nobody sent there";
                if (++seen[n] > 1 && machine.settings().idempotent) return "record " + std::to_string(n) + " is in the log twice";
                if (i > 0 && machine.settings().idempotent && log[i - 1] >= n) return "record " + std::to_string(n) + " is out of order";
            }
        }
        for (std::size_t n = 1; n < told.size(); ++n) {  // tag 0 is none
            const auto& o = told[n];
            const auto name = "record " + std::to_string(n);
            if (o.told != 1) return name + " was told " + std::to_string(o.told) + " times";
            if (o.at > time_point{} + patience_ + turn_around * static_cast<int>(told.size())) return name + " was told too late";
            if (!o.why) {
                const auto& log = leaders[n % leaders.size()].records;
                if (o.offset < 0 || static_cast<std::size_t>(o.offset) >= log.size() || log[static_cast<std::size_t>(o.offset)] != n) return name + " is not where it was said to be";
            } else if (o.why == condition::not_persisted) {
                if (seen[n]) return name + " is in the log, and was told as not persisted: " + o.why.message();
            } else if (o.why != condition::maybe_persisted) {
                return name + " ended in no class: " + o.why.message();
            }
        }
        return {};
    }

    void run() {
        while (!actions.empty()) {
            auto doing = std::exchange(actions, {});
            for (auto& a : doing) std::visit([this](auto& what) { carry_out(what); }, a);
        }
    }

    time_point now{};
    topic_info info;
    std::vector<leader_model> leaders;      // of each partition
    std::vector<outcome> told;
    std::vector<plan_ptr> under_way;
    std::size_t step = 0, asked_topics = 0;
    std::int64_t next_id = 7;
    bool unaccepted = false, up = true;
    topic_queue* topic = nullptr;

private:
    std::chrono::milliseconds patience_;

public:
    sender_actions actions;
    sender_fsm machine;

private:
    [[nodiscard]] bool unsettled() const { return std::any_of(told.begin() + 1, told.end(), [](const outcome& o) { return o.told == 0; }) || !under_way.empty(); }

    void treat(const treatment& t) {
        using k = treatment::kind;
        const auto plan = under_way.front();
        const auto refuse = [&] { answer(plan, std::vector<produce_answer>(plan->parts.size(), {t.code, -1})); };
        switch (t.what) {
            case k::fair: return answer(plan, take(plan));
            case k::answer_lost:
                take(plan);
                return break_connection(true);
            case k::all_taken:
                for (const auto& p : under_way) take(p);
                return break_connection(true);
            case k::all_lost: return break_connection(true);
            case k::unsent: return break_connection(false);
            case k::refused: return refuse();
            case k::told_wrong:
                take(plan);
                return refuse();
            case k::late: {
                const auto says = take(plan);
                pass_until(now + 4s);
                return answer(plan, says);
            }
        }
    }
    std::vector<produce_answer> take(const plan_ptr& plan) {
        std::vector<produce_answer> says;
        for (const auto& part : plan->parts) {
            const auto [code, offset] = part.bytes ? leaders[static_cast<std::size_t>(part.where->index)].take(part.bytes->view()) : std::pair<std::int16_t, std::int64_t>{};
            says.push_back({code, offset});
        }
        return says;
    }
    void answer(const plan_ptr& plan, const std::vector<produce_answer>& says) {
        std::erase(under_way, plan);
        const std::vector<std::optional<produce_answer>> all(says.begin(), says.end());
        machine.answered(*plan, all, now, 1, actions);
        run();
    }
    // What the machine sends while it is told of the losses goes out on the next connection, when that is up.
    void break_connection(bool maybe) {
        error e;
        e.code = maybe ? errc::connection_closed : errc::connect_failed;
        const auto why = std::make_shared<const error>(e);
        up = false;
        for (const auto& p : std::exchange(under_way, {})) {
            machine.lost(*p, why, maybe, true, now, 1, actions);
            run();
        }
        up = true;
        for (const auto& p : under_way) p->on_wire = true;
    }

    void carry_out(send_produce& a) {
        a.plan->on_wire = up;
        under_way.push_back(a.plan);
    }
    void carry_out(withdraw_produce& a) { std::erase(under_way, a.plan); }
    void carry_out(ask_producer_id&) { machine.producer_id_known(next_id++, 0, now, actions); }
    void carry_out(ask_topics&) {
        ++asked_topics;
        machine.topics_changed(nullptr, now, 1, actions);
    }
    void carry_out(tell_batch& a) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(a.count); ++i) {
            auto& o = told.at(a.tags.at(i));
            ++o.told;
            o.offset = a.why || a.base_offset < 0 ? -1 : a.base_offset + static_cast<std::int64_t>(i);
            o.why = a.why ? a.why->code : std::error_code{};
            o.at = now;
        }
    }
    void carry_out(tell_waiter&) {}
    void carry_out(touch_partition&) {}
    void carry_out(fail_transaction&) {}
    void carry_out(tell_flushed&) {}
    void carry_out(compress_batch&) {}  // only asked for where there is an executor for it
    void carry_out(take_turn&) { machine.turn(now, 1, actions); }
};

}  // namespace kafkawire::client_detail
