// kafka-cli, the program, against a broker that a test scripts: transactions in every state, damaged batches, and producer ids refused. What
// the broker answers is put together by hand from Kafka's rules; tests/real/cli.sh has the same transactions on a real one.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/02_list_offsets.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <sys/wait.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

#include "catch.hpp"
#include "unit/client/peer.hpp"

using namespace kafkawire;
using namespace kafkawire::protocol;
using peers::bytes;
using peers::bytes_view;

namespace {

constexpr std::int64_t no_producer = -1;

// One partition's log, "t-0", and what the broker says to InitProducerId, in order; the last one again and again.
class scripted_broker {
public:
    ~scripted_broker() { stop(); }
    // From here on it serves; the members below are its thread's until stop().
    void start() {
        thread_ = std::thread{[this] { io_.run(); }};
    }
    void stop() {
        io_.stop();
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] std::string address() const { return server_.address(); }

    void add(std::int64_t producer_id, std::vector<std::string> values) {
        batch_builder builder;
        batch_options o;
        o.base_offset = end;
        o.producer_id = producer_id;
        if (producer_id >= 0) o.producer_epoch = 0, o.base_sequence = 0, o.transactional = true;
        builder.start(o);
        for (const auto& v : values) REQUIRE(builder.append(1'700'000'000'000, nullptr, nullable_bytes{std::string_view{v}}) == errc{});
        keep(builder);
    }
    // The marker that ends a transaction: a key of version and type, a value of version and coordinator epoch.
    void end_transaction(std::int64_t producer_id, bool commit) {
        batch_builder builder;
        batch_options o;
        o.base_offset = end;
        o.producer_id = producer_id;
        o.producer_epoch = 0;
        o.transactional = o.control = true;
        builder.start(o);
        const std::string key{'\0', '\0', '\0', commit ? '\1' : '\0'}, value(6, '\0');
        REQUIRE(builder.append(1'700'000'000'000, nullable_bytes{std::string_view{key}}, nullable_bytes{std::string_view{value}}) == errc{});
        keep(builder);
    }

    struct batch {
        std::int64_t first, next;
        bytes wire;
    };
    std::vector<batch> log;
    std::int64_t end = 0, last_stable = -1;  // -1: the end
    struct aborted_transaction {
        std::int64_t producer, first, last;
    };
    std::vector<aborted_transaction> aborted;
    std::int16_t highest_list_offsets = 7;
    bool offers_producer_ids = true;
    std::deque<std::int16_t> producer_id_codes{0};
    int asked_for_producer_id = 0, produced_records = 0;
    std::int64_t produced_with = -2;

private:
    void keep(batch_builder& builder) {
        bytes_view wire;
        REQUIRE(!builder.close(wire));
        const auto first = end;
        end += builder.count();
        log.push_back({first, end, {wire.begin(), wire.end()}});
    }
    [[nodiscard]] std::int64_t stable() const { return last_stable >= 0 ? last_stable : end; }

    template <class Response>
    static void answer(peers::session& s, const Response& r, const messages::request_header& to) {
        scatter out;
        if (encode_response(r, to.request_api_version, to.correlation_id, out)) return s.hang_up();
        bytes whole;
        for (const auto part : out.parts()) whole.insert(whole.end(), part.begin(), part.end());
        s.send(std::move(whole));
    }

