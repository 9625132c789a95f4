#include "stage.hpp"

namespace scarce {

namespace {

kw::producer_options patient(std::chrono::milliseconds d = 8s) {
    kw::producer_options o;
    o.delivery_timeout = d;
    return o;
}
kw::producer_options with(kw::protocol::compression c) {
    auto o = patient();
    o.compression = c;
    return o;
}
void compressed(stage& s, kw::protocol::compression c) {
    s.make_producer(with(c));
    s.send(12, 1, 200);
    s.run(2s);
}
kw::producer_options transactional() {
    auto o = patient();
    o.transactional_id = "tx-51";
    return o;
}
void fail_next(stage& s, std::int16_t api, kw::broker_errc code) {
    kw::broker::fault f;
    f.api = api;
    f.count = 1;
    f.error = code;
    f.error_at = api == 0 ? kw::broker::error_place::items : kw::broker::error_place::everywhere;
    s.control().add(f);
}

constexpr scenario list[] = {
    {"ready", [](stage& s) { s.ready(); s.run(1s); }},
    {"metadata", [](stage& s) { s.metadata(); s.run(1s); }},
    {"send one", [](stage& s) { s.make_producer(patient()); s.send(); s.run(1s); }},
    {"send forty to all partitions", [](stage& s) { s.make_producer(patient()); s.send(40); s.run(2s); s.send(10); s.run(1s); }},
    {"send a span", [](stage& s) { s.make_producer(patient()); s.send_batch(30); s.run(2s); }},
    {"enqueue and flush", [](stage& s) { s.make_producer(patient()); s.enqueue(20); s.flush(); s.run(2s); }},
    {"gzip", [](stage& s) { compressed(s, kw::protocol::compression::gzip); }},
    {"snappy", [](stage& s) { compressed(s, kw::protocol::compression::snappy); }},
    {"lz4", [](stage& s) { compressed(s, kw::protocol::compression::lz4); }},
    {"zstd", [](stage& s) { compressed(s, kw::protocol::compression::zstd); }},
    {"nobody is asked for an answer", [](stage& s) { auto o = patient(); o.acks = kw::acks::none; s.make_producer(o); s.send(10, 2); s.run(2s); }},
    {"the leader alone answers", [](stage& s) { auto o = patient(); o.acks = kw::acks::leader; s.make_producer(o); s.send(10, 2); s.run(2s); }},
    {"the connections break", [](stage& s) {
        s.make_producer(patient());
        s.send(20);
        s.run(5ms);
        for (int i = 1; i <= 3; ++i) (void)s.control().close_connections(i);
        s.send(10);
        s.run(3s);
    }},
    {"leaders move", [](stage& s) {
        s.make_producer(patient());
        s.send(20);
        s.run(4ms);
        for (int p = 0; p < schedules::partitions; ++p) (void)s.control().move_leader(schedules::topic, p, 1 + p % 3);
        s.send(10);
        s.run(3s);
    }},
    {"a batch is refused", [](stage& s) {
        s.make_producer(patient());
        fail_next(s, 0, kw::broker_errc::topic_authorization_failed);
        s.send(6, 3);
        s.run(1s);
        s.send(6, 3);
        s.run(1s);
    }},
    {"a batch is too large and is split", [](stage& s) {
        s.make_producer(patient());
        fail_next(s, 0, kw::broker_errc::message_too_large);
        s.send(8, 3);
        s.run(2s);
    }},
    {"records expire", [](stage& s) {
        s.make_producer(patient(2s));
        s.send(4);
        s.run(1s);
        for (auto* n : s.world().nodes) n->pause();
        s.send(8);
        s.run(4s);
        for (auto* n : s.world().nodes) n->resume();
        s.send(4);
        s.run(2s);
    }},
    {"there is no room", [](stage& s) {
        auto o = patient();
        o.batch_bytes = 400;
        o.send_buffer = 2000;
        s.make_producer(o);
        s.send(30, 1, 200);
        s.run(3s);
    }},
    {"sends are canceled", [](stage& s) { s.make_producer(patient()); s.send(10); s.cancel_all(); s.run(2s); s.send(5); s.cancel_all(); s.run(1s); }},
    {"closed", [](stage& s) { s.make_producer(patient()); s.send(10); s.close_producer(); s.run(2s); }},
    {"destroyed in the middle", [](stage& s) { s.make_producer(patient()); s.send(10); s.run(3ms); s.send(10); s.drop_producer(); s.run(2s); }},
    {"a transaction is committed", [](stage& s) { s.make_producer(transactional()); s.begin(); s.run(1s); s.send(8); s.commit(); s.run(2s); }},
    {"a transaction is aborted", [](stage& s) { s.make_producer(transactional()); s.begin(); s.run(1s); s.send(8); s.run(5ms); s.commit(false); s.run(2s); }},
    {"a transaction has offsets", [](stage& s) { s.make_producer(transactional()); s.begin(); s.run(1s); s.send(4); s.offsets(); s.commit(); s.run(2s); }},
    {"a transaction is dropped", [](stage& s) { s.make_producer(transactional()); s.begin(); s.run(1s); s.send(8); s.run(3ms); s.drop_transaction(); s.run(1s); s.drop_producer(); s.run(1s); }},
    {"two transactions, the coordinator moves", [](stage& s) {
        s.make_producer(transactional());
        s.begin();
        s.run(1s);
        s.send(4);
        (void)s.control().move_transaction_coordinator("tx-51", 3);
        s.commit();
        s.run(2s);
        s.begin();
        s.run(1s);
        s.send(4);
        s.commit();
        s.run(2s);
    }},
};

}  // namespace

std::span<const scenario> scenarios() { return list; }

}  // namespace scarce
