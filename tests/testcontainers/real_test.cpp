// Real brokers: every version comes up and speaks, faults do what they say, and nothing survives us. What each start took is printed.
#include <fcntl.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "probe.hpp"
#include "process.hpp"
#include "socket_pair.hpp"
#include "testcontainers/kafka_cluster.hpp"
#include "testcontainers/proxy.hpp"
#include "testcontainers/shared_cluster.hpp"

using namespace kafkawire::testing;
using namespace std::chrono_literals;
using detail::probe;

namespace {

using steady = std::chrono::steady_clock;

kafka_cluster start(const kafka_image& image, const std::string& what) {
    const auto begin = steady::now();
    auto cluster = image.start();
    std::printf("%s: up after %.2f s\n", what.c_str(), std::chrono::duration<double>(steady::now() - begin).count());
    std::fflush(stdout);
    return cluster;
}

std::uint16_t port_of(const std::string& address) { return static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))); }
detail::probe_result ask(const kafka_cluster& c, int node, std::chrono::milliseconds limit = 5s) {
    return probe("127.0.0.1", port_of(c.address(node)), limit);
}

template <class F>
bool within(std::chrono::seconds limit, F f) {
    for (const auto deadline = steady::now() + limit; steady::now() < deadline; std::this_thread::sleep_for(50ms))
        if (f()) return true;
    return f();
}

bool alive(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(in, text);
    const auto state = text.rfind(") ");
    return state != std::string::npos && text[state + 2] != 'Z';  // a zombie has ended, only nobody has asked
}

// Through Kafka's own console tools: lines in, the same lines out.
void round_trip(const kafka_cluster& c, const std::string& servers) {
    const auto topic = unique_topic("round-trip");
    const auto in = c.run_java_tool(
        "console-producer", {"--topic", topic, java_tool_bootstrap_option(c.version(), "console-producer"), servers}, "one\ntwo\nthree\n");
    INFO(in.err);
    REQUIRE(in.status == 0);
    const auto out =
        c.run_java_tool("console-consumer", {"--topic", topic, "--bootstrap-server", servers, "--from-beginning", "--max-messages", "3"});
    INFO(out.err);
    CHECK(out.status == 0);
    CHECK(out.out == "one\ntwo\nthree\n");
}

void each_version(const std::string& version) {
    const auto c = start(kafka_image{}.version(version), version + ", one node");
    const auto seen = ask(c, 1);
    CHECK(seen.error.empty());
    REQUIRE(seen.brokers.size() == 1);
    CHECK(seen.brokers[0] == detail::seen_broker{1, "127.0.0.1", port_of(c.bootstrap_servers())});
    round_trip(c, c.bootstrap_servers());
}

}  // namespace

TEST_CASE("Kafka 4.3.0", "[version]") { each_version("4.3.0"); }
TEST_CASE("Kafka 3.9.1", "[version]") { each_version("3.9.1"); }
TEST_CASE("Kafka 2.8.2", "[version]") { each_version("2.8.2"); }
TEST_CASE("Kafka 0.10.2.2", "[version]") { each_version("0.10.2.2"); }

TEST_CASE("three nodes: kill, restart, pause, resume, stop", "[faults]") {
    auto c = start(kafka_image{}.nodes(3), "4.3.0, three nodes");
    for (int n = 1; n <= 3; ++n) CHECK(ask(c, n).brokers.size() == 3);

    const auto first_life = c.pid(2);
    c.kill(2);
    CHECK(c.state(2) == node_state::down);
    CHECK_FALSE(alive(first_life));
    CHECK(ask(c, 2).error == "Connection refused");
    CHECK(within(30s, [&] { return ask(c, 1).brokers.size() == 2; }));  // the others miss it
    round_trip(c, c.address(1));                                        // two of three are in sync: enough
    c.restart(2);
    CHECK(c.pid(2) != first_life);
    CHECK(ask(c, 2).brokers.size() == 3);

    c.pause(3);
    CHECK(c.state(3) == node_state::paused);
    CHECK(ask(c, 3, 300ms).error == "no answer within 300 ms");  // the kernel accepts, nobody speaks
    c.resume(3);
    CHECK(ask(c, 3, 10s).error.empty());
    c.wait_until_ready();

    c.stop(1);  // a controlled shutdown tells the others at once
    CHECK(within(5s, [&] { return ask(c, 2).brokers.size() == 2; }));
    CHECK_THAT(c.logs(1), Catch::Contains("shut down completed"));
    c.start(1);
    CHECK(ask(c, 3).brokers.size() == 3);
    CHECK_THROWS_AS(c.kill(4), std::out_of_range);
    CHECK_THROWS_AS(c.start(1), cluster_error);
}

