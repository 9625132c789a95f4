// What the sending machine puts on the wire, call by call.
#include "client/sender_fsm.hpp"

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;

namespace {

// One partition, whose leader is broker 1, or more; each record is a batch of its own.
struct one_partition {
    sender_fsm machine{{}, 7};
    topic_info info;
    topic_queue* topic = nullptr;
    sender_actions out;
    time_point now = time_point{} + 1h;
    std::vector<plan_ptr> sent, withdrawn;                  // all Produce requests, in order
    bool up = true;                                         // the connection

    explicit one_partition(std::size_t partitions = 1) {
        info.name = "t";
        info.known = true;
        info.partitions.resize(partitions, {1, 0, {}});
        info.changes = 1;
        topic = &machine.add_topic(info, {.linger = 0ms}, topic_partitioner{"murmur2", {"t", 1'000'000, 1}}, now, out);
        machine.producer_id_known(42, 0, now, out);
    }
    void collect() {
        for (auto& a : std::exchange(out, {})) {
            if (auto* const w = std::get_if<withdraw_produce>(&a)) withdrawn.push_back(w->plan);
            auto* const s = std::get_if<send_produce>(&a);
            if (!s) continue;
            s->plan->on_wire = up;
            sent.push_back(s->plan);
        }
    }
    void send_record(std::int32_t partition = 0) {
        REQUIRE_FALSE(machine.append(*topic, {.topic = "t", .value = "v", .partition = partition}, 1'700'000'000'000, nullptr, [&] { return now; }, out));
        now += 1ms;
        machine.turn(now, 0, out);
        collect();
    }
    void acknowledge(std::size_t request) {
        const std::optional<produce_answer> good{produce_answer{0, static_cast<std::int64_t>(request)}};
        machine.answered(*sent.at(request), {&good, 1}, now, 0, out);
        collect();
    }
    void refuse(std::size_t request, broker_errc why) {
        const std::optional<produce_answer> bad{produce_answer{static_cast<std::int16_t>(why)}};
        machine.answered(*sent.at(request), {&bad, 1}, now, 0, out);
        collect();
    }
    void lose(std::size_t request) {
        machine.lost(*sent.at(request), std::make_shared<const error>(), true, true, now, 0, out);
        collect();
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        machine.tick(now, 0, out);
        collect();
    }
    std::vector<std::int32_t> sequences_since(std::size_t request) const {
        std::vector<std::int32_t> all;
        for (; request < sent.size(); ++request) all.push_back(sent[request]->parts.at(0).batch->base_sequence);
        return all;
    }
};

struct two_partitions : one_partition {
    two_partitions() : one_partition{2} {}
};

}  // namespace

TEST_CASE_METHOD(one_partition, "five batches are in flight, and the next goes when the oldest is acknowledged") {
    send_record();
    acknowledge(0);
    for (int i = 1; i <= 6; ++i) send_record();
    CHECK((sequences_since(1) == std::vector<std::int32_t>{1, 2, 3, 4, 5}));
    acknowledge(1);
    CHECK((sequences_since(6) == std::vector<std::int32_t>{6}));
}

// A connection breaks with 1 and 2 in flight; 3 is sent on the next one before their loss is told, and acknowledged, as the broker had taken
// both. If 6 went while 1 is on its way again, and their connection broke too, the broker would know 2 to 6, and take 1 for a gap.
TEST_CASE_METHOD(one_partition, "no batch is sent that would make the broker forget one that is not settled") {
    send_record();
    acknowledge(0);
    send_record();
    send_record();
    send_record();
    lose(1);
    lose(2);
    acknowledge(3);
    CHECK((sequences_since(4) == std::vector<std::int32_t>{1, 2}));
    for (int i = 0; i < 3; ++i) send_record();
    CHECK((sequences_since(6) == std::vector<std::int32_t>{4, 5}));
    acknowledge(4);
    CHECK((sequences_since(8) == std::vector<std::int32_t>{6}));
}

