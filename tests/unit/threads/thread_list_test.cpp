// Which threads there are: compared before and after.
#include <kafkawire/blocking.hpp>
#include <kafkawire/concurrent_producer.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "kafka_thread.hpp"

#ifdef __linux__

using namespace std::chrono_literals;
using threads::kafka_thread;

namespace {

using names = std::vector<std::string>;

// The names of all threads of this process, sorted.
names all_threads() {
    names all;
    for (const auto& t : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::ifstream in{t.path() / "comm"};
        std::string name;
        if (std::getline(in, name)) all.push_back(name);
    }
    std::sort(all.begin(), all.end());
    return all;
}

// A thread that was joined may stand in the list for a moment longer.
names threads_settled(const names& expected) {
    for (int i = 0; i < 200 && all_threads() != expected; ++i) std::this_thread::sleep_for(5ms);
    return all_threads();
}

names with_ours(names before, int more) {
    for (int i = 0; i < more; ++i) before.push_back("kafkawire");
    std::sort(before.begin(), before.end());
    return before;
}

}  // namespace

TEST_CASE("a client and its producer start no thread") {
    kafka_thread kafka;
    const auto before = all_threads();
    asio::io_context io{1};
    std::size_t told = 0, left = 1;
    {
        kw::client client{io, kafka.client()};
        kw::producer producer{client, {.compression = kw::protocol::compression::zstd}};
        producer.on_delivery([&](const kw::delivery_report& r) {
            told += r.count;
            if (told == r.count) CHECK(all_threads() == before);
        });
        producer.async_warm_up("t", [&](std::error_code ec) {
            CHECK_FALSE(ec);
            for (int i = 0; i < 5000; ++i) CHECK_FALSE(producer.try_send({.topic = "t", .value = "some text, some text"}));
            CHECK(all_threads() == before);
            producer.async_close(10s, [&](std::error_code, std::size_t n) {
                left = n;
                io.stop();
            });
        });
        io.run_for(20s);
        CHECK(all_threads() == before);
    }
    CHECK(told == 5000);
    CHECK(left == 0);
    CHECK(all_threads() == before);
}

TEST_CASE("the fronts own one thread each, of the name kafkawire, until they are destroyed; on an io_context that is given none") {
    kafka_thread kafka;
    const auto before = all_threads();
    {
        kw::blocking::producer producer{kafka.client()};
        CHECK(producer.send({.topic = "t", .value = "x"}).offset >= 0);
        CHECK(threads_settled(with_ours(before, 1)) == with_ours(before, 1));
        kw::concurrent_producer other{kafka.client()};
        CHECK_FALSE(other.send({.topic = "t", .value = "x"}));
        CHECK(other.flush(10s) == 0);
        CHECK(threads_settled(with_ours(before, 2)) == with_ours(before, 2));
    }
    CHECK(threads_settled(before) == before);
    {
        kw::blocking::client client{kafka.client()};
        kw::blocking::producer one{client}, two{client};
        CHECK(one.send({.topic = "t", .value = "x"}).offset >= 0);
        CHECK(two.send({.topic = "t", .value = "x"}).offset >= 0);
        CHECK(threads_settled(with_ours(before, 1)) == with_ours(before, 1));
    }
    CHECK(threads_settled(before) == before);
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::thread runner{[&] { io.run(); }};
    const auto with_runner = all_threads();
    {
        kw::blocking::producer producer{io, kafka.client()};
        kw::concurrent_producer other{io, kafka.client()};
        CHECK(producer.send({.topic = "t", .value = "x"}).offset >= 0);
        CHECK_FALSE(other.send({.topic = "t", .value = "x"}));
        CHECK(other.flush(10s) == 0);
        CHECK(all_threads() == with_runner);
    }
    work.reset();
    runner.join();
}

#endif
