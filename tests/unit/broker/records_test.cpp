// Produce, Fetch and their neighbours through the machine: what one connection to one node cannot show in tests/differential.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/02_list_offsets.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "broker_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

namespace messages = protocol::messages;
using std::chrono::milliseconds;

protocol::bytes batch_of(const std::vector<std::string>& values) {
    protocol::batch_builder b;
    for (const auto& v : values) REQUIRE(b.append(1, nullptr, v) == errc{});
    protocol::bytes_view whole;
    REQUIRE(!b.close(whole));
    return {whole.begin(), whole.end()};
}

messages::produce_request write_to(const std::string& topic, protocol::bytes_view batch, std::int16_t acks = -1, std::int32_t timeout_ms = 1000) {
    messages::produce_request r;
    r.acks = acks;
    r.timeout_ms = timeout_ms;
    r.topic_data.push_back({topic, {}, {}, {}});
    r.topic_data.back().partition_data.push_back({0, protocol::raw_records{batch}, {}});
    return r;
}
const auto& first(const messages::produce_response& r) { return r.responses.at(0).partition_responses.at(0); }

messages::fetch_request read_from(const std::string& topic, std::int64_t offset, std::int32_t max_wait_ms = 500) {
    messages::fetch_request r;
    r.max_wait_ms = max_wait_ms;
    r.min_bytes = 1;
    r.topics.push_back({topic, {}, {}, {}});
    auto& p = r.topics.back().partitions.emplace_back();
    p.fetch_offset = offset;
    p.partition_max_bytes = 1 << 20;
    return r;
}
const auto& first(const messages::fetch_response& r) { return r.responses.at(0).partitions.at(0); }

std::vector<std::string> values(const messages::fetch_response& r) {
    std::vector<std::string> all;
    protocol::record_reader in{first(r).records->data};
    for (const auto& record : in) all.emplace_back(record.value.text());
    return all;
}

TEST_CASE("a producer that has written nothing for a day is forgotten, and may begin where it likes") {
    harness h{{.topics = {{.name = "t"}}}};
    const auto c = h.connect();
    const auto write = [&](std::int32_t sequence) {
        protocol::batch_builder b{{.producer_id = 7, .producer_epoch = 0, .base_sequence = sequence}};
        REQUIRE(b.append(h.now().wall_ms(), "k", "v") == errc{});
        protocol::bytes_view whole;
        REQUIRE(!b.close(whole));
        return first(h.ask(c, write_to("t", whole), 9)).error_code;
    };
    const auto out_of_order = static_cast<std::int16_t>(broker_errc::out_of_order_sequence_number);
    CHECK(write(0) == 0);
    CHECK(write(100) == out_of_order);
    h.advance(std::chrono::hours{23});
    CHECK(write(100) == out_of_order);
    h.advance(std::chrono::hours{1});
    CHECK(write(100) == 0);
    CHECK(write(102) == out_of_order);
}

TEST_CASE("a fetch that waits is answered by the record that comes, or by its time") {
    harness h{{.topics = {{.name = "t"}}}};
    const auto reader = h.connect(), writer = h.connect();
    h.send(reader, read_from("t", 0), 12);
    h.advance(milliseconds{100});
    CHECK(!h.has_answer(reader));
    CHECK(first(h.ask(writer, write_to("t", batch_of({"a"})), 9)).error_code == 0);
    REQUIRE(h.has_answer(reader));
    CHECK(values(h.take<messages::fetch_response>(reader, 12)) == std::vector<std::string>{"a"});
    h.send(reader, read_from("t", 1), 12);
    h.advance(milliseconds{499});
    CHECK(!h.has_answer(reader));
    h.advance(milliseconds{1});
    REQUIRE(h.has_answer(reader));
    CHECK(first(h.take<messages::fetch_response>(reader, 12)).records->data.empty());
}

TEST_CASE("a fetch that waits is answered when its partition's leader moves, with the new one's address") {
    harness h{{.nodes = 2, .topics = {{.name = "t", .replication_factor = 2}}}};
    auto* p = h.machine.state().find_partition("t", 0);
    const auto leader = p->leader();
    const auto c = h.connect(leader);
    auto r = read_from("t", 0);
    r.topics[0].topic_id = p->topic_id();
    r.topics[0].topic.clear();
    r.topics[0].partitions[0].current_leader_epoch = p->leader_epoch();
    h.send(c, r, 16);
    CHECK(!h.has_answer(c));
    p->set_leader(3 - leader);
    h.advance(milliseconds{0});
    REQUIRE(h.has_answer(c));
    const auto answer = h.take<messages::fetch_response>(c, 16);
    CHECK(first(answer).error_code == 74);
    CHECK(first(answer).current_leader.leader_id == 3 - leader);
    const auto refused = h.ask(c, write_to("t", batch_of({"x"})), 10);
    CHECK(first(refused).error_code == 6);
    CHECK(first(refused).current_leader.leader_id == 3 - leader);
    REQUIRE(refused.node_endpoints.size() == 1);
    CHECK(refused.node_endpoints[0].node_id == 3 - leader);
}