// 3 fails, and so leaves a gap; 1 and 2 are lost and go again before it. Meanwhile the log has lost its end, and with it what came before them: the gap
// does not explain that they are refused. They may have been in the log, so they are told as unknown, and what comes next begins anew.
TEST_CASE_METHOD(one_partition, "what comes before a gap and is refused for its sequence all the same is not sent for ever") {
    send_record();
    acknowledge(0);
    for (int i = 0; i < 3; ++i) send_record();
    refuse(3, broker_errc::invalid_record);
    lose(1);
    lose(2);
    CHECK((sequences_since(4) == std::vector<std::int32_t>{1, 2}));
    refuse(4, broker_errc::out_of_order_sequence_number);
    refuse(5, broker_errc::out_of_order_sequence_number);
    CHECK(sent.size() == 6);
    CHECK(machine.quiet());
    send_record();
    CHECK((sequences_since(6) == std::vector<std::int32_t>{0}));
    CHECK(sent.back()->parts.at(0).batch->producer_epoch == 1);
}

// KAFKA-19012: the client has given a record up, and the socket has not: what lies in the buffer then is what the broker will append.
TEST_CASE_METHOD(one_partition, "the bytes of a request stay as they are while its socket may read them, expired or not") {
    send_record();
    acknowledge(0);
    for (int i = 0; i < 3; ++i) send_record();
    const auto text = [&](std::size_t request) {
        const auto view = sent.at(request)->parts.at(0).bytes->view();
        return std::string{reinterpret_cast<const char*>(view.data()), view.size()};
    };
    const std::vector before{text(1), text(2), text(3)};
    pass(121s);  // told as unknown
    for (int i = 0; i < 2; ++i) send_record();
    REQUIRE(sent.size() == 6);
    CHECK((std::vector{text(1), text(2), text(3)} == before));
    for (std::size_t i = 1; i < sent.size(); ++i)
        for (std::size_t j = 1; j < i; ++j) CHECK(sent[i]->parts.at(0).bytes != sent[j]->parts.at(0).bytes);
}

// What is lost may still be read by the broker, after all that is sent later. Under the same id the later ones' higher epoch fences it, however
// often a partition had to begin anew: another id would not.
TEST_CASE_METHOD(one_partition, "failures that say nothing of who sends never cost the producer id") {
    for (std::size_t i = 0; i < 10; ++i) {
        send_record();
        REQUIRE(sent.size() == 2 * i + 1);
        lose(2 * i);
        pass(1s);
        REQUIRE(sent.size() == 2 * i + 2);
        refuse(2 * i + 1, broker_errc::invalid_timestamp);
    }
    send_record();
    const auto& last = *sent.back()->parts.at(0).batch;
    CHECK(last.producer_id == 42);
    CHECK(last.producer_epoch == 10);
    CHECK(last.base_sequence == 0);
}

// A broker that takes none of our epochs: after some of them another id is asked for.
TEST_CASE_METHOD(one_partition, "a broker that takes no epoch of ours is sent to as somebody else") {
    send_record();
    for (std::size_t i = 0; i < 50 && sent.size() == i + 1; ++i) {
        refuse(i, broker_errc::invalid_producer_epoch);
        pass(1s);
    }
    CHECK(sent.size() == 4);
    machine.producer_id_known(43, 0, now, out);
    pass(1s);
    REQUIRE(sent.size() == 5);
    CHECK(sent.back()->parts.at(0).batch->producer_id == 43);
}

// The first of a connection's requests is lost, and told; the second will be. Its partition knows nothing of that yet.
TEST_CASE_METHOD(two_partitions, "nothing goes out before all losses of a connection are told") {
    send_record(0);
    acknowledge(0);
    send_record(1);
    acknowledge(1);
    send_record(0);
    send_record(1);
    up = false;
    lose(2);
    send_record(1);
    CHECK(sent.size() == 4);
    lose(3);
    REQUIRE(sent.size() == 6);
    REQUIRE(sent[4]->parts.size() == 2);
    CHECK(sent[4]->parts[0].batch->base_sequence == 1);
    CHECK(sent[4]->parts[1].batch->base_sequence == 1);
    REQUIRE(sent[5]->parts.size() == 1);
    CHECK(sent[5]->parts[0].batch->base_sequence == 2);
}

// The connection is given up, which its requests hear a little later; meanwhile a record goes to the next connection, that is not up yet.
TEST_CASE_METHOD(one_partition, "what waits for the next connection is taken back when it turns out what it follows") {
    send_record();
    acknowledge(0);
    send_record();
    up = false;
    send_record();
    REQUIRE(sent.size() == 3);
    lose(1);
    CHECK(withdrawn == std::vector{sent[2]});
    CHECK((sequences_since(3) == std::vector<std::int32_t>{1, 2}));
}
