#include "distribution.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "process.hpp"

namespace kafkawire::testing::detail {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct artifact {
    std::string group, name, version;
};

// Kafka's own poms leave the logging library to the distribution; without one a broker that fails says nothing.
std::vector<artifact> artifacts(const std::string& v) {
    if (compare_versions(v, "4.0") >= 0)
        return {{"org.apache.kafka", "kafka_2.13", v},
                {"org.apache.kafka", "kafka-tools", v},
                {"org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"}};
    if (compare_versions(v, "3.3") >= 0)
        return {{"org.apache.kafka", "kafka_2.13", v}, {"org.apache.kafka", "kafka-tools", v}, {"ch.qos.reload4j", "reload4j", "1.2.25"}};
    if (compare_versions(v, "2.4") >= 0) return {{"org.apache.kafka", "kafka_2.13", v}, {"org.slf4j", "slf4j-log4j12", "1.7.30"}};
    // javax.xml.bind left the JDK with Java 11.
    return {{"org.apache.kafka", "kafka_2.11", v}, {"javax.xml.bind", "jaxb-api", "2.3.1"}};
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

fs::path cache_root() {
    if (auto xdg = environment("XDG_CACHE_HOME"); !xdg.empty()) return fs::path(xdg) / "kafkawire";
    if (auto home = environment("HOME"); !home.empty()) return fs::path(home) / ".cache" / "kafkawire";
    return fs::temp_directory_path() / ("kafkawire-cache-" + std::to_string(::getuid()));
}

fs::path find_java() {
    if (auto home = environment("JAVA_HOME"); !home.empty() && ::access((home + "/bin/java").c_str(), X_OK) == 0) return home + "/bin/java";
    if (auto java = find_program("java"); !java.empty()) return java;
    throw std::runtime_error(
        "Apache Kafka needs Java 17 or later, and there is no java in JAVA_HOME or PATH (Debian: apt-get install default-jdk-headless)");
}

std::string last_lines(const std::string& text, std::size_t count) {
    auto at = text.size();
    while (at > 0 && count > 0)
        if (text[--at] == '\n' && at + 1 < text.size()) --count;
    return text.substr(at == 0 ? 0 : at + 1);
}

std::string project_file(const std::string& version) {
    std::string out = R"(<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>kafkawire</groupId><artifactId>test-broker</artifactId><version>1</version>
  <dependencies>
)";
    for (auto& a : artifacts(version))
        out += "    <dependency><groupId>" + a.group + "</groupId><artifactId>" + a.name + "</artifactId><version>" + a.version +
               "</version></dependency>\n";
    return out + "  </dependencies>\n</project>\n";
}

// Fetches once. Several test programs may come here together: one fetches, the others wait at the lock, and the folder appears
// complete or not at all.
fs::path fetch_libraries(const std::string& version) {
    const auto folder = cache_root() / ("kafka-" + version);
    const auto libraries = folder / "libs";
    if (fs::exists(libraries)) return libraries;
    fs::create_directories(folder);
    const unique_fd lock{::open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)};
    if (!lock || ::flock(lock.get(), LOCK_EX) != 0) throw std::runtime_error("cannot lock " + (folder / "lock").string());
    if (fs::exists(libraries)) return libraries;

    const auto maven = find_program("mvn");
    if (maven.empty())
        throw std::runtime_error("Apache Kafka " + version +
                                 " is fetched by Maven, and there is no mvn in PATH (Debian: apt-get install maven)");
    const auto pending = folder / "libs.part";
    fs::remove_all(pending);
    std::ofstream(folder / "pom.xml") << project_file(version);
    const auto result = run({maven.string(), "-q", "-B", "-f", (folder / "pom.xml").string(), "dependency:copy-dependencies",
                             "-DoutputDirectory=" + pending.string(), "-DincludeScope=runtime"},
                            {}, 15min);
    if (result.status != 0 || !fs::exists(pending))
        throw std::runtime_error("Maven could not fetch Apache Kafka " + version + ":\n" + last_lines(result.out + result.err, 15));
    fs::rename(pending, libraries);
    return libraries;
}

// The project publishes images since 3.7.
bool has_image(const std::string& version) { return compare_versions(version, "3.7") >= 0; }

fs::path answering_docker() {
    const auto docker = find_program("docker");
    // The client alone answers `docker info` too; only an engine has a version of its own.
    if (docker.empty()) return {};
    const auto info = run({docker.string(), "info", "--format", "{{.ServerVersion}}"}, {}, 10s);
    return info.status == 0 && info.out.find_first_of("0123456789") != std::string::npos ? docker : fs::path{};
}