    void serve(peers::session& s, bytes_view frame) {
        messages::request_header header;
        std::size_t body_at = 0;
        if (decode_request_header(header, frame, body_at)) return s.hang_up();
        const auto body = frame.subspan(body_at);
        switch (header.request_api_key) {
            case messages::api_versions_request::key: return versions(s, header);
            case messages::metadata_request::key: return metadata(s, header);
            case messages::list_offsets_request::key: return list_offsets(s, header, body);
            case messages::fetch_request::key: return fetch(s, header, body);
            case messages::init_producer_id_request::key: return init_producer_id(s, header);
            case messages::produce_request::key: return produce(s, header, body);
            default: return s.hang_up();
        }
    }
    void versions(peers::session& s, const messages::request_header& h) {
        messages::api_versions_response r;
        const auto offer = [&](std::int16_t key, std::int16_t highest) {
            r.api_keys.emplace_back();
            r.api_keys.back().api_key = key;
            r.api_keys.back().max_version = highest;
        };
        offer(0, 9), offer(1, 12), offer(2, highest_list_offsets), offer(3, 9), offer(18, 3);
        if (offers_producer_ids) offer(22, 4);
        answer(s, r, h);
    }
    void metadata(peers::session& s, const messages::request_header& h) {
        messages::metadata_response r;
        r.brokers.emplace_back();
        r.brokers.back().node_id = 1;
        r.brokers.back().host = "127.0.0.1";
        r.brokers.back().port = server_.port();
        r.topics.emplace_back();
        auto& t = r.topics.back();
        t.name = "t";
        t.partitions.emplace_back();
        t.partitions.back().leader_id = 1;
        t.partitions.back().replica_nodes = t.partitions.back().isr_nodes = {1};
        answer(s, r, h);
    }
    void list_offsets(peers::session& s, const messages::request_header& h, bytes_view body) {
        messages::list_offsets_request q;
        if (decode(q, body, h.request_api_version)) return s.hang_up();
        messages::list_offsets_response r;
        r.topics.emplace_back();
        r.topics.back().name = "t";
        r.topics.back().partitions.emplace_back();
        const auto time = q.topics.at(0).partitions.at(0).timestamp;
        r.topics.back().partitions.back().offset = time == -2 ? 0 : q.isolation_level == 1 ? stable() : end;
        answer(s, r, h);
    }
    // As Kafka: whole batches, from the one that holds the offset; of aborted transactions those that end behind it.
    void fetch(peers::session& s, const messages::request_header& h, bytes_view body) {
        messages::fetch_request q;
        if (decode(q, body, h.request_api_version)) return s.hang_up();
        const auto from = q.topics.at(0).partitions.at(0).fetch_offset;
        const auto limit = q.isolation_level == 1 ? stable() : end;
        messages::fetch_response r;
        r.responses.emplace_back();
        r.responses.back().topic = "t";
        r.responses.back().partitions.emplace_back();
        auto& p = r.responses.back().partitions.back();
        p.high_watermark = end;
        p.last_stable_offset = stable();
        p.log_start_offset = 0;
        bytes wire;
        for (const auto& b : log)
            if (b.next > from && b.next <= limit) wire.insert(wire.end(), b.wire.begin(), b.wire.end());
        if (wire.empty()) std::this_thread::sleep_for(std::chrono::milliseconds{20});  // in the place of the long poll
        p.records = raw_records{wire};
        if (q.isolation_level == 1) {
            p.aborted_transactions.emplace();
            for (const auto& [producer, first, last] : aborted) {
                if (last < from) continue;
                p.aborted_transactions->emplace_back();
                p.aborted_transactions->back().producer_id = producer;
                p.aborted_transactions->back().first_offset = first;
            }
        } else {
            p.aborted_transactions.reset();
        }
        answer(s, r, h);
    }
    void init_producer_id(peers::session& s, const messages::request_header& h) {
        ++asked_for_producer_id;
        messages::init_producer_id_response r;
        r.error_code = producer_id_codes.front();
        if (producer_id_codes.size() > 1) producer_id_codes.pop_front();
        if (r.error_code == 0) r.producer_id = 4711, r.producer_epoch = 0;
        answer(s, r, h);
    }
    void produce(peers::session& s, const messages::request_header& h, bytes_view body) {
        messages::produce_request q;
        if (decode(q, body, h.request_api_version)) return s.hang_up();
        record_reader in{q.topic_data.at(0).partition_data.at(0).records->data};
        while (in.next()) {
            ++produced_records;
            produced_with = in.batch().producer_id;
        }
        messages::produce_response r;
        r.responses.emplace_back();
        r.responses.back().name = "t";
        r.responses.back().partition_responses.emplace_back();
        r.responses.back().partition_responses.back().base_offset = 0;
        answer(s, r, h);
    }

