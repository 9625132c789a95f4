// A real Apache Kafka for tests: one to three nodes on 127.0.0.1, from a Docker image where an engine answers, else from Maven's
// artifacts on the JVM. Everything lives in one temporary folder and one process group; both are gone when the
// kafka_cluster is destroyed or when this process ends, in whatever way, kill -9 included.
//
//     auto kafka = kw::testing::kafka_image{}.version("3.9.1").nodes(3).start();
//     connect_to(kafka.bootstrap_servers());
//     kafka.kill(2);
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kafkawire/version.hpp>

namespace kafkawire::testing {

class proxy;
class kafka_cluster;

// A cluster that did not do what it was asked for. The text ends with what the node logged: its errors and its last lines.
struct cluster_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class runtime { automatic, jvm, docker };  // automatic: Docker if an engine answers; KAFKAWIRE_TEST_RUNTIME=jvm|docker decides
enum class node_state { running, paused, down };

// What a Java tool did.
struct tool_result {
    int status = -1;         // its exit status, 128 + signal if it was killed
    bool timed_out = false;  // it ran into the limit and was killed
    std::string out, err;
};

// Says what to start. A plain value; each function returns the image itself, so that they can be chained.
class kafka_image {
public:
    // Tested: "4.3.0" (the default), "3.9.1", "2.8.2" and "0.10.2.2"; the last two bring a ZooKeeper along.
    kafka_image& version(std::string number);
    // 1 to 3. Three nodes replicate everything threefold with min.insync.replicas=2.
    kafka_image& nodes(int count);
    // Puts a proxy in front of each node, to which its advertised listener points: see kafka_cluster::proxy.
    kafka_image& with_proxies(bool on = true);
    // A broker property for all nodes, or for one (1 to nodes). Later ones win, also over ours.
    kafka_image& with_property(std::string key, std::string value);
    kafka_image& with_property(int node, std::string key, std::string value);
    // One more listener for clients on each node, past the proxies: its name in capitals, and PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. What it
    // needs beyond that comes by with_property("listener.name.NAME...", ...), the name in small letters.
    kafka_image& with_listener(std::string name, std::string protocol);
    // Added to each broker's JVM options after ours (-Xmx384m and a quick start).
    kafka_image& with_jvm_option(std::string option);
    // For `kafka-storage format` (KRaft), such as "--add-scram", "SCRAM-SHA-256=[...]". Costs the start a second per node.
    kafka_image& with_format_argument(std::string argument);
    // A base64url UUID. All clusters have the same by default.
    kafka_image& with_cluster_id(std::string id);
    // How long start() and the later waits may take; 180 s by default, for slow machines.
    kafka_image& with_startup_timeout(std::chrono::milliseconds limit);
    kafka_image& with_runtime(runtime wanted);

    // Starts the cluster and waits until every node answers ApiVersions and Metadata and shows all nodes. The first start of a version
    // on a machine fetches it (about 100 MB). Throws cluster_error, or std::runtime_error if something is not installed.
    kafka_cluster start() const;

private:
    friend class kafka_cluster;
    struct node_property {
        int node;  // 0: all
        std::string key, value;
    };
    std::string version_ = "4.3.0";
    std::string cluster_id_ = "kafkawireTestClusterAA";
    int nodes_ = 1;
    bool proxies_ = false;
    runtime runtime_ = runtime::automatic;
    std::chrono::milliseconds timeout_ = std::chrono::seconds(180);
    std::vector<node_property> properties_;
    std::vector<std::pair<std::string, std::string>> listeners_;
    std::vector<std::string> jvm_options_, format_arguments_;
};

// A running cluster. Movable; the functions may be called from several threads and wait for one another. Nodes are numbered from 1, as
// Kafka numbers them; another number throws std::out_of_range. Failures throw cluster_error.
class kafka_cluster {
public:
    kafka_cluster(kafka_cluster&&) noexcept;
    kafka_cluster& operator=(kafka_cluster&&) noexcept;
    ~kafka_cluster();  // kills the nodes and removes the folder

    // "host:port,host:port,..." for clients; through the proxies if there are any.
    std::string bootstrap_servers() const;
    // The listeners that the brokers use among themselves: past the proxies, for tools that judge what a client did.
    std::string internal_bootstrap_servers() const;
    // The same of a listener that with_listener() made.
    std::string listener_servers(std::string_view name) const;
    std::string address(int node) const;  // one "host:port" of bootstrap_servers()
    int size() const;
    std::string version() const;
    bool in_docker() const;
    std::filesystem::path directory() const;               // the cluster's folder
    std::filesystem::path data_directory(int node) const;  // the node's log.dirs
    node_state state(int node) const;
    pid_t pid(int node) const;  // the node's process (with Docker: the docker client's); -1 if it is down

    // SIGKILL: the node gets no time to say goodbye. Returns when it is gone.
    void kill(int node);
    // SIGTERM: controlled shutdown. Killed if it takes longer than 30 s. Returns when it is gone.
    void stop(int node);
    // SIGSTOP and SIGCONT: the node keeps its connections and says nothing.
    void pause(int node);
    void resume(int node);
    // Starts a node that is down, with the same folder and ports, and waits until all running nodes see it.
    void start(int node);
    // Stops the node if it is not down yet, then starts it.
    void restart(int node);
    // Waits until every running node answers and sees all running nodes.
    void wait_until_ready();

    // What the node has logged since the cluster was started.
    std::string logs(int node) const;
    // The proxy in front of a node. Throws std::logic_error without with_proxies(). The reference lives as long as the cluster. While its
    // node is down it refuses connections, as the node's own port would.
    testing::proxy& proxy(int node) const;

    // Runs a main class of Kafka's own classes, of the cluster's version, and waits for it: an opinion that is not ours. `tool` is a
    // class, or a name from java_tool_class(). Killed after the limit; that is no error here (a consumer that never ends).
    tool_result run_java_tool(std::string_view tool, const std::vector<std::string>& arguments, std::string_view input = {},
                              std::chrono::milliseconds limit = std::chrono::seconds(60)) const;
    // The command line of such a tool, for a caller that starts it by itself. Its temporary files go into the cluster's folder.
    std::vector<std::string> java_command(std::string_view tool, const std::vector<std::string>& arguments) const;

private:
    friend class kafka_image;
    struct impl;
    explicit kafka_cluster(std::unique_ptr<impl> p);
    std::unique_ptr<impl> impl_;
};

// The class of a tool in a version of Kafka: "console-producer", "console-consumer", "get-offsets", "dump-log", "topics",
// "consumer-groups", "configs", "leader-election", "producer-perf", "consumer-perf". Throws std::invalid_argument for another name.
std::string java_tool_class(std::string_view version, std::string_view tool);
// The option by which that tool is told the broker's address; empty if it has none.
std::string java_tool_bootstrap_option(std::string_view version, std::string_view tool);

}  // namespace kafkawire::testing
