// A process that has no file descriptor left: nothing ends, nothing spins, and all goes on when there are some again.
#include <kafkawire/producer.hpp>
#include <kafkawire/testing.hpp>
#include <kafkawire/tokens.hpp>

#include "catch.hpp"

#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

std::size_t descriptors() {
    std::size_t n = 0;
    DIR* const all = opendir("/proc/self/fd");
    while (const auto* e = readdir(all)) n += e->d_name[0] != '.';
    closedir(all);
    return n - 1;  // the folder's own
}

// Until the end of its scope new descriptors fail, but for so many.
class famine {
public:
    explicit famine(std::size_t left) {
        getrlimit(RLIMIT_NOFILE, &before_);
        rlimit now = before_;
        const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
        close(next);
        now.rlim_cur = static_cast<rlim_t>(next) + 40;
        setrlimit(RLIMIT_NOFILE, &now);
        for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.push_back(fd);
        while (left-- > 0 && !taken_.empty()) give();
    }
    ~famine() {
        setrlimit(RLIMIT_NOFILE, &before_);
        while (!taken_.empty()) give();
    }
    // What somebody has closed meanwhile.
    void take_all() {
        for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.push_back(fd);
    }

private:
    void give() {
        close(taken_.back());
        taken_.pop_back();
    }
    rlimit before_{};
    std::vector<int> taken_;
};

void outage(std::size_t left) {
    asio::io_context io;
    kw::testing::brokers kafka{io, {.embedded = {.nodes = 3}, .ignore_environment = true}};
    const auto topic = kafka.create_topic(3);
    kw::client client{io, {.bootstrap = kafka.bootstrap(), .request_timeout = 2s}};
    kw::producer producer{client, {.delivery_timeout = 30s}};
    int told = 0;
    std::error_code worst;
    const auto send = [&](int n) {
        for (int i = 0; i < n; ++i)
            producer.async_send({.topic = topic, .value = "x", .partition = i % 3}, [&](std::error_code ec, kw::delivery) {
                ++told;
                if (ec) worst = ec;
            });
    };
    send(3);
    REQUIRE(kafka.run_until([&] { return told == 3; }));
    io.run_for(200ms);
    const auto before = descriptors();
    std::size_t ran = 0;
    {
        famine none{left};
        for (int node = 1; node <= 3; ++node) (void)kafka.embedded()->control().close_connections(node);
        if (left == 0) {
            io.run_for(5ms);  // both ends are closed; what that has freed is taken
            none.take_all();
        }
        send(6);
        ran = io.run_for(3s);
        if (left == 0) {
            CHECK(told == 3);
            bool said = false;
            for (const auto& h : client.health())
                for (const auto* e = &h.last_error; e; e = e->cause.get()) said |= e->code == std::errc::too_many_files_open;
            CHECK(said);
        }
    }
    CAPTURE(ran);
    CHECK(ran < 2000);  // handlers in three seconds, of which 250 are usual: who spins runs as many in a millisecond
    const auto again = std::chrono::steady_clock::now();
    REQUIRE(kafka.run_until([&] { return told == 9; }));
    CHECK_FALSE(worst);
    // A connection that the broker could not take is given up when its answer is late.
    CHECK(std::chrono::steady_clock::now() - again < (left == 0 ? 2500ms : 6000ms));
    // Connections that lost their races and the like are gone; each broker has as many as before at most.
    io.run_for(3s);
    CHECK(descriptors() <= before);
}

}  // namespace

TEST_CASE("without a file descriptor nothing ends and nothing spins, and all goes on when there are some again") { outage(0); }
TEST_CASE("with so few descriptors that a broker cannot take what its clients open, the same holds") { outage(1); }
#endif