    asio::io_context io_;
    peers::server server_{io_, [this](peers::session& s) { s.each_frame([this](peers::session& t, bytes_view f) { serve(t, f); }); }};
    std::thread thread_;
};

struct outcome {
    int status;
    std::string out, err;
};

outcome kafka_cli(const scripted_broker& b, const std::string& arguments) {
    char name[] = "/tmp/kafka-cli-peer-XXXXXX";
    REQUIRE(::mkdtemp(name));
    const std::filesystem::path work{name};
    const auto line = "exec timeout 20 '" KAFKA_CLI "' " + arguments + " --brokers " + b.address() + " >'" + (work / "out").string() + "' 2>'" + (work / "err").string() + "' </dev/null";
    const int raw = std::system(line.c_str());
    const auto contents = [&](const char* file) {
        std::ifstream in{work / file, std::ios::binary};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    outcome o{WIFEXITED(raw) ? WEXITSTATUS(raw) : -1, contents("out"), contents("err")};
    std::filesystem::remove_all(work);
    return o;
}

// Offsets: 0, 1 plain; 2, 3 of producer 7, aborted at 4; 5 of producer 8, 6 of producer 7 again, committed at 7 and 8; 9 plain;
// 10 of producer 9, still open; 11 plain, behind it.
void fill(scripted_broker& b) {
    b.add(no_producer, {"plain 0", "plain 1"});
    b.add(7, {"aborted 2", "aborted 3"});
    b.end_transaction(7, false);
    b.add(8, {"committed 5"});
    b.add(7, {"committed 6"});
    b.end_transaction(8, true);
    b.end_transaction(7, true);
    b.add(no_producer, {"plain 9"});
    b.add(9, {"open 10"});
    b.add(no_producer, {"plain 11"});
    b.aborted = {{7, 2, 4}};
    b.last_stable = 10;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("consume reads what is in the log, or what is committed, up to the end that goes with it") {
    scripted_broker b;
    fill(b);
    b.start();
    const auto all = kafka_cli(b, "consume t -o start -e");
    CHECK(all.status == 0);
    CHECK(all.out == "plain 0\nplain 1\naborted 2\naborted 3\ncommitted 5\ncommitted 6\nplain 9\nopen 10\nplain 11\n");
    // It ends, too: behind the last stable offset nothing can come before the open transaction ends.
    const auto committed = kafka_cli(b, "consume t -o start -e --read-committed");
    CHECK(committed.status == 0);
    CHECK(committed.out == "plain 0\nplain 1\ncommitted 5\ncommitted 6\nplain 9\n");
    // From within the aborted transaction, and from behind its marker.
    CHECK(kafka_cli(b, "consume t -o 3 -e --read-committed").out == "committed 5\ncommitted 6\nplain 9\n");
    CHECK(kafka_cli(b, "consume t -o 6 -e --read-committed").out == "committed 6\nplain 9\n");
    CHECK(kafka_cli(b, "consume t -o -1 -e --read-committed").out == "plain 9\n");
    CHECK(kafka_cli(b, "consume t -o -1 -e").out == "plain 11\n");
    // Without -e it waits, and says so, where the committed records end.
    const auto waits = kafka_cli(b, "consume t -o start -n 6 --timeout 2s --read-committed");
    CHECK(waits.status == 3);
    CHECK(waits.out == committed.out);
    CHECK(has(waits.err, "at the end of 1 partition"));
}

TEST_CASE("consume shows control records when asked to") {
    scripted_broker b;
    fill(b);
    b.start();
    CHECK(kafka_cli(b, "consume t -o 3 -e --control").out == "aborted 3\n[abort of producer 7]\ncommitted 5\ncommitted 6\n[commit of producer 8]\n[commit of producer 7]\nplain 9\nopen 10\nplain 11\n");
    CHECK(kafka_cli(b, "consume t -o 3 -e --control --read-committed").out == "[abort of producer 7]\ncommitted 5\ncommitted 6\n[commit of producer 8]\n[commit of producer 7]\nplain 9\n");
    const auto json = kafka_cli(b, "consume t -o 4 -n 1 --control --output json");
    CHECK(json.status == 0);
    CHECK(has(json.out, "\"offset\":4"));
    CHECK(has(json.out, "abort"));
}

TEST_CASE("a broker without transactions is read at either level") {
    scripted_broker b;
    b.add(no_producer, {"one", "two"});
    b.highest_list_offsets = 1;
    b.start();
    const auto o = kafka_cli(b, "consume t -o start -e --read-committed");
    CHECK(o.status == 0);
    CHECK(o.out == "one\ntwo\n");
}

TEST_CASE("a damaged batch ends consuming with its place; what came before is given, what follows can be read") {
    scripted_broker b;
    b.add(no_producer, {"good 0", "good 1"});
    b.add(no_producer, {"bad 2", "bad 3"});
    b.add(no_producer, {"good 4"});
    b.log[1].wire.back() ^= std::byte{1};
    b.start();
    for (const char* level : {"", " --read-committed"}) {
        const auto o = kafka_cli(b, std::string{"consume t -o start -e"} + level);
        CHECK(o.status == 1);
        CHECK(o.out == "good 0\ngood 1\n");
        CHECK(has(o.err, "t-0 at offset 2"));
        CHECK(has(o.err, "the checksum of the batch does not match"));
        CHECK(has(o.err, "-o 4 reads on behind the batch"));
    }
    const auto json = kafka_cli(b, "consume t -o start -e --output json");
    CHECK(json.status == 1);
    CHECK(has(json.out, "\"value\":\"good 1\""));
    CHECK_FALSE(has(json.out, "bad 2"));
    CHECK(has(json.out, "\n{\"error\":{"));
    CHECK(has(json.out, "\"bad_crc\""));
    const auto behind = kafka_cli(b, "consume t -o 4 -e");
    CHECK(behind.status == 0);
    CHECK(behind.out == "good 4\n");
}

TEST_CASE("produce has a producer id; refused one, it says so and goes on; while the broker is not ready, it waits") {
    scripted_broker b;
    const auto produced = [&](const std::string& more) {
        b.start();
        auto o = kafka_cli(b, "produce t --value one" + more);
        b.stop();
        return o;
    };
    SECTION("given") {
        const auto o = produced("");
        CHECK(o.status == 0);
        CHECK(b.produced_with == 4711);
        CHECK_FALSE(has(o.err, "producer id"));
    }
    SECTION("not ready yet") {
        b.producer_id_codes = {14, 14, 15, 0};
        const auto o = produced("");
        CHECK(o.status == 0);
        CHECK(b.asked_for_producer_id == 4);
        CHECK(b.produced_with == 4711);
        CHECK_FALSE(has(o.err, "producer id"));
    }
    SECTION("never ready") {
        b.producer_id_codes = {14};
        const auto o = produced(" --timeout 1s");
        CHECK(o.status == 1);
        CHECK(has(o.err, "cannot get a producer id"));
        CHECK(b.produced_records == 0);
    }
    SECTION("refused") {
        b.producer_id_codes = {31};
        const auto o = produced("");
        CHECK(o.status == 0);
        CHECK(b.asked_for_producer_id == 1);
        CHECK(b.produced_with == -1);
        CHECK(has(o.err, "cannot get a producer id"));
        CHECK(has(o.err, "going on without"));
    }
    SECTION("not known to the broker") {
        b.offers_producer_ids = false;
        const auto o = produced("");
        CHECK(o.status == 0);
        CHECK(b.produced_with == -1);
        CHECK(has(o.err, "going on without"));
    }
    SECTION("not needed: without acks=all nothing is promised") {
        const auto o = produced(" --acks 1");
        CHECK(o.status == 0);
        CHECK(b.asked_for_producer_id == 0);
        CHECK(b.produced_with == -1);
    }
    CHECK(b.produced_records <= 1);
}
