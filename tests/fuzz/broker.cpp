// Bytes on the connections of an embedded cluster. The input is a list of steps: a byte that says what to do and where, two bytes of length,
// and so many bytes. They go to one of two connections as they are, or as a frame with its size, split somewhere; a Produce request can be
// given right checksums, so that more of it gets behind them. Afterwards what lies in the logs must be good batches, and the machine must end.
#include <kafkawire/protocol/crc32c.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <cstring>

#include "broker/cluster_fsm.hpp"
#include "fuzz/common.hpp"

namespace {

using namespace kafkawire::fuzzing;
namespace broker = kafkawire::broker;
namespace net = kafkawire::net;

class world {
public:
    explicit world(bool files) : machine_{settings(), now(), files ? std::make_shared<broker::memory_storage>() : nullptr} {
        for (auto& c : connections_) c = machine_.connected(1, "/127.0.0.1", now());
        carry_out();
    }
    void send(std::size_t which, bytes_view data, std::size_t split) {
        for (const auto part : {data.first(std::min(split, data.size())), data.subspan(std::min(split, data.size()))}) send_part(which & 1, part);
    }
    void wait(std::chrono::milliseconds time) {
        const auto until = elapsed_ + time;
        // Each step of a clock may set the next one: a thousand are enough for anything that was asked for here.
        for (int i = 0; i < 1000 && machine_.next_wakeup() && *machine_.next_wakeup() <= net::time_point{until}; ++i) {
            elapsed_ = std::max<std::chrono::nanoseconds>(elapsed_, machine_.next_wakeup()->time_since_epoch());
            machine_.tick(now());
            carry_out();
        }
        elapsed_ = until;
        machine_.tick(now());
        carry_out();
    }
    void check_logs() {
        record_reader in;
        for (const auto& [name, t] : machine_.state().topics())
            for (const auto& p : t.partitions) {
                auto next = p->log().start_offset();
                p->log().for_each_batch(next, [&](bytes_view batch) {
                    in.start(batch);
                    in.include_control_batches(true);
                    for (const auto& r : in) must(r.offset < p->log().end_offset(), "a record lies behind the end of its log");
                    must(!in.error(), "a batch in a log is not good");
                    must(in.batch().base_offset >= next || next == p->log().start_offset(), "batches overlap");
                    next = in.batch().next_offset();
                });
                must(next <= p->log().end_offset() && p->high_watermark() <= p->log().end_offset(), "the end of a log is wrong");
            }
    }

private:
    static broker::options settings() {
        broker::options o;
        o.seed = 1;
        o.max_bytes = 1 << 20;
        o.max_request = 1 << 20;
        o.topics = {{.name = "foo", .partitions = 2}, {.name = "compacted", .configs = {{"cleanup.policy", "compact"}, {"compression.type", "lz4"}}}};
        o.configs = {{"offsets.topic.num.partitions", "2"}, {"transaction.state.log.num.partitions", "2"}};
        return o;
    }
    [[nodiscard]] broker::moment now() const { return {net::time_point{elapsed_}, net::wall_time{std::chrono::hours{24 * 365 * 50}} + elapsed_}; }
    void send_part(std::size_t which, bytes_view data) {
        while (!data.empty()) {
            const auto room = machine_.prepare(connections_[which]);
            if (room.where.empty()) return;
            const auto n = std::min(room.where.size(), data.size());
            std::memcpy(room.where.data(), data.data(), n);
            machine_.received(connections_[which], n, now());
            data = data.subspan(n);
            carry_out();
        }
    }
    void carry_out() {
        std::vector<broker::action> actions;
        for (machine_.take_actions(actions); !actions.empty(); machine_.take_actions(actions))
            for (auto& a : actions) {
                if (auto* w = std::get_if<broker::write_bytes>(&a)) {
                    std::size_t size = 0;
                    for (const auto part : w->content.parts()) size += part.size();
                    must(size == w->content.size() && size >= 8, "an answer is not as long as it is");
                    machine_.written(w->to, now());
                } else if (auto* c = std::get_if<broker::close_connection>(&a)) {
                    for (auto& mine : connections_)
                        if (mine == c->which) mine = machine_.connected(1, "/127.0.0.1", now());
                }
            }
    }

    std::chrono::nanoseconds elapsed_{std::chrono::hours{1}};
    broker::connection_id connections_[2] = {};
    broker::cluster_fsm machine_;
};

// Makes the checksums of a Produce request's batches right, in place.
void mend(bytes& frame) {
    constexpr std::size_t crc_at = 17, from = 21;
    messages::request_header header;
    std::size_t body_at = 0;
    if (decode_request_header(header, frame, body_at) || header.request_api_key != 0) return;
    messages::produce_request request;
    if (!messages::produce_request::versions.contains(header.request_api_version)) return;
    if (decode(request, bytes_view{frame}.subspan(body_at), header.request_api_version)) return;
    for (const auto& t : request.topic_data)
        for (const auto& p : t.partition_data) {
            if (!p.records) continue;
            record_batches in{p.records->data, false};
            while (const auto* b = in.next()) {
                if (b->magic != 2) continue;
                const auto crc = crc32c(b->whole.subspan(from));
                auto* at = frame.data() + (b->whole.data() - frame.data()) + crc_at;
                for (int i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(crc >> (24 - 8 * i) & 0xff);
            }
        }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bytes_view rest = std::as_bytes(std::span{data, size});
    if (rest.empty()) return 0;
    world w{(rest[0] & std::byte{1}) != std::byte{}};
    rest = rest.subspan(1);
    while (rest.size() >= 3) {
        const auto what = std::to_integer<unsigned>(rest[0]);
        const auto length = std::min<std::size_t>(std::to_integer<std::size_t>(rest[1]) << 8 | std::to_integer<std::size_t>(rest[2]), rest.size() - 3);
        bytes part{rest.begin() + 3, rest.begin() + 3 + static_cast<std::ptrdiff_t>(length)};
        rest = rest.subspan(3 + length);
        if ((what & 6) == 6) {
            w.wait(std::chrono::milliseconds{length});
            continue;
        }
        if ((what & 6) != 0) {
            if ((what & 6) == 4) mend(part);
            bytes framed(4);
            for (int i = 0; i < 4; ++i) framed[static_cast<std::size_t>(i)] = static_cast<std::byte>(part.size() >> (24 - 8 * i) & 0xff);
            framed.insert(framed.end(), part.begin(), part.end());
            part = std::move(framed);
        }
        w.send(what & 1, part, what >> 3);
    }
    w.check_logs();
    return 0;
}