struct tool_row {
    std::string_view name, since, class_name;  // the newest that is not later than the version holds
};
constexpr tool_row tools[] = {
    {"console-producer", "4.0", "org.apache.kafka.tools.ConsoleProducer"},
    {"console-producer", "0", "kafka.tools.ConsoleProducer"},
    {"console-consumer", "3.8", "org.apache.kafka.tools.consumer.ConsoleConsumer"},
    {"console-consumer", "0", "kafka.tools.ConsoleConsumer"},
    {"get-offsets", "3.5", "org.apache.kafka.tools.GetOffsetShell"},
    {"get-offsets", "0", "kafka.tools.GetOffsetShell"},
    {"dump-log", "4.0", "org.apache.kafka.tools.DumpLogSegments"},
    {"dump-log", "0", "kafka.tools.DumpLogSegments"},
    {"topics", "3.7", "org.apache.kafka.tools.TopicCommand"},
    {"topics", "0", "kafka.admin.TopicCommand"},
    {"consumer-groups", "3.8", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"},
    {"consumer-groups", "0", "kafka.admin.ConsumerGroupCommand"},
    {"leader-election", "3.6", "org.apache.kafka.tools.LeaderElectionCommand"},
    {"leader-election", "2.4", "kafka.admin.LeaderElectionCommand"},
    {"configs", "0", "kafka.admin.ConfigCommand"},
    {"producer-perf", "0", "org.apache.kafka.tools.ProducerPerformance"},
    {"consumer-perf", "3.6", "org.apache.kafka.tools.ConsumerPerformance"},
    {"consumer-perf", "0", "kafka.tools.ConsumerPerformance"},
};

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        int parts[2] = {0, 0};
        int i = 0;
        for (auto* text : {&a, &b}) {
            const auto dot = std::min(text->find('.'), text->size());
            std::from_chars(text->data(), text->data() + dot, parts[i++]);
            text->remove_prefix(std::min(dot + 1, text->size()));
        }
        if (parts[0] != parts[1]) return parts[0] < parts[1] ? -1 : 1;
    }
    return 0;
}

bool uses_zookeeper(std::string_view version) { return compare_versions(version, "3.3") < 0; }

std::string tool_class(std::string_view version, std::string_view tool) {
    if (tool.find('.') != std::string_view::npos) return std::string(tool);
    std::string known;
    for (auto& row : tools) {
        if (row.name == tool && compare_versions(version, row.since) >= 0) return std::string(row.class_name);
        if (known.find(row.name) == std::string::npos) known += (known.empty() ? "" : ", ") + std::string(row.name);
    }
    throw std::invalid_argument("Apache Kafka " + std::string(version) + " has no tool '" + std::string(tool) + "' here; known are " +
                                known + ", or give a class name");
}

std::string bootstrap_option(std::string_view version, std::string_view tool) {
    if (tool == "dump-log" || tool.find('.') != std::string_view::npos) return {};
    if (tool == "producer-perf") return {};  // inside --producer-props
    if (tool == "console-producer" && compare_versions(version, "2.5") < 0) return "--broker-list";
    if (tool == "get-offsets" && compare_versions(version, "3.0") < 0) return "--broker-list";
    if (tool == "consumer-perf" && compare_versions(version, "2.5") < 0) return "--broker-list";
    if ((tool == "topics" && compare_versions(version, "2.2") < 0) || (tool == "configs" && compare_versions(version, "0.11") < 0))
        return "--zookeeper";
    return "--bootstrap-server";
}

distribution distribution::find(const std::string& version, kind wanted) {
    if (version.empty() || version.find_first_not_of("0123456789.") != std::string::npos)
        throw std::invalid_argument("'" + version + "' is not a Kafka version such as 4.3.0");
    if (wanted == kind::automatic) {
        const auto by_user = environment("KAFKAWIRE_TEST_RUNTIME");
        if (by_user == "jvm") wanted = kind::jvm;
        if (by_user == "docker") wanted = kind::docker;
    }
    distribution out;
    out.version_ = version;
    if (wanted == kind::docker && !has_image(version))
        throw std::runtime_error("Apache Kafka " + version + " has no Docker image (there are images since 3.7): use the JVM");
    if (wanted != kind::jvm && has_image(version)) {
        out.docker_ = answering_docker();
        if (out.in_docker()) return out;
        if (wanted == kind::docker) throw std::runtime_error("no Docker engine answers `docker info`");
    }
    out.java_ = find_java();
    out.libraries_ = fetch_libraries(version);
    return out;
}

fs::path distribution::cache() const {
    const auto folder = cache_root() / ("kafka-" + version_);
    fs::create_directories(folder);
    return folder;
}

std::vector<std::string> distribution::command(const std::vector<std::string>& arguments, const std::string& name, const std::string& label,
                                               const fs::path& folder) const {
    std::vector<std::string> out;
    if (in_docker()) {
        // The host's network, so that ports and addresses are the same in both ways of running.
        const auto user = std::to_string(::getuid()) + ":" + std::to_string(::getgid());
        const auto seen = folder.string();
        // clang-format off
        out = {docker_.string(), "run", "--rm", "-i", "--name", name, "--label", label, "--network", "host", "--user", user,
               "-v", seen + ":" + seen, "-w", seen, "--entrypoint", "java", "apache/kafka:" + version_, "-cp", "/opt/kafka/libs/*"};
        // clang-format on
    } else {
        out = {java_.string(), "-cp", class_path()};
    }
    // What a JVM unpacks or maps in its temporary folder would stay behind when it is killed.
    out.insert(out.end(), {"-XX:-UsePerfData", "-Djava.io.tmpdir=" + folder.string()});
    out.insert(out.end(), arguments.begin(), arguments.end());
    return out;
}

void distribution::control(const std::string& verb, const std::string& name) const {
    const auto result = run({docker_.string(), verb, name}, {}, 30s);
    if (result.status != 0) throw std::runtime_error("docker " + verb + " " + name + ": " + last_lines(result.err, 3));
}

}  // namespace kafkawire::testing::detail
