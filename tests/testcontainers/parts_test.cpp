// What the clusters are made of, as far as it needs no broker: versions, names of tools, configuration, child processes, the guard.
#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <thread>

#include "catch.hpp"
#include "distribution.hpp"
#include "node_config.hpp"
#include "ports.hpp"
#include "probe.hpp"
#include "process.hpp"
#include "socket_pair.hpp"
#include "testcontainers/kafka_cluster.hpp"

using namespace kafkawire::testing;
using namespace kafkawire::testing::detail;
using namespace std::chrono_literals;

TEST_CASE("versions compare by number") {
    CHECK(compare_versions("4.3.0", "4.3.0") == 0);
    CHECK(compare_versions("4.3", "4.3.0") == 0);
    CHECK(compare_versions("2.8.2", "2.10") == -1);
    CHECK(compare_versions("0.10.2.2", "0.9") == 1);
    CHECK(uses_zookeeper("0.10.2.2"));
    CHECK(uses_zookeeper("2.8.2"));
    CHECK_FALSE(uses_zookeeper("3.9.1"));
}

// Each pair was looked up in that version's jars.
TEST_CASE("a tool has the class that its version has") {
    CHECK(tool_class("4.3.0", "console-producer") == "org.apache.kafka.tools.ConsoleProducer");
    CHECK(tool_class("3.9.1", "console-producer") == "kafka.tools.ConsoleProducer");
    CHECK(tool_class("3.9.1", "console-consumer") == "org.apache.kafka.tools.consumer.ConsoleConsumer");
    CHECK(tool_class("2.8.2", "console-consumer") == "kafka.tools.ConsoleConsumer");
    CHECK(tool_class("3.9.1", "dump-log") == "kafka.tools.DumpLogSegments");
    CHECK(tool_class("4.3.0", "dump-log") == "org.apache.kafka.tools.DumpLogSegments");
    CHECK(tool_class("2.8.2", "get-offsets") == "kafka.tools.GetOffsetShell");
    CHECK(tool_class("0.10.2.2", "topics") == "kafka.admin.TopicCommand");
    CHECK(tool_class("4.3.0", "a.class.of.Mine") == "a.class.of.Mine");
    CHECK_THROWS_WITH(tool_class("4.3.0", "console-produce"), Catch::Contains("console-producer"));
    CHECK(bootstrap_option("0.10.2.2", "console-producer") == "--broker-list");
    CHECK(bootstrap_option("4.3.0", "console-producer") == "--bootstrap-server");
}

TEST_CASE("overrides stand last, where they win") {
    cluster_plan cluster{"4.3.0",
                         "id",
                         {{1, 1001, 2001, 1002, 1003, {}, "/tmp/x/node-1", {{"num.partitions", "7"}}}, {2, 1, 1, 1, 1004, {}, "/tmp/x/node-2", {}}},
                         0,
                         "/tmp/x"};
    const auto text = node_properties(cluster, cluster.nodes[0]);
    CHECK_THAT(text, Catch::Contains("\nlisteners=CLIENT://127.0.0.1:1001,INTERNAL://127.0.0.1:1002,CONTROLLER://127.0.0.1:1003\n"));
    CHECK_THAT(text, Catch::Contains("\nadvertised.listeners=CLIENT://127.0.0.1:2001,INTERNAL://127.0.0.1:1002\n"));
    CHECK_THAT(text, Catch::Contains("\ncontroller.quorum.voters=1@127.0.0.1:1003,2@127.0.0.1:1004\n"));
    CHECK_THAT(text, Catch::EndsWith("\nnum.partitions=7\n"));
    cluster.zookeeper_port = 2181;
    CHECK_THAT(node_properties(cluster, cluster.nodes[0]),
               Catch::Contains("\nzookeeper.connect=127.0.0.1:2181\n") && !Catch::Contains("process.roles"));
}

TEST_CASE("ports are free, apart, and outside the range of outgoing connections") {
    std::set<int> numbers;
    std::vector<reserved_port> ports(50);
    for (auto& p : ports) {
        numbers.insert(p.number());
        CHECK(p.number() < 32768);
    }
    CHECK(numbers.size() == 50);
}