TEST_CASE("a killed node of an old version comes back, whatever ZooKeeper remembers", "[faults]") {
    const auto version = GENERATE(as<std::string>{}, "2.8.2", "0.10.2.2");
    auto c = start(kafka_image{}.version(version).nodes(2), version + ", two nodes");
    c.kill(2);
    c.start(2);
    CHECK(ask(c, 2).brokers.size() == 2);
}

TEST_CASE("three nodes behind proxies", "[faults]") {
    auto c = start(kafka_image{}.nodes(3).with_proxies(), "4.3.0, three nodes behind proxies");
    const auto seen = ask(c, 1);
    REQUIRE(seen.brokers.size() == 3);
    for (auto& b : seen.brokers) CHECK(b.port == c.proxy(b.id).port());  // clients are sent through the proxies, too
    round_trip(c, c.bootstrap_servers());
    CHECK(c.proxy(1).counts().to_client.forwarded > 0);

    c.proxy(2).black_hole();
    CHECK(ask(c, 2, 200ms).error == "no answer within 200 ms");
    CHECK(ask(c, 1).brokers.size() == 3);  // the brokers among themselves do not notice
    c.proxy(2).heal();
    c.proxy(3).cut_after(flow::to_client, 10, ending::reset);
    CHECK(ask(c, 3).error == "Connection reset by peer");
    c.proxy(3).heal();
    CHECK(ask(c, 3).error.empty());

    c.kill(3);
    CHECK(ask(c, 3).error == "Connection refused");
    c.start(3);
    CHECK(ask(c, 3).brokers.size() == 3);
}

TEST_CASE("properties, JVM options and format arguments reach the broker", "[options]") {
    const auto c = kafka_image{}
                       .with_property("num.partitions", "5")
                       .with_jvm_option("-Dkafkawire.mark=here")
                       .with_format_argument("--add-scram")
                       .with_format_argument("SCRAM-SHA-256=[name=alice,password=secret]")
                       .start();
    round_trip(c, c.bootstrap_servers());
    const auto topics = c.run_java_tool("topics", {"--bootstrap-server", c.bootstrap_servers(), "--describe"});
    CHECK_THAT(topics.out, Catch::Contains("PartitionCount: 5"));
    const auto users = c.run_java_tool("configs", {"--bootstrap-server", c.bootstrap_servers(), "--describe", "--entity-type", "users"});
    CHECK_THAT(users.out, Catch::Contains("alice"));
    std::ifstream in("/proc/" + std::to_string(c.pid(1)) + "/cmdline");
    CHECK_THAT(std::string(std::istreambuf_iterator<char>(in), {}), Catch::Contains("-Dkafkawire.mark=here"));
}

TEST_CASE("a broker that does not start says why", "[options]") {
    CHECK_THROWS_WITH(kafka_image{}.with_property("log.segment.bytes", "nonsense").start(),
                      Catch::Contains("ended with status") && Catch::Contains("log.segment.bytes"));
}

TEST_CASE("the shared cluster is started once", "[shared]") {
    const auto servers = real_broker{}.bootstrap_servers();
    CHECK(servers == shared_bootstrap_servers());
    CHECK(unique_topic() != unique_topic());
    CHECK(probe("127.0.0.1", port_of(servers), 5s).error.empty());
}

// Started again by the next test, in a process of its own.
TEST_CASE("a victim holds a cluster until it is killed", "[.victim]") {
    const auto c = kafka_image{}.nodes(2).with_proxies().start();
    std::cout << "VICTIM " << c.directory().string() << " " << c.pid(1) << " " << c.pid(2) << std::endl;
    std::this_thread::sleep_for(10min);
}

