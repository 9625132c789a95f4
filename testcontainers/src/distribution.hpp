// Where Apache Kafka comes from: a Docker image, or the JVM with the artifacts that Maven fetches once per version and user.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <kafkawire/version.hpp>

namespace kafkawire::testing::detail {

// Compares dotted versions number by number: -1, 0 or 1. "2.8.2" < "2.10"; a missing part counts as 0.
int compare_versions(std::string_view a, std::string_view b);
// Kafka before 3.3 keeps its metadata in ZooKeeper (KRaft was not yet meant for use).
bool uses_zookeeper(std::string_view version);
// The name of a tool ("console-producer", "topics", ...) as a class of that version. A name with a dot is a class already.
// Throws std::invalid_argument for an unknown name.
std::string tool_class(std::string_view version, std::string_view tool);
// The option by which that tool of that version learns the broker: "--bootstrap-server", "--broker-list", or empty (it takes none).
std::string bootstrap_option(std::string_view version, std::string_view tool);

// Runs Java programs of one Kafka version, in one of two ways.
class distribution {
public:
    enum class kind { automatic, jvm, docker };
    // Finds or fetches what is needed. Throws std::runtime_error with a sentence that says what is missing. `automatic` takes Docker
    // if an engine answers and the version has an image, else the JVM; KAFKAWIRE_TEST_RUNTIME=jvm|docker decides for it.
    static distribution find(const std::string& version, kind wanted);

    bool in_docker() const { return !docker_.empty(); }
    std::string version() const { return version_; }
    // Kafka's classes as a Java class path; empty in Docker, where they are inside the image.
    std::string class_path() const { return in_docker() ? std::string{} : (libraries_ / "*").string(); }
    // A folder of this user's and this version's that may be used to keep things from one cluster to the next.
    std::filesystem::path cache() const;
    // The command line for `arguments` (JVM options, main class, its arguments) with Kafka's classes. `name` names the container and
    // `folder` is the one folder it sees.
    std::vector<std::string> command(const std::vector<std::string>& arguments, const std::string& name, const std::string& label,
                                     const std::filesystem::path& folder) const;
    // docker kill NAME, docker pause NAME, ...; throws if it fails. Only with in_docker().
    void control(const std::string& verb, const std::string& name) const;

private:
    std::string version_;
    std::filesystem::path java_, libraries_, docker_;
};

}  // namespace kafkawire::testing::detail