TEST_CASE("acks of all replicas wait for them, time out, and survive the leader") {
    harness h{{.nodes = 3, .replication_delay = milliseconds{20}, .topics = {{.name = "t", .replication_factor = 3}}}};
    auto* p = h.machine.state().find_partition("t", 0);
    const auto leader = p->leader();
    const auto c = h.connect(leader);
    h.send(c, write_to("t", batch_of({"all"})), 9);
    CHECK(!h.has_answer(c));
    h.advance(milliseconds{20});
    REQUIRE(h.has_answer(c));
    CHECK(first(h.take<messages::produce_response>(c, 9)).base_offset == 0);
    h.send(c, write_to("t", batch_of({"slow"}), -1, 10), 9);
    h.advance(milliseconds{10});
    REQUIRE(h.has_answer(c));
    CHECK(first(h.take<messages::produce_response>(c, 9)).error_code == 7);
    h.advance(milliseconds{20});
    CHECK(first(h.ask(c, write_to("t", batch_of({"leader"}), 1), 9)).base_offset == 2);
    h.machine.state().set_node_status(leader, node::status::down);
    CHECK(p->leader() != leader);
    const auto other = h.connect(p->leader());
    CHECK(values(h.ask(other, read_from("t", 0), 12)) == std::vector<std::string>{"all", "slow"});
}

TEST_CASE("too few replicas in sync refuse acks of all, and only those") {
    harness h{{.nodes = 2, .topics = {{.name = "t", .replication_factor = 2, .configs = {{"min.insync.replicas", "2"}}}}}};
    auto* p = h.machine.state().find_partition("t", 0);
    h.machine.state().set_node_status(3 - p->leader(), node::status::down);
    const auto c = h.connect(p->leader());
    CHECK(first(h.ask(c, write_to("t", batch_of({"a"})), 9)).error_code == 19);
    CHECK(first(h.ask(c, write_to("t", batch_of({"a"}), 1), 9)).error_code == 0);
}

TEST_CASE("a session that nobody uses makes room, and a thousand are enough") {
    harness h{{.topics = {{.name = "t"}}}};
    const auto c = h.connect();
    auto r = read_from("t", 0, 0);
    r.session_epoch = 0;
    for (int i = 0; i < 1000; ++i) CHECK(h.ask(c, r, 12).session_id != 0);
    CHECK(h.ask(c, r, 12).session_id == 0);
    h.advance(std::chrono::minutes{3});
    CHECK(h.ask(c, r, 12).session_id != 0);
}

TEST_CASE("what was acknowledged is there again after kill -9") {
    const auto folder = std::filesystem::temp_directory_path() / ("kafkawire-kill-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder);
    const options o{.folder = folder.string(), .seed = 1, .topics = {{.name = "t", .configs = {{"segment.bytes", "1048576"}}}}};
    std::int64_t acknowledged = 0;
    for (int round = 0; round < 3; ++round) {
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        const auto child = fork();
        if (child == 0) {
            std::error_code ec;
            harness h{o, make_file_storage(o.folder, ec)};
            const auto c = h.connect();
            const auto batch = batch_of({std::string(3000, 'x'), "small", ""});
            for (;;) {
                const auto at = first(h.ask(c, write_to("t", batch, 1), 9)).base_offset;
                h.kept.clear();
                if (write(ends[1], &at, sizeof at) != sizeof at) _exit(1);
            }
        }
        close(ends[1]);
        std::int64_t at = 0;
        for (int i = 0; i < 400 && read(ends[0], &at, sizeof at) == sizeof at; ++i) acknowledged = at + 3;
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        while (read(ends[0], &at, sizeof at) == sizeof at) acknowledged = at + 3;
        close(ends[0]);
    }
    CHECK(acknowledged >= 3600);
    std::error_code ec;
    harness h{o, make_file_storage(o.folder, ec)};
    REQUIRE(!ec);
    const auto& log = h.machine.state().find_partition("t", 0)->log();
    CHECK(log.end_offset() >= acknowledged);
    std::int64_t next = 0;
    log.for_each_batch(0, [&](protocol::bytes_view batch) {
        protocol::record_reader in{batch};
        for (const auto& r : in) CHECK(r.offset == next++);
        CHECK(!in.error());
    });
    CHECK(next == log.end_offset());
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace kafkawire::broker::test
