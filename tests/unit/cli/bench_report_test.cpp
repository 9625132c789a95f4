// What bench makes of its words, and what it prints of its numbers.
#include "catch.hpp"

#include "cli/bench_report.hpp"

using namespace kafkawire::cli;
using namespace std::chrono_literals;

namespace {

bench_plan planned(bench_arguments a, bool latency = false) {
    a.topic = "t";
    context c;
    return plan_of(a, latency, c);
}

bench_result two_seconds() {
    bench_result r;
    r.total = {.wall = 2,
               .cpu = 0.5,
               .acknowledged = 1'000'000,
               .failed = 0,
               .value_bytes = 100'000'000,
               .batches = 100,
               .wire_bytes = 110'000'000,
               .requests = 20,
               .retries = 3};
    r.sent = 1'000'000;
    r.size = 100;
    r.rss_mb = 12.5;
    return r;
}

}  // namespace

TEST_CASE("what is not said has its default, by the verb") {
    const auto p = planned({});
    CHECK(p.records == 1'000'000);
    CHECK(p.sending.linger == 5ms);
    CHECK(p.delivery == bench_delivery::batch);
    CHECK(!p.takes_times());
    bench_arguments paced;
    paced.rate = 50;
    CHECK(planned(paced).delivery == bench_delivery::record);
    CHECK(planned(paced).takes_times());
    const auto one = planned({}, true);
    CHECK(one.one_at_a_time);
    CHECK(one.sending.linger == 0ms);
    CHECK(one.records == 10'000);
    const auto at_rate = planned(paced, true);
    CHECK(!at_rate.one_at_a_time);
    CHECK(at_rate.records == 500);
}

TEST_CASE("the line of JSON has the agreed keys first") {
    const auto p = planned({});
    CHECK(
        bench_json(p, two_seconds()) ==
        R"({"client":"kafkawire","op":"produce","n":1000000,"size":100,"wall":2.000,"msgs_s":500000,"cpu":0.500,"cpu_us_per_msg":0.5000,"rss_mb":12.5,"failed":0,)"
        R"("version":")" KAFKAWIRE_VERSION_STRING
        R"(","codec":"none","acks":-1,"threads":1,"through":"own","delivery":"batch","warmup_s":0.000,"warmup_n":0,"batches":100,"batch_bytes":1100000,"requests":20,"retries":3})"
        "\n");
    bench_arguments a;
    a.rate = 1000;
    auto r = two_seconds();
    for (int i = 1; i <= 1000; ++i) r.times.add(static_cast<std::uint64_t>(i) * 1000);
    r.planned = 1.98;
    r.sending = 2.0;
    r.first_error = "no \"leader\"";
    const auto text = bench_json(planned(a), r);
    CHECK(text.find(R"("failed":0,"p50_us":500.)") != std::string::npos);
    CHECK(text.find(R"("rate":1000,"rate_kept":0.9900)") != std::string::npos);
    CHECK(text.find(R"("first_error":"no \"leader\"")") != std::string::npos);
}

TEST_CASE("that brokers were too old for idempotence is in both forms, and nowhere else") {
    const auto p = planned({});
    auto r = two_seconds();
    CHECK(bench_summary(p, r).find("degraded") == std::string::npos);
    r.degraded = true;
    CHECK(bench_summary(p, r).find("\ndegraded       at least once, without idempotence: the brokers are older than Kafka 0.11\n") != std::string::npos);
    CHECK(bench_json(p, r).find(R"("retries":3,"degraded":true})") != std::string::npos);
}

TEST_CASE("a rate is missed by more than one part in a hundred, and not by a hiccup") {
    bench_arguments a;
    a.rate = 1000;
    const auto p = planned(a);
    bench_result r = two_seconds();
    r.planned = 10;
    r.sending = 10.05;
    CHECK(!rate_missed(p, r));
    r.sending = 10.2;
    CHECK(rate_missed(p, r));
    r.planned = 0.01;
    r.sending = 0.02;
    CHECK(!rate_missed(p, r));
    r.planned = 10;
    r.sending = 20;
    r.interrupted = true;
    CHECK(!rate_missed(p, r));
    CHECK(!rate_missed(planned({}), r));
}

TEST_CASE("a row is what happened between two readings") {
    bench_reading before{.wall = 1,
                         .cpu = 0.1,
                         .acknowledged = 1'000,
                         .failed = 0,
                         .value_bytes = 100'000,
                         .batches = 1,
                         .wire_bytes = 110'000,
                         .requests = 1,
                         .retries = 0};
    auto now = before;
    now.wall = 2;
    now.cpu = 0.2;
    now.acknowledged = 1'001'000;
    now.value_bytes = 100'100'000;
    now.batches = 101;
    now.wire_bytes = 110'110'000;
    now.retries = 2;
    CHECK(bench_row(before, now, 42, nullptr) == "       2    1,000,000    100.00    1100.0        2      0.100       42\n");
    now.failed = 7;
    CHECK(bench_row(before, now, 42, nullptr).ends_with("  7 failed\n"));
    histogram h;
    h.add(1'500);
    CHECK(bench_row(before, now, 42, &h).find("        1.5        1.5  7 failed") != std::string::npos);
    CHECK(bench_row(now, now, 42, nullptr).find("nan") == std::string::npos);
}