TEST_CASE("a kill -9 of the test program takes the brokers and their folder along", "[guard]") {
    int fds[2];
    REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
    sockets::stream from_victim{fds[0]};
    const auto victim =
        detail::spawn({.argv = {"/proc/" + std::to_string(::getpid()) + "/exe", "[.victim]"}, .directory = {}, .out = fds[1]});
    ::close(fds[1]);
    std::string text;
    FILE* in = ::fdopen(::dup(fds[0]), "r");
    for (char line[1024]; std::fgets(line, sizeof line, in);)
        if (std::string_view(line).starts_with("VICTIM ")) {
            text = line;
            break;
        }
    std::fclose(in);
    std::istringstream words(text);
    std::string mark, folder;
    pid_t first = 0, second = 0;
    words >> mark >> folder >> first >> second;
    REQUIRE(second > 0);
    CHECK(alive(first));
    CHECK(alive(second));
    ::kill(victim, SIGKILL);
    CHECK(detail::wait_exit(victim, 5s) == 128 + SIGKILL);
    CHECK(within(20s, [&] { return !alive(first) && !alive(second); }));
    CHECK(within(20s, [&] { return !std::filesystem::exists(folder); }));
}

// There may be no Docker engine where this runs. This one, a script, keeps to the same command lines and runs the JVM that is there; so it
// shows that what we tell Docker hangs together, not that Docker agrees.
TEST_CASE("nodes are run, killed and paused through the docker command", "[docker]") {
    const auto libraries = detail::run({"sh", "-c", "echo ${XDG_CACHE_HOME:-$HOME/.cache}/kafkawire/kafka-4.3.0/libs"}, {}, 5s).out;
    (void)kafka_image{}.with_runtime(runtime::jvm).start();  // fetches the classes if they are missing
    auto folder = (std::filesystem::temp_directory_path() / "kafkawire-docker-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()));
    std::ofstream(folder + "/docker") << "#!/bin/sh\necho \"$*\" >> " << folder << "/log\nlibs=" << libraries << "here=" << folder << R"sh(
case $1 in
info) echo 28.0 ;;
run)
    while [ $# -gt 0 ]; do
        case $1 in
        --name) name=$2; shift 2 ;;
        --entrypoint) program=$2; shift 2 ;;
        apache/kafka:4.3.0) shift 3; break ;;
        *) shift ;;
        esac
    done
    echo $$ > "$here/$name"
    exec "$program" -cp "$libs/*" "$@" ;;
kill) kill -KILL "$(cat "$here/$2")" ;;
pause) kill -STOP "$(cat "$here/$2")" ;;
unpause) kill -CONT "$(cat "$here/$2")" ;;
esac
)sh";
    std::filesystem::permissions(folder + "/docker", std::filesystem::perms::owner_all);
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", (folder + ":" + path).c_str(), 1);
    {
        auto c = kafka_image{}.with_format_argument("--ignore-formatted").start();  // formatting, too, in a container
        CHECK(c.in_docker());
        CHECK(ask(c, 1).error.empty());
        c.pause(1);
        CHECK(ask(c, 1, 200ms).error == "no answer within 200 ms");
        c.resume(1);
        c.kill(1);
        CHECK(ask(c, 1).error == "Connection refused");
        c.start(1);
        c.stop(1);
        CHECK_THAT(c.logs(1), Catch::Contains("shut down completed"));
    }
    ::setenv("PATH", path.c_str(), 1);
    std::ifstream log(folder + "/log");
    const std::string said(std::istreambuf_iterator<char>(log), {});
    CHECK_THAT(said, Catch::Contains("info --format {{.ServerVersion}}"));
    CHECK_THAT(said, Catch::Contains("--network host"));
    CHECK_THAT(said, Catch::Contains("ps -aq --filter label=kafkawire.cluster=kafkawire-"));  // the guard asks what is left
    std::filesystem::remove_all(folder);
}