TEST_CASE("a program is run with its input, output and status, and killed at its limit") {
    const auto upper = run({"sh", "-c", "tr a-z A-Z; echo why >&2; exit 3"}, "some text", 10s);
    CHECK(upper.out == "SOME TEXT");
    CHECK(upper.err == "why\n");
    CHECK(upper.status == 3);
    const std::string much(3 << 20, 'y');
    CHECK(run({"cat"}, much, 10s).out == much);
    CHECK(run({"true"}, much, 10s).status == 0);  // it never reads: no SIGPIPE here
    const auto endless = run({"sh", "-c", "echo begun; exec sleep 100"}, {}, 200ms);
    CHECK(endless.timed_out);
    CHECK(endless.out == "begun\n");
    CHECK(endless.status == 128 + SIGKILL);
    CHECK_THROWS_AS(run({"no-such-program-anywhere"}, {}, 1s), std::system_error);
}

TEST_CASE("no descriptor but 0, 1 and 2 reaches a child") {
    const int leaked = ::open("/dev/null", O_RDONLY);  // not close-on-exec
    // ls itself opens the folder as 3
    CHECK(run({"ls", "/proc/self/fd"}, {}, 10s).out == "0\n1\n2\n3\n");
    ::close(leaked);
}

TEST_CASE("the guard kills the whole group and removes the folder, stopped and stubborn processes included") {
    auto folder = (std::filesystem::temp_directory_path() / "kafkawire-guard-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()));
    std::ofstream(folder + "/file") << "x";
    pid_t stopped = -1, stubborn = -1;
    {
        guard g(folder, "");
        stopped = spawn({.argv = {"sleep", "100"}, .directory = {}, .group = g.group()});
        stubborn = spawn({.argv = {"sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done"}, .directory = {}, .group = g.group()});
        ::kill(stopped, SIGSTOP);
    }
    CHECK(wait_exit(stopped, 5s) == 128 + SIGKILL);
    CHECK(wait_exit(stubborn, 5s) == 128 + SIGKILL);
    for (int i = 0; i < 500 && std::filesystem::exists(folder); ++i) std::this_thread::sleep_for(10ms);
    CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("the probe says what is wrong with a port") {
    const reserved_port nobody;
    CHECK(probe("127.0.0.1", nobody.number(), 1s).error == "Connection refused");
    sockets::server silent;
    const auto port = static_cast<std::uint16_t>(std::stoi(silent.address().substr(silent.address().find(':') + 1)));
    CHECK(probe("127.0.0.1", port, 50ms).error == "no answer within 50 ms");
    std::thread http([&] {
        (void)silent.accept();  // the one above
        auto s = silent.accept();
        (void)s.read(14);
        (void)s.write("HTTP/1.1 400 Bad Request\r\n\r\n");
        (void)s.read_end(1s);
    });
    CHECK(probe("127.0.0.1", port, 1s).error == "a frame of 1213486160 bytes: not a Kafka broker");
    http.join();
}

TEST_CASE("a wrong image is refused with a sentence") {
    CHECK_THROWS_WITH(kafka_image{}.version("latest").start(), Catch::Contains("'latest' is not a Kafka version"));
    CHECK_THROWS_WITH(kafka_image{}.version("2.8.2").with_runtime(runtime::docker).start(), Catch::Contains("no Docker image"));
}

TEST_CASE("what is missing on a bare machine is named, with the package that has it") {
    auto folder = (std::filesystem::temp_directory_path() / "kafkawire-bare-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()));
    const std::string names[] = {"PATH", "JAVA_HOME", "XDG_CACHE_HOME"};
    std::vector<std::pair<std::string, std::optional<std::string>>> before;
    for (auto& n : names)
        before.emplace_back(n, std::getenv(n.c_str()) ? std::optional<std::string>(std::getenv(n.c_str())) : std::nullopt);
    ::setenv("PATH", folder.c_str(), 1);
    ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
    ::unsetenv("JAVA_HOME");
    const auto find = [] { return distribution::find("4.3.0", distribution::kind::jvm); };
    CHECK_THROWS_WITH(find(), Catch::Contains("default-jdk-headless"));
    std::filesystem::create_symlink("/bin/true", folder + "/java");
    CHECK_THROWS_WITH(find(), Catch::Contains("apt-get install maven"));
    std::filesystem::create_symlink("/bin/false", folder + "/mvn");
    CHECK_THROWS_WITH(find(), Catch::Contains("could not fetch"));
    CHECK_THROWS_WITH(distribution::find("4.3.0", distribution::kind::docker), Catch::Contains("no Docker engine"));
    for (auto& [name, value] : before) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    std::filesystem::remove_all(folder);
}
